package enginetest

import (
	"slices"
	"time"

	"github.com/playbot/playbot/engine"
)

// useWithin is how long a yes may lie unused.
const useWithin = 15 * time.Minute

// approval is a gate as far as it got.
type approval struct {
	asked engine.ApprovalAsked
	since time.Time // when it was asked
	again bool      // its task was at a gate before
	given []engine.ApprovalGiven
	at    time.Time // of the last yes
	used  bool
	over  bool
	shown time.Time // when people first saw it in a message
	wide  bool      // the second circle was asked
}

// missing is how many different people must still say yes.
func (a *approval) missing() int { return max(a.asked.Count, 1) - len(a.given) }

func (c *checker) approval(e engine.Event) {
	switch p := e.Payload.(type) {
	case engine.ApprovalAsked:
		again := c.again(p)
		c.approvals[p.Approval] = &approval{asked: p, since: e.Time, again: again}
		c.asked[p.Path] = e.Seq
	case engine.ApprovalGiven:
		c.yes(p, e.Time)
	case engine.ApprovalDenied:
		if a := c.over(p.Approval); a != nil && a.asked.Reason != "" && p.Reason == "" {
			c.say("promise 4: approval %s was denied without the reason that it asks for", p.Approval)
		}
	case engine.ApprovalExpired:
		c.over(p.Approval)
	case engine.ApprovalVoided:
		c.over(p.Approval)
	case engine.ApprovalTakenBack:
		c.takenBack(e.Seq, p)
	case engine.ApprovalReminded:
		c.reminded(e.Time, p)
	case engine.Posted:
		c.posted(e.Time, p)
	default: // apply hands over nothing else
	}
}

// again reports whether a task asks that was at a gate before; the gate of a further wave is another one,
// unless less was given than was asked for the waves before.
func (c *checker) again(p engine.ApprovalAsked) bool {
	var latest *approval
	for _, a := range c.approvals {
		if a.asked.Path == p.Path && (latest == nil || a.asked.Number > latest.asked.Number) {
			latest = a
		}
	}
	if latest == nil || p.Wave == 0 {
		return latest != nil
	}
	return !latest.used || latest.over || slices.ContainsFunc(latest.given, func(g engine.ApprovalGiven) bool { return !g.Limit.IsZero() })
}

func (c *checker) known(id string) *approval {
	a := c.approvals[id]
	if a == nil {
		c.say("promise 4: a decision on approval %s, which was never asked", id)
	}
	return a
}

// over ends an approval; nil when there is none.
func (c *checker) over(id string) *approval {
	a := c.known(id)
	if a == nil {
		return nil
	}
	if a.over || a.used {
		c.say("promise 4: approval %s was decided, and then decided otherwise", id)
	}
	a.over = true
	return a
}

// yes checks that somebody's yes counts, and counts it.
func (c *checker) yes(p engine.ApprovalGiven, at time.Time) {
	a := c.known(p.Approval)
	if a == nil {
		return
	}
	if a.over || a.missing() <= 0 {
		c.say("promise 4: approval %s was given after it was decided", p.Approval)
	}
	if !at.Before(a.deadline()) {
		c.say("promise 4: approval %s was given at %s, after it expired", p.Approval, at)
	}
	if len(a.asked.From) > 0 && !slices.Contains(a.asked.From, p.Role) && (!a.wide || !slices.Contains(a.asked.Second, p.Role)) {
		c.say("promise 4: approval %s was given by %s in the role %q, and asks for %v", p.Approval, p.Actor.Label(), p.Role, a.asked.From)
	}
	if a.asked.Reason == "always" && p.Reason == "" {
		c.say("promise 4: approval %s was given without the reason that it asks for", p.Approval)
	}
	if p.Rest && !p.Limit.IsZero() {
		c.say("promise 4: approval %s was given for the rest of the run and for less than it asks for", p.Approval)
	}
	if p.Rest && a.asked.Scope != "run" {
		c.say("promise 4: approval %s was given for the rest of the run, and is for its step", p.Approval)
	}
	if a.asked.Rests != "" {
		c.rests(a, p, at)
	}
	if slices.ContainsFunc(a.given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(p.Actor) }) {
		c.say("promise 4: approval %s was given by %s twice", p.Approval, p.Actor.Label())
		return
	}
	a.given, a.at = append(a.given, p), at
}

// rests checks that an earlier approval covers a gate at which nobody was asked.
func (c *checker) rests(a *approval, p engine.ApprovalGiven, at time.Time) {
	root := c.approvals[a.asked.Rests]
	var why string
	switch {
	case root == nil || !root.used || root.asked.Rests != "":
		why = "which nobody gave and nothing used before"
	case !slices.ContainsFunc(root.given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(p.Actor) && g.Role == p.Role }):
		why = "which that person did not give in that role"
	case slices.ContainsFunc(root.given, func(g engine.ApprovalGiven) bool { return !g.Rest }):
		why = "which was not given for the rest"
	case a.again:
		why = "although the task was at a gate before"
	case a.asked.Scope == "step" || len(a.asked.Grown) > 0 || a.asked.Uncompared != "":
		why = "although the gate is for its step only, or nodes appeared, or could not be compared"
	case at.Sub(root.at) > a.asked.Expires.Sub(a.since):
		why = "which is older than the gate would wait"
	default:
		return
	}
	c.say("promise 4: approval %s rests on %s, %s", p.Approval, a.asked.Rests, why)
}

// gate checks that a gated attempt does exactly what was approved, in time.
func (c *checker) gate(seq engine.Seq, at time.Time, p engine.AttemptStarted) {
	a, ok := c.approvals[p.Approval]
	if !ok || len(a.given) == 0 || a.over {
		c.say("promise 4: event %d starts the gated task %s without an approval", seq, p.Path)
		return
	}
	if a.missing() > 0 {
		c.say("promise 4: event %d starts %s with the approval of %d of %d people", seq, p.Path, len(a.given), a.asked.Count)
	}
	if a.asked.Path != p.Path {
		c.say("promise 4: event %d starts %s on an approval for %s", seq, p.Path, a.asked.Path)
	}
	nodes := same(a.asked.Nodes, p.Nodes) || a.used && within(a.asked.Nodes, p.Nodes) // a further try may be about fewer
	if !same(a.asked.Sealed, p.Properties) || !nodes {
		c.say("promise 4: event %d starts %s with %v on %v, and approved was %v on %v", seq, p.Path, p.Properties, p.Nodes, a.asked.Sealed, a.asked.Nodes)
	}
	if !a.used && at.After(a.at.Add(useWithin)) {
		c.say("promise 4: event %d starts %s on an approval that is %s old", seq, p.Path, at.Sub(a.at))
	}
	c.until(seq, at, p.Path, a)
	if c.asked[p.Path] < c.resolved[p.Path] {
		c.say("promise 4: event %d repeats %s after unknown without asking again", seq, p.Path)
	}
	a.used = true
}

// within reports whether every node of few is one of many.
func within(many, few []string) bool {
	return !slices.ContainsFunc(few, func(n string) bool { return !slices.Contains(many, n) })
}
