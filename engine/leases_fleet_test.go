package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
)

// touched is what the nodes themselves would say: who works on them now, and what they go on with
// although nobody listens any more.
type touched struct {
	tb    testing.TB
	house *enginetest.House // set before the first run

	mu     sync.Mutex // guards what follows
	busy   map[string]engine.RunID
	acting []leftover
	times  int
}

// leftover is an attempt that was cut off while its nodes acted.
type leftover struct {
	run   engine.RunID
	nodes []string
	until time.Time
}

func newFleet(tb testing.TB) *touched {
	tb.Helper()
	return &touched{tb: tb, busy: map[string]engine.RunID{}}
}

// touch is a task that changes nodes for some seconds, also when it is cut off. find only finds some.
type touch struct {
	fleet *touched
	nodes []string
	takes time.Duration
}

func (f *touched) types(o *engine.Options) {
	o.Types.Tasks = append(slices.Clone(o.Types.Tasks), engine.TaskType{
		Name: "touch", Summary: "changes nodes",
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			return touch{fleet: f, nodes: p.RequireStrings("nodes"), takes: p.Duration("takes", time.Second)}, p.Err()
		},
	}, engine.TaskType{
		Name: "find", Summary: "finds nodes",
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			return found(p.Strings("nodes")), p.Err()
		},
	})
}

type found []string

func (found) Effect() engine.Effect { return engine.ReadOnly }

func (f found) Run(context.Context, *engine.Call) (engine.Result, error) {
	list := make([]any, len(f))
	for i, n := range f {
		list[i] = n
	}
	return engine.Result{Data: list}, nil
}

func (touch) Effect() engine.Effect { return engine.Once }

func (t touch) Targets() []string { return t.nodes }

func (t touch) Lasts() time.Duration { return t.takes }

// Run holds it against the world: nobody else works on any of the nodes.
func (t touch) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	over := time.Now().Add(t.takes)
	t.fleet.begin(c.Run.ID, t.nodes)
	select {
	case <-time.After(t.takes):
		t.fleet.end(leftover{run: c.Run.ID, nodes: t.nodes})
		return engine.Result{OKNodes: t.nodes}, nil
	case <-ctx.Done():
		t.fleet.end(leftover{run: c.Run.ID, nodes: t.nodes, until: over})
		return engine.Result{}, context.Cause(ctx)
	}
}

func (f *touched) begin(run engine.RunID, nodes []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times++
	for _, n := range nodes {
		if other, ok := f.busy[n]; ok {
			f.tb.Errorf("%s: %s is worked on by %s and %s at once", time.Now().Format(time.TimeOnly), n, other.Short(), run.Short())
		}
		f.busy[n] = run
		for _, l := range f.acting {
			if time.Now().Before(l.until) && slices.Contains(l.nodes, n) && f.top(l.run) != f.top(run) {
				f.tb.Errorf("%s: %s is worked on by %s, and acts until %s on what %s was cut off in", time.Now().Format(time.TimeOnly), n, run.Short(), l.until.Format(time.TimeOnly), l.run.Short())
			}
		}
	}
}

func (f *touched) end(l leftover) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range l.nodes {
		delete(f.busy, n)
	}
	f.acting = slices.DeleteFunc(f.acting, func(l leftover) bool { return !time.Now().Before(l.until) })
	if time.Now().Before(l.until) {
		f.acting = append(f.acting, l)
	}
}

// top is the topmost run above a run: what a run does beside its own leftovers is its own affair.
func (f *touched) top(id engine.RunID) engine.RunID {
	for _, e := range f.house.Events(id)[:1] {
		if p := e.Payload.(engine.RunRequested).Parent; p != nil {
			return f.top(p.Run)
		}
	}
	return id
}
