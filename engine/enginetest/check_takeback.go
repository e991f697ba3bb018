package enginetest

import (
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

const (
	// postGrace is how long the posting of a gate may take before it counts.
	postGrace = time.Minute
	// maxUnposted is how long the time of a gate stands still that nobody could post.
	maxUnposted = 24 * time.Hour
)

// deadline is when nobody may approve any more.
func (a *approval) deadline() time.Time {
	if !a.asked.Posts || a.asked.Rests != "" {
		return a.asked.Expires
	}
	if a.shown.IsZero() {
		return a.asked.Expires.Add(maxUnposted)
	}
	if late := a.shown.Sub(a.since); late > postGrace {
		return a.asked.Expires.Add(late)
	}
	return a.asked.Expires
}

// undecided says which gates are left without an outcome at the end of a run.
func (c *checker) undecided() {
	for id, a := range c.approvals {
		if !a.used && !a.over {
			c.say("promise 4: the run ended, and approval %s is neither used nor over", id)
		}
	}
}

// takenBack checks that somebody takes back a yes that they have given and nothing rests on.
func (c *checker) takenBack(seq engine.Seq, p engine.ApprovalTakenBack) {
	a := c.known(p.Approval)
	if a == nil {
		return
	}
	i := slices.IndexFunc(a.given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(p.Actor) })
	switch {
	case i < 0:
		c.say("promise 4: event %d takes back a yes that %s has not given", seq, p.Actor.Label())
	case a.over:
		c.say("promise 4: event %d takes back a yes of a gate that is over", seq)
	case p.Rest != a.used:
		c.say("promise 4: event %d takes back a yes as if its gate was used or was not", seq)
	case p.Rest:
		a.given[i].Rest = false
	default:
		a.given = slices.Delete(a.given, i, i+1)
	}
}

// reminded checks that people are asked again only about what waits.
func (c *checker) reminded(at time.Time, p engine.ApprovalReminded) {
	a := c.known(p.Approval)
	if a == nil {
		return
	}
	if a.over || a.used || a.missing() <= 0 || at.After(a.deadline()) {
		c.say("promise 4: people were asked again about approval %s, which did not wait", p.Approval)
	}
	a.wide = a.wide || p.Escalated
}

// posted notes when people first saw a gate.
func (c *checker) posted(at time.Time, p engine.Posted) {
	id, ok := strings.CutPrefix(p.Ref, "approval/")
	if a := c.approvals[id]; ok && a != nil && a.shown.IsZero() {
		a.shown = at
	}
}
