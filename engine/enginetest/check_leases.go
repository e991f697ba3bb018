package enginetest

import (
	"fmt"
	"slices"

	"github.com/playbot/playbot/engine"
)

// CheckLeases returns how the events of many runs, in the order of the log, break what is promised
// about nodes: none is ever reserved for two runs, unless one is the ancestor of the other, and an
// attempt that changes nodes begins only while all of them are reserved for its run. free says which runs reserve nothing.
func CheckLeases(events []engine.Event, free func(engine.RunRequested) bool) []string {
	c := &leaseChecker{above: map[engine.RunID][]engine.RunID{}, free: map[engine.RunID]bool{}, held: map[string][]engine.RunID{}}
	slices.SortStableFunc(events, func(a, b engine.Event) int { return int(a.Pos) - int(b.Pos) })
	for _, e := range events {
		if id, ok := e.Stream.Run(); ok {
			c.apply(id, e, free)
		}
	}
	return c.problems
}

type leaseChecker struct {
	problems []string
	above    map[engine.RunID][]engine.RunID // a run and its ancestors
	free     map[engine.RunID]bool
	held     map[string][]engine.RunID // by node
}

func (c *leaseChecker) apply(id engine.RunID, e engine.Event, free func(engine.RunRequested) bool) {
	switch p := e.Payload.(type) {
	case engine.RunRequested:
		c.above[id], c.free[id] = []engine.RunID{id}, free(p)
		if p.Parent != nil {
			c.above[id] = append(c.above[id], c.above[p.Parent.Run]...)
		}
	case engine.NodesLeased:
		for _, n := range p.Nodes {
			c.lease(id, n, e)
		}
	case engine.AttemptStarted:
		if p.Effect == engine.ReadOnly || p.Key == "" || c.free[id] {
			return
		}
		for _, n := range p.Nodes {
			if !slices.Contains(c.held[n], id) {
				c.problems = append(c.problems, fmt.Sprintf("event %d of %s starts %s on %s, which is not reserved for it", e.Seq, id.Short(), p.Path, n))
			}
			c.alone(id, n, e)
		}
	case engine.RunEnded:
		for n, runs := range c.held {
			c.held[n] = slices.DeleteFunc(runs, func(r engine.RunID) bool { return r == id })
		}
	default: // the other kinds say nothing about nodes
	}
}

// alone holds that nobody has a node but the run and its ancestors.
func (c *leaseChecker) alone(id engine.RunID, node string, e engine.Event) {
	for _, other := range c.held[node] {
		if !slices.Contains(c.above[id], other) {
			c.problems = append(c.problems, fmt.Sprintf("event %d of %s (%s) is about %s while %s has it", e.Seq, id.Short(), e.Kind(), node, other.Short()))
		}
	}
}

func (c *leaseChecker) lease(id engine.RunID, node string, e engine.Event) {
	c.alone(id, node, e)
	if !slices.Contains(c.held[node], id) {
		c.held[node] = append(c.held[node], id)
	}
}
