package enginetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// Check returns how the events of one run, in order, break the promises of the design (section 6);
// nothing when they keep them. secrets are byte strings that no event may contain.
func Check(events []engine.Event, secrets ...string) []string {
	c := &checker{
		open: make(map[engine.Path]engine.AttemptStarted), unknown: make(map[string]bool),
		gated: make(map[engine.Path]bool), approvals: make(map[string]*approval),
		taskLocks: make(map[engine.Path][]string),
		asked:     make(map[engine.Path]engine.Seq), resolved: make(map[engine.Path]engine.Seq), retried: make(map[engine.Path]bool),
		rollouts: make(map[engine.Path]*rollout), brakes: make(map[engine.Seq]bool),
	}
	for i, e := range events {
		c.order(i, e)
		c.secrets(e, secrets)
		c.steered(e)
		c.apply(e)
	}
	if c.ended && len(c.locks)+len(c.taskLocks) > 0 {
		c.say("promise 5: the run ended while it holds locks %v %v", c.locks, c.taskLocks)
	}
	return c.problems
}

type checker struct {
	problems  []string
	last      engine.Seq
	ended     bool
	locks     []string
	taskLocks map[engine.Path][]string
	open      map[engine.Path]engine.AttemptStarted
	unknown   map[string]bool // attempts that a person was asked about and has not answered
	gated     map[engine.Path]bool
	approvals map[string]*approval
	stopped   bool // by a person: from here on only `always` begins
	asked     map[engine.Path]engine.Seq
	lacks     []string                   // secrets that a restart has lost
	resolved  map[engine.Path]engine.Seq // where a person chose to retry
	retried   map[engine.Path]bool       // a person has its latest attempt go again, and it has not
	paused    bool                       // by a person
	lingers   engine.RunStatus           // as what it will end, once only its end is left
	rollouts  map[engine.Path]*rollout   // by the path of the rolling task
	brakes    map[engine.Seq]bool        // words that wait and want the run to stand still
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
		if holds(data, s) {
			c.say("promise 6: event %d (%s) contains a secret", e.Seq, e.Kind())
		}
	}
}

// holds reports whether JSON holds a secret, or a line of it that is not short.
func holds(data []byte, secret string) bool {
	const short = 6
	for i, part := range append([]string{secret}, strings.Split(secret, "\n")...) {
		inside, err := json.Marshal(part)
		if err != nil || i > 0 && len(part) < short {
			continue
		}
		if bytes.Contains(data, []byte(part)) || bytes.Contains(data, inside[1:len(inside)-1]) {
			return true
		}
	}
	return false
}

func (c *checker) apply(e engine.Event) {
	switch p := e.Payload.(type) {
	case engine.LocksRequested:
		c.locks = append(c.locks, p.Locks...)
	case engine.LocksReleased:
		c.locks = nil
	case engine.TaskLocksRequested:
		c.taskLocks[p.Path] = p.Locks
	case engine.TaskLocksReleased:
		delete(c.taskLocks, p.Path)
	case engine.SecretsNeeded:
		c.lacks = p.Names
	case engine.SecretsGiven:
		c.lacks = slices.DeleteFunc(slices.Clone(c.lacks), func(n string) bool { return slices.Contains(p.Names, n) })
	case engine.TaskBegun:
		c.gated[p.Path] = p.Gated != "" && !p.EachWave // that asks before each wave
		c.rollout(p.Path).gated = p.Gated != ""
	case engine.ApprovalAsked, engine.ApprovalGiven, engine.ApprovalDenied, engine.ApprovalExpired, engine.ApprovalVoided,
		engine.ApprovalTakenBack, engine.ApprovalReminded, engine.Posted:
		c.approval(e)
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
		c.stopped = c.stopped || p.Choice == engine.ResolveAbort && p.Path.Root() != "always"
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

func (c *checker) start(seq engine.Seq, at time.Time, p engine.AttemptStarted) {
	if c.ended {
		c.say("promise 1: event %d starts %s after the run ended", seq, p.Path)
	}
	if c.stopped && p.Path.Root() != "always" {
		c.say("promise 7: event %d starts %s after a person stopped the run", seq, p.Path)
	}
	if len(c.lacks) > 0 && !c.stopped && p.Key != "" {
		c.say("promise 4: event %d starts %s without the secrets %v, which were not given again", seq, p.Path, c.lacks)
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
	c.undecided()
	for p := range c.open {
		c.say("promise 1: event %d ends the run while %s has no outcome", seq, p)
	}
}
