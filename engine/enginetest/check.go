package enginetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine"
)

// Check returns how the events of one run, in order, break the promises of the design (section 6);
// nothing when they keep them. secrets are byte strings that no event may contain.
func Check(events []engine.Event, secrets ...string) []string {
	c := &checker{
		open: make(map[engine.Path]engine.AttemptStarted), unknown: make(map[string]bool),
		gated: make(map[engine.Path]bool), approvals: make(map[string]*approval),
		asked: make(map[engine.Path]engine.Seq), resolved: make(map[engine.Path]engine.Seq),
	}
	for i, e := range events {
		c.order(i, e)
		c.secrets(e, secrets)
		c.apply(e)
	}
	if c.ended && len(c.locks) > 0 {
		c.say("promise 5: the run ended while it holds locks %v", c.locks)
	}
	return c.problems
}

type approval struct {
	asked engine.ApprovalAsked
	given bool
	at    time.Time // of the yes
	used  bool
	over  bool
}

type checker struct {
	problems  []string
	last      engine.Seq
	ended     bool
	locks     []string
	open      map[engine.Path]engine.AttemptStarted
	unknown   map[string]bool // attempts that a person was asked about and has not answered
	gated     map[engine.Path]bool
	approvals map[string]*approval
	stopped   bool // by a person: from here on only `always` begins
	asked     map[engine.Path]engine.Seq
	resolved  map[engine.Path]engine.Seq // where a person chose to retry
}

func (c *checker) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) order(i int, e engine.Event) {
	if _, first := e.Payload.(engine.RunRequested); first != (i == 0) {
		c.say("promise 1: event %d is %s; a run begins with run_requested and has one", i+1, e.Kind())
	}
	if e.Seq != c.last+1 {
		c.say("promise 1: event %d has sequence %d after %d", i+1, e.Seq, c.last)
	}
	c.last = e.Seq
}

func (c *checker) secrets(e engine.Event, secrets []string) {
	data, err := engine.EncodePayload(e.Payload)
	if err != nil {
		c.say("event %d cannot be encoded: %v", e.Seq, err)
	}
	for _, s := range secrets {
		if bytes.Contains(data, []byte(s)) {
			c.say("promise 6: event %d (%s) contains a secret", e.Seq, e.Kind())
		}
	}
}

func (c *checker) apply(e engine.Event) {
	switch p := e.Payload.(type) {
	case engine.LocksRequested:
		c.locks = append(c.locks, p.Locks...)
	case engine.LocksReleased:
		c.locks = nil
	case engine.TaskBegun:
		c.gated[p.Path] = p.Gated != ""
	case engine.ApprovalAsked:
		c.approvals[p.Approval] = &approval{asked: p}
		c.asked[p.Path] = e.Seq
	case engine.ApprovalGiven:
		c.decide(p.Approval, e.Time, true)
	case engine.ApprovalDenied:
		c.decide(p.Approval, e.Time, false)
	case engine.ApprovalExpired:
		c.decide(p.Approval, time.Time{}, false)
	case engine.ApprovalVoided:
		c.decide(p.Approval, time.Time{}, false)
	case engine.AttemptStarted:
		c.start(e.Seq, e.Time, p)
	case engine.AttemptEnded:
		c.end(e.Seq, p.Path, p.Attempt)
	case engine.AttemptRepeated:
		if a, ok := c.open[p.Path]; ok && a.Effect == engine.Once {
			c.say("promise 2: event %d repeats %s by itself although it is neither read-only nor idempotent", e.Seq, p.Path)
		}
		delete(c.open, p.Path)
	case engine.AttemptUnknown:
		c.unknown[attemptKey(p.Path, p.Attempt)] = true
	case engine.AttemptResolved:
		delete(c.unknown, attemptKey(p.Path, p.Attempt))
		delete(c.open, p.Path)
		c.stopped = c.stopped || p.Choice == engine.ResolveAbort && p.Path.List() != "always"
		if p.Choice == engine.ResolveRetry {
			c.resolved[p.Path] = e.Seq
		}
	case engine.CancelRequested:
		c.stopped = true
	case engine.TaskEnded:
		if _, open := c.open[p.Path]; open && p.Status != engine.TaskCancelled {
			c.say("promise 1: event %d ends %s as %s while its attempt has no outcome", e.Seq, p.Path, p.Status)
		}
		delete(c.open, p.Path)
	case engine.RunEnded:
		c.finish(e.Seq)
	default: // the other kinds promise nothing
	}
}

