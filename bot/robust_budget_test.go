package bot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

// plot is a run of the chat budget test.
type plot struct {
	name  string
	steps int
	gates int
	nodes int // of each step
}

// most is how many messages a run may post: a card, a reply for each step, a question for each gate, and
// the end. Nodes do not come into it. See docs/adr/0031.
func (p plot) most() int { return 1 + p.steps + p.gates + 1 }

// randomPlots are runs with up to 12 steps, of which some ask, on up to 10,000 nodes.
func randomPlots(s *stage, rng *rand.Rand, n int) []*plot {
	out := make([]*plot, n)
	for i := range out {
		p := &plot{name: fmt.Sprintf("book%d", i), steps: 1 + rng.IntN(12), nodes: 1 + rng.IntN(50)}
		if i%25 == 0 {
			p.nodes = 10_000
		}
		var b strings.Builder
		b.WriteString("leases: none\ntasks:\n")
		for step := range p.steps {
			gate := ""
			if rng.IntN(4) == 0 {
				gate = ", destructive: true"
				p.gates++
			}
			fmt.Fprintf(&b, "  - do: {name: %s.%d, description: %q%s}\n", p.name, step+1, fmt.Sprintf("No %d.", step+1), gate)
			s.Script.On(fmt.Sprintf("%s.%d", p.name, step+1), answering(p.nodes, time.Duration(rng.IntN(6_000))*time.Millisecond))
		}
		s.book(p.name, b.String())
		out[i] = p
	}
	return out
}

// answering is a step that so many nodes answer, one in a hundred of them with an error.
func answering(nodes int, took time.Duration) func(context.Context, int, *engine.Call) (engine.Result, error) {
	return func(ctx context.Context, _ int, c *engine.Call) (engine.Result, error) {
		r := engine.Result{Message: fmt.Sprintf("%d answered", nodes)}
		for i := range nodes {
			name := fmt.Sprintf("n%d.example.net", i)
			if r.OKNodes = append(r.OKNodes, name); i < 200 {
				c.Note(name + ": done")
			}
		}
		select {
		case <-time.After(took):
			return r, nil
		case <-ctx.Done():
			return engine.Result{}, context.Cause(ctx)
		}
	}
}

// storm has Slack refuse calls with 429 until it is told to stop.
func (s *stage) storm(rng *rand.Rand, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(15_000)) * time.Millisecond):
			method := []string{"chat.postMessage", "chat.update"}[rng.IntN(2)]
			s.ws.RateLimitNext(method, []int{0, 1, 3, 10, 30}[rng.IntN(5)], 1+rng.IntN(3))
		}
	}
}

// The chat budget: 50 runs at once, on up to 10,000 nodes, while Slack limits what it likes. No run posts
// more than its steps and gates ask for, nothing is lost or told out of order, no method is called before a
// Retry-After ends, and there are at most 40 edits in any minute.
func TestChatBudget_holdsForManyRunsInAStormOfLimits(t *testing.T) {
	t.Parallel()
	seeds := 2
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) { s.playBudget(rand.New(rand.NewPCG(uint64(seed), 31))) }, setting{workspace: func(o *workspace.Options) {
				for i := range o.Channels {
					o.Channels[i].Members = o.Channels[0].Members
				}
			}})
		})
	}
}

func (s *stage) playBudget(rng *rand.Rand) {
	const runs = 50
	plots := randomPlots(s, rng, runs)
	began := time.Now()
	stop := make(chan struct{})
	go s.storm(rand.New(rand.NewPCG(rng.Uint64(), 7)), stop)
	for i, p := range plots {
		s.slash("ana", []string{"#deploys", "#ops", "#random"}[i%3], "run "+p.name)
	}
	s.approveAll(runs)
	close(stop)
	synctest.Wait()
	s.ws.Heal()
	s.drawn()
	s.wantLeftAlone(began)
	edits := s.wantBudget()
	total, posts := 0, len(s.calls("chat.postMessage"))
	for _, p := range plots {
		total += s.wantPlot(p)
	}
	if posts > total {
		s.tb.Errorf("%d messages were posted, and the runs show %d", posts, total)
	}
	s.tb.Logf("%d runs: %d messages, %d edits, in %s", runs, posts, len(edits), time.Since(began))
}

// approveAll says yes at every gate until so many runs have ended.
func (s *stage) approveAll(runs int) {
	s.tb.Helper()
	ben := engine.Actor{Team: "T1", User: "UBEN", Name: "ben"}
	s.until("every run has ended", func() bool {
		waiting, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Status: engine.RunWaiting, Limit: runs})
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, one := range waiting {
			_ = s.Engine.Approve(s.tb.Context(), engine.Decision{Run: one.Run, Actor: ben}) // it may be decided by now
		}
		return s.succeeded() == runs
	})
}

// wantPlot holds the thread of a run against what happened in it, and returns how many messages it has.
func (s *stage) wantPlot(p *plot) int {
	s.tb.Helper()
	found, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Playbook: p.name, Limit: 2})
	if err != nil || len(found) != 1 {
		s.tb.Fatalf("%s has the runs %v: %v", p.name, found, err)
	}
	run, err := s.Engine.Load(s.tb.Context(), found[0].Run)
	if err != nil {
		s.tb.Fatal(err)
	}
	got := s.thread(run)
	if len(got) > p.most() {
		s.tb.Errorf("%s has %d messages; with %d steps and %d gates it may have %d", p.name, len(got), p.steps, p.gates, p.most())
	}
	var told, want []string
	for _, m := range got[1:] {
		for line := range strings.Lines(m) {
			if _, after, ok := strings.Cut(line, "✅ No "); ok {
				n, _, _ := strings.Cut(after, ".")
				told = append(told, n)
			}
			if has(line, "success after") {
				told = append(told, "end")
			}
		}
	}
	for step := range p.steps {
		want = append(want, fmt.Sprint(step+1))
	}
	if want = append(want, "end"); !slices.Equal(told, want) {
		s.tb.Errorf("%s is told as %q, want %q", p.name, told, want)
	}
	if records := strings.Count(strings.Join(got, "\n"), "Approved by @ben"); records != p.gates {
		s.tb.Errorf("%s has %d records of %d gates", p.name, records, p.gates)
	}
	if !has(got[0], p.name+" — success") {
		s.tb.Errorf("the card of %s says\n%s", p.name, got[0])
	}
	return len(got)
}
