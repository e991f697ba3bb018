package enginetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// CheckLeases returns how the events of many runs, in the order of the log, break what is promised
// about nodes: none is ever reserved for two runs, unless one is the ancestor of the other, and an
// attempt that changes nodes begins only while all of them are reserved for its run. Nor does a run go on
// beside a run that its task has started. free says which runs reserve nothing.
func CheckLeases(events []engine.Event, free func(engine.RunRequested) bool) []string {
	c := &leaseChecker{above: map[engine.RunID][]engine.RunID{}, free: map[engine.RunID]bool{}, below: map[engine.RunID]map[engine.RunID]string{}, held: map[string][]engine.RunID{}}
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
	below    map[engine.RunID]map[engine.RunID]string // children that have not ended, and the keys that they were started with
	held     map[string][]engine.RunID                // by node
}

func (c *leaseChecker) apply(id engine.RunID, e engine.Event, free func(engine.RunRequested) bool) {
	switch p := e.Payload.(type) {
	case engine.RunRequested:
		c.above[id], c.free[id] = []engine.RunID{id}, free(p)
		if p.Parent != nil {
			c.above[id] = append(c.above[id], c.above[p.Parent.Run]...)
			if c.below[p.Parent.Run] == nil {
				c.below[p.Parent.Run] = map[engine.RunID]string{}
			}
			c.below[p.Parent.Run][id] = p.Key
		}
	case engine.NodesLeased:
		for _, n := range p.Nodes {
			c.lease(id, n, e)
		}
	case engine.LocksReleased:
		c.left(id, e, "")
	case engine.AttemptStarted:
		if p.Key != "" { // else nothing was begun
			c.left(id, e, p.Key)
		}
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
		c.left(id, e, "")
		for _, below := range c.below {
			delete(below, id)
		}
		for n, runs := range c.held {
			c.held[n] = slices.DeleteFunc(runs, func(r engine.RunID) bool { return r == id })
		}
	default: // the other kinds say nothing about nodes
	}
}

// left holds that a run has no child under way, but the one that an attempt with that key joins.
func (c *leaseChecker) left(id engine.RunID, e engine.Event, key string) {
	for child, started := range c.below[id] {
		if key == "" || !strings.HasPrefix(started, key) {
			c.problems = append(c.problems, fmt.Sprintf("event %d of %s (%s) comes while %s, which it started, has not ended", e.Seq, id.Short(), e.Kind(), child.Short()))
		}
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
