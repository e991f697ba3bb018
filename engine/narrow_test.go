//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// rollCall is a task type whose tries ask only the nodes that have not answered. Each try is told what to do.
type rollCall struct {
	mu    sync.Mutex // guards what follows
	tries [][]string // whom each try asked
	// act says which of the nodes answer in try n, counted from one.
	act func(ctx context.Context, n int, nodes []string) []string
}

func (r *rollCall) typ() engine.TaskType {
	return engine.TaskType{Name: "roll_call", Summary: "asks nodes", Decode: func(p *playbooks.Properties) (engine.Task, error) {
		t := rollTask{roll: r, nodes: p.Strings("nodes")}
		t.effect = engine.Effect(p.Choice("effect", "once", "once", "read_only", "idempotent"))
		return t, p.Err()
	}}
}

func (r *rollCall) asked() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, nodes := range r.tries {
		out = append(out, strings.Join(nodes, " "))
	}
	return strings.Join(out, ", ")
}

type rollTask struct {
	roll        *rollCall
	nodes, done []string
	effect      engine.Effect
}

var (
	_ engine.Narrower = rollTask{}
	_ engine.Targeted = rollTask{}
)

func (t rollTask) Effect() engine.Effect { return t.effect }
func (t rollTask) Targets() []string     { return t.nodes }

func (t rollTask) Narrow(last engine.Result) engine.Task {
	n := t
	n.nodes = nil
	for _, node := range t.nodes {
		if slices.Contains(last.OKNodes, node) {
			n.done = append(n.done, node)
		} else {
			n.nodes = append(n.nodes, node)
		}
	}
	return n
}

func (t rollTask) Run(ctx context.Context, _ *engine.Call) (engine.Result, error) {
	t.roll.mu.Lock()
	t.roll.tries = append(t.roll.tries, t.nodes)
	n := len(t.roll.tries)
	t.roll.mu.Unlock()
	there := t.roll.act(ctx, n, t.nodes)
	if ctx.Err() != nil {
		return engine.Result{}, context.Cause(ctx)
	}
	result := engine.Result{OKNodes: slices.Concat(t.done, there)}
	for _, node := range t.nodes {
		if !slices.Contains(there, node) {
			result.SilentNodes = append(result.SilentNodes, node)
		}
	}
	if len(result.SilentNodes) > 0 {
		return result, errors.New("some keep silent")
	}
	return result, nil
}

// firstOf answers for the first node only.
func firstOf(_ context.Context, _ int, nodes []string) []string { return nodes[:1] }

// hangsIn waits in one try until it is cut off, and else answers for the first node.
func hangsIn(try int) func(context.Context, int, []string) []string {
	return func(ctx context.Context, n int, nodes []string) []string {
		if n == try {
			<-ctx.Done()
		}
		return nodes[:1]
	}
}

func inRollHouse(t *testing.T, roll *rollCall, test func(*testing.T, *enginetest.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		test(t, enginetest.NewHouse(t, log, func(o *engine.Options) { o.Types.Tasks = append(o.Types.Tasks, roll.typ()) }))
	})
}

func TestNarrower_eachTryIsNarrowedByTheOutcomeBefore(t *testing.T) {
	t.Parallel()
	roll := &rollCall{act: firstOf}
	inRollHouse(t, roll, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `tasks: [{roll_call: {nodes: [a, b, c], tries: 3, try_sleep: 1, destructive: true}}]`)
		id := h.Start("b", nil)
		if g := gate(t, h, id); strings.Join(g.Nodes, " ") != "a b c" {
			t.Errorf("the gate is about %v", g.Nodes)
		}
		approve(t, h, id)
		run := h.Finish(id)
		attempts := run.Steps["tasks.1"].Attempts
		if run.Status != engine.RunSuccess || roll.asked() != "a b c, b c, c" || len(run.Approvals) != 1 {
			t.Fatalf("%s: asked %s on %d approvals", run.Status, roll.asked(), len(run.Approvals))
		}
		if last := attempts[2]; strings.Join(last.Nodes, " ") != "c" || strings.Join(last.Outcome.Result.OKNodes, " ") != "a b c" {
			t.Errorf("the last attempt is on record for %v with %v", last.Nodes, last.Outcome.Result.OKNodes)
		}
	})
}

func TestNarrower_aRepeatIsNarrowedAsWhatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		cut  int    // the try that is cut off
		want string // whom the tries asked, the repeat included
	}{
		"the first try":  {1, "a b c, a b c, b c, c"},
		"the second try": {2, "a b c, b c, b c, c"},
		"the third try":  {3, "a b c, b c, c, c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roll := &rollCall{act: hangsIn(row.cut)}
			inRollHouse(t, roll, func(t *testing.T, h *enginetest.House) {
				h.Book("b", `tasks: [{roll_call: {nodes: [a, b, c], effect: idempotent, tries: 3, try_sleep: 1}}]`)
				id := h.Start("b", nil)
				time.Sleep(time.Duration(row.cut) * time.Second) // virtual: it hangs
				h.Stop()
				h.Restart()
				run := h.Finish(id)
				if run.Status != engine.RunSuccess || roll.asked() != row.want {
					t.Errorf("%s: asked %s, want %s", run.Status, roll.asked(), row.want)
				}
				attempts := run.Steps["tasks.1"].Attempts
				if original, repeat := attempts[row.cut-1], attempts[row.cut]; !slices.Equal(original.Nodes, repeat.Nodes) || original.Key != repeat.Key {
					t.Errorf("the try was about %v with key %s, its repeat about %v with %s", original.Nodes, original.Key, repeat.Nodes, repeat.Key)
				}
			})
		})
	}
}

func TestNarrower_aPersonsRetryAsksAboutWhatIsLeft(t *testing.T) {
	t.Parallel()
	roll := &rollCall{act: hangsIn(2)}
	inRollHouse(t, roll, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `tasks: [{roll_call: {nodes: [a, b, c], tries: 3, try_sleep: 1, destructive: true}}]`)
		id := h.Start("b", nil)
		gate(t, h, id)
		approve(t, h, id)
		time.Sleep(2 * time.Second) // virtual: the second try hangs
		h.Stop()
		h.Restart()
		synctest.Wait()
		resolve(t, h, id, "tasks.1", engine.ResolveRetry)
		if g := gate(t, h, id); strings.Join(g.Nodes, " ") != "b c" {
			t.Errorf("the second gate is about %v, want what is left", g.Nodes)
		}
		approve(t, h, id)
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || roll.asked() != "a b c, b c, b c, c" {
			t.Errorf("%s: %s; asked %s", run.Status, run.Message, roll.asked())
		}
	})
}

func TestNarrower_anAttemptThatNeverBeganDoesNotWiden(t *testing.T) {
	t.Parallel()
	roll := &rollCall{act: firstOf}
	inRollHouse(t, roll, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs: {effect: {type: String, data: s/effect, dynamic: true}}
tasks: [{roll_call: {nodes: [a, b, c], effect: "{{ inputs.effect }}", tries: 4, try_sleep: 10}}]
`)
		h.Script.Set("effect", "once")
		id := h.Start("b", nil)
		time.Sleep(time.Second) // virtual: the first try is over
		h.Script.Set("effect", "nonsense")
		time.Sleep(10 * time.Second)
		h.Script.Set("effect", "once")
		run := h.Finish(id)
		if n := len(run.Steps["tasks.1"].Attempts); run.Status != engine.RunSuccess || n != 4 || roll.asked() != "a b c, b c, c" {
			t.Errorf("%s: %s; asked %s in %d attempts", run.Status, run.Message, roll.asked(), n)
		}
	})
}