func attemptKey(p engine.Path, n int) string { return fmt.Sprintf("%s#%d", p, n) }

func (c *checker) decide(id string, at time.Time, yes bool) {
	a, ok := c.approvals[id]
	if !ok {
		c.say("promise 4: a decision on approval %s, which was never asked", id)
		return
	}
	if yes && (a.over || a.given) {
		c.say("promise 4: approval %s was given after it was decided", id)
	}
	if yes && at.After(a.asked.Expires) {
		c.say("promise 4: approval %s was given at %s, after it expired", id, at)
	}
	a.given, a.over, a.at = yes, !yes, at
}

func (c *checker) start(seq engine.Seq, at time.Time, p engine.AttemptStarted) {
	if c.ended {
		c.say("promise 1: event %d starts %s after the run ended", seq, p.Path)
	}
	if c.stopped && p.Path.List() != "always" {
		c.say("promise 7: event %d starts %s after a person stopped the run", seq, p.Path)
	}
	if before, open := c.open[p.Path]; open {
		c.say("promise 2: event %d starts %s attempt %d while attempt %d has no outcome", seq, p.Path, p.Attempt, before.Attempt)
	}
	if c.unknown[attemptKey(p.Path, p.Attempt-1)] {
		c.say("promise 2: event %d starts %s although nobody said what became of the attempt before", seq, p.Path)
	}
	c.open[p.Path] = p
	if c.gated[p.Path] && p.Key != "" { // without a key nothing was begun: the properties did not render
		c.gate(seq, at, p)
	}
}

// useWithin is how long a yes may lie unused.
const useWithin = 15 * time.Minute

// gate checks that a gated attempt does exactly what was approved, in time.
func (c *checker) gate(seq engine.Seq, at time.Time, p engine.AttemptStarted) {
	a, ok := c.approvals[p.Approval]
	if !ok || !a.given || a.over {
		c.say("promise 4: event %d starts the gated task %s without an approval", seq, p.Path)
		return
	}
	if a.asked.Path != p.Path {
		c.say("promise 4: event %d starts %s on an approval for %s", seq, p.Path, a.asked.Path)
	}
	if !same(a.asked.Sealed, p.Properties) || !same(a.asked.Nodes, p.Nodes) {
		c.say("promise 4: event %d starts %s with %v on %v, and approved was %v on %v", seq, p.Path, p.Properties, p.Nodes, a.asked.Sealed, a.asked.Nodes)
	}
	if !a.used && at.After(a.at.Add(useWithin)) {
		c.say("promise 4: event %d starts %s on an approval that is %s old", seq, p.Path, at.Sub(a.at))
	}
	if c.asked[p.Path] < c.resolved[p.Path] {
		c.say("promise 4: event %d repeats %s after unknown without asking again", seq, p.Path)
	}
	a.used = true
}

// same compares two values as JSON, where it makes no difference that there are none.
func same(a, b any) bool {
	left, err := json.Marshal(a)
	right, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(left, right)
}

func (c *checker) end(seq engine.Seq, p engine.Path, n int) {
	a, ok := c.open[p]
	if !ok || a.Attempt != n {
		c.say("promise 2: event %d ends attempt %d of %s, which was not started", seq, n, p)
	}
	delete(c.open, p)
}

func (c *checker) finish(seq engine.Seq) {
	if c.ended {
		c.say("promise 1: event %d ends the run a second time", seq)
	}
	c.ended = true
	for p := range c.open {
		c.say("promise 1: event %d ends the run while %s has no outcome", seq, p)
	}
}
