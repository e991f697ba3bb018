//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

const (
	fleetSize   = 50
	randomBooks = 200
)

// lottery draws playbooks and what happens to their runs; equal seeds draw the same.
type lottery struct{ *rand.Rand }

func (l lottery) chance(percent int) bool { return l.IntN(100) < percent }

// nodes draws a few of the fleet, most of them neighbours, so that many sets overlap.
func (l lottery) nodes() string {
	first, n := l.IntN(fleetSize), 1+l.IntN(4)
	var out []string
	for i := range n {
		if l.chance(20) {
			i = l.IntN(fleetSize)
		}
		out = append(out, fmt.Sprintf("n%02d", (first+i)%fleetSize))
	}
	slices.Sort(out)
	return "[" + strings.Join(slices.Compact(out), ", ") + "]"
}

// body draws a playbook. children are those that it may start.
func (l lottery) body(children []string) string {
	var b strings.Builder
	b.WriteString([]string{"", "", "", "", "leases: wait\n", "leases: fail\n"}[l.IntN(6)])
	fmt.Fprintf(&b, "nodes: {a: {type: list, nodes: %s}, b: {type: list, nodes: %s}}\ntasks:\n", l.nodes(), l.nodes())
	for i := range 1 + l.IntN(3) {
		takes, gate := 1+l.IntN(20), ""
		switch luck := l.IntN(100); {
		case luck < 15:
			gate = ", destructive: true"
		case luck < 25:
			gate = fmt.Sprintf(", timeout: %d, tries: 2, try_sleep: 3", 1+l.IntN(20))
		}
		switch kind := l.IntN(10); {
		case kind < 4:
			fmt.Fprintf(&b, "  - touch: {nodes: \"{{ nodes.%s }}\", takes: %d%s}\n", []string{"a", "b"}[l.IntN(2)], takes, gate)
		case kind < 6:
			fmt.Fprintf(&b, "  - touch: {nodes: %s, takes: %d%s}\n", l.nodes(), takes, gate)
		case kind < 7:
			fmt.Fprintf(&b, "  - find: {as: f%d, nodes: %s}\n  - touch: {nodes: \"{{ tasks.f%d.data }}\", takes: %d%s}\n", i, l.nodes(), i, takes, gate)
		case kind < 8:
			fmt.Fprintf(&b, "  - rolling: {nodes: \"{{ nodes.b }}\", batch_size: 1, tasks: [{touch: {nodes: \"{{ wave.nodes }}\", takes: %d}}]}\n", takes)
		case len(children) > 0:
			fmt.Fprintf(&b, "  - child: {name: %s%s}\n", children[l.IntN(len(children))], []string{"", "", ", timeout: 40, tries: 2"}[l.IntN(3)])
		default:
			b.WriteString("  - do: {name: look, effect: read_only}\n")
		}
	}
	always := []string{"", "", fmt.Sprintf("{touch: {nodes: %s}}", l.nodes()), fmt.Sprintf("{find: {as: g, nodes: %s}}, {touch: {nodes: \"{{ tasks.g.data }}\", takes: 9}}", l.nodes())}[l.IntN(4)]
	fmt.Fprintf(&b, "hooks: {on_fail: [{touch: {nodes: \"{{ nodes.a }}\"}}], always: [%s]}\n", always)
	return b.String()
}

// wild is a house in which runs over the same nodes begin, are cancelled, and die with their process.
type wild struct {
	*enginetest.House
	lottery

	log     *enginetest.FaultyLog
	fleet   *touched
	started []engine.RunID
	crashes int
}

// people answers some of what is asked, as people do: not at once.
func (w *wild) people(t *testing.T, percent int) (open int) {
	ids, err := w.Log.Unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		w.Watch(id)
		run := load(t, w.House, id)
		if !w.chance(percent) {
			continue
		}
		a, s := run.Pending(), run.Unknown()
		switch {
		case a != nil && w.chance(80):
			_ = w.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: w.Ben})
		case a != nil:
			_ = w.Engine.Deny(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: w.Ben})
		case s != nil:
			_ = w.Engine.Resolve(t.Context(), engine.Answer{
				Run: id, Path: s.Path, Attempt: s.Last().Attempt, Actor: w.Ana,
				Choice: []engine.Resolution{engine.ResolveRetry, engine.ResolveDone, engine.ResolveFailed, engine.ResolveAbort}[w.IntN(4)],
			})
		case w.chance(5):
			_ = w.Engine.Cancel(t.Context(), id, w.Ana, "")
		}
	}
	return len(ids)
}

// crash lets the process die at any event, and starts another.
func (w *wild) crash() {
	w.crashes++
	w.log.CutAfter(w.IntN(6), w.chance(50))
	time.Sleep(time.Duration(w.IntN(4000)) * time.Millisecond)
	w.Stop()
	w.log.Refuse(nil)
	w.Restart()
}

func TestLeases_noNodeIsEverInTwoRuns(t *testing.T) {
	t.Parallel()
	seeds := 2
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t)
			inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
				fleet.house = h
				w := &wild{House: h, log: log, fleet: fleet, lottery: lottery{rand.New(rand.NewPCG(uint64(seed), 4))}}
				w.play(t)
			}, fleet.types)
		})
	}
}

func (w *wild) play(t *testing.T) {
	var children, names []string
	for i := range randomBooks {
		name := fmt.Sprintf("b%d", i)
		w.Book(name, w.body(children))
		if names = append(names, name); i < 20 {
			children = append(children, name)
		}
	}
	w.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for open := 1; len(names) > 0 || open > 0; open = w.people(t, 30) {
		for range min(1+w.IntN(4), len(names)) {
			w.started = append(w.started, w.Start(names[0], nil))
			names = names[1:]
		}
		time.Sleep(time.Duration(1+w.IntN(20_000)) * time.Millisecond)
		if w.chance(15) {
			w.crash()
		}
	}
	w.Book("all", fmt.Sprintf("leases: fail\ntasks: [{touch: {nodes: [%s]}}]\n", strings.Join(everyNode(), ", ")))
	if run := w.Finish(w.Start("all", nil)); run.Status != engine.RunSuccess {
		t.Errorf("a node is kept after the end of every run: %s", run.Message)
	}
	w.variety(t)
}

func everyNode() []string {
	out := make([]string, fleetSize)
	for i := range out {
		out[i] = fmt.Sprintf("n%02d", i)
	}
	return out
}

// variety makes sure that what is to be shown did happen. What the runs did is held against the
// promises when the house closes.
func (w *wild) variety(t *testing.T) {
	synctest.Wait()
	count := map[string]int{}
	for _, id := range w.Watched() {
		run := load(t, w.House, id)
		count[string(run.Status)]++
		for _, e := range w.Events(id) {
			count[e.Kind()]++
		}
		for _, about := range []string{"Try again when that run has ended", "run one after the other"} {
			if strings.Contains(run.Message, about) {
				count[about]++
			}
		}
	}
	t.Logf("%d runs, %d crashes, nodes touched %d times: %v", len(w.Watched()), w.crashes, w.fleet.times, count)
	for what, least := range map[string]int{
		"nodes_awaited": 20, "success": 20, "failed": 5, "cancelled": 2, "attempt_unknown": 2, "Try again when that run has ended": 3,
	} {
		if count[what] < least {
			t.Errorf("%q happened %d times, want at least %d: draw other playbooks", what, count[what], least)
		}
	}
	if w.crashes < 3 {
		t.Errorf("only %d crashes", w.crashes)
	}
}
