package enginetest

import (
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// rollout is a rolling task as far as its waves got, and what people said about the next ones.
type rollout struct {
	gated   bool
	waves   []engine.WaveStarted
	ended   time.Time // the latest task of a wave
	sent    int       // the wave that a person sent on
	pace    engine.WavesSlowed
	stopped bool
}

func (c *checker) rollout(p engine.Path) *rollout {
	r := c.rollouts[p]
	if r == nil {
		r = &rollout{}
		c.rollouts[p] = r
	}
	return r
}

// steered checks that what a person said about how the run goes on holds from then on.
func (c *checker) steered(e engine.Event) {
	c.brake(e)
	switch p := e.Payload.(type) {
	case engine.RunPaused:
		c.paused = true
		for _, r := range c.rollouts { // what was sent on and has not begun waits again
			r.sent = 0
		}
	case engine.RunResumed, engine.CancelRequested:
		c.paused = false
	case engine.RunLingers:
		c.lingers = p.Status
	case engine.RunEnded:
		if c.lingers != "" && p.Status != c.lingers {
			c.say("promise 8: event %d ends the run as %s, and it was to be %s when it only waited for its end", e.Seq, p.Status, c.lingers)
		}
	case engine.RunHeld:
		c.held(e.Seq)
	case engine.WaveSentOn:
		c.rollout(p.Path).sent = p.Wave
	case engine.WavesSlowed:
		c.rollout(p.Path).pace = p
	case engine.WavesStopped:
		c.rollout(p.Path).stopped = true
	case engine.WaveStarted:
		c.wave(e, p)
	case engine.TaskBegun:
		c.began(e.Seq, p.Path)
	case engine.TaskSkipped:
		c.began(e.Seq, p.Path)
	case engine.AttemptStarted:
		if c.keeps(p.Path) && (p.Attempt == 1 || c.retried[p.Path]) && p.Key != "" {
			c.say("promise 8: event %d starts %s in a run that is paused", e.Seq, p.Path)
		}
		c.retried[p.Path] = false
	case engine.AttemptResolved:
		c.retried[p.Path] = p.Choice == engine.ResolveRetry
	case engine.ApprovalAsked:
		if c.paused && !c.stopped && !c.sentOn(p.Path, p.Wave) {
			c.say("promise 8: event %d asks about %s in a run that is paused", e.Seq, p.Path)
		}
	case engine.ApprovalExpired:
		if a := c.approvals[p.Approval]; a != nil && c.paused && !c.stopped && !c.sentOn(a.asked.Path, a.asked.Wave) {
			c.say("promise 8: event %d ends a question about %s in a run that is paused", e.Seq, a.asked.Path)
		}
	case engine.TaskEnded:
		if owner, _, ok := p.Path.InWave(); ok {
			c.rollout(owner).ended = e.Time
		}
	default: // the rest steers nothing and is not steered
	}
}

// brake checks that nothing begins, and no question ends, while who wants the run to stand still is looked up: they were answered that it does not.
func (c *checker) brake(e engine.Event) {
	begins := false
	switch p := e.Payload.(type) {
	case engine.WordGiven:
		switch p.Fact.(type) {
		case engine.RunPaused, engine.WavesStopped, engine.CancelRequested:
			c.brakes[e.Seq] = true
		default: // the rest brakes nothing
		}
	case engine.WordWeighed:
		delete(c.brakes, p.Word)
	case engine.TaskBegun, engine.TaskSkipped, engine.WaveStarted, engine.ApprovalAsked, engine.ApprovalExpired:
		begins = true
	case engine.AttemptStarted:
		begins = p.Key != "" // else it failed before it began
	default: // the rest begins nothing
	}
	if begins && len(c.brakes) > 0 {
		c.say("promise 8: event %d (%s) comes while a person is looked up who wants the run to stand still", e.Seq, e.Kind())
	}
}

// keeps reports whether a pause keeps a task from its begin.
func (c *checker) keeps(p engine.Path) bool {
	return c.paused && !c.stopped && p.List() == p.Root() && slices.Contains([]string{"pre_book", "tasks", "on_success"}, p.Root())
}

// sentOn reports whether a question is about a wave that a person let start in spite of a pause, or about what
// has to end before it.
func (c *checker) sentOn(p engine.Path, wave int) bool {
	if owner, n, ok := p.InWave(); ok {
		p, wave = owner, n
	}
	return 0 < wave && wave <= c.rollout(p).sent
}

func (c *checker) held(seq engine.Seq) {
	if !c.paused {
		c.say("promise 8: event %d holds a run that nobody paused", seq)
	}
	for p := range c.open {
		c.say("promise 8: event %d says that the run stands still, and %s is under way", seq, p)
	}
}

// began checks that a task may begin: that of a wave only in the wave that started last.
func (c *checker) began(seq engine.Seq, p engine.Path) {
	if c.keeps(p) {
		c.say("promise 8: event %d begins %s in a run that is paused", seq, p)
	}
	owner, n, inWave := p.InWave()
	if inWave && n != len(c.rollout(owner).waves) {
		c.say("promise 8: event %d begins %s, and wave %d is the one that started last", seq, p, len(c.rollout(owner).waves))
	}
}

// wave checks that a wave starts once, after the one before, with nodes of its own, and as people said.
func (c *checker) wave(e engine.Event, p engine.WaveStarted) {
	r := c.rollout(p.Path)
	if p.Wave != len(r.waves)+1 || len(p.Nodes) == 0 {
		c.say("promise 8: event %d starts wave %d of %s with %v after %d waves", e.Seq, p.Wave, p.Path, p.Nodes, len(r.waves))
	}
	for _, before := range r.waves {
		if slices.ContainsFunc(p.Nodes, func(n string) bool { return slices.Contains(before.Nodes, n) }) {
			c.say("promise 8: event %d starts wave %d of %s with %v, and wave %d had some of them", e.Seq, p.Wave, p.Path, p.Nodes, before.Wave)
		}
	}
	for open := range c.open {
		if strings.HasPrefix(string(open), string(p.Path)+".wave") {
			c.say("promise 8: event %d starts wave %d of %s while %s is under way", e.Seq, p.Wave, p.Path, open)
		}
	}
	sent := r.sent == p.Wave
	switch {
	case r.stopped:
		c.say("promise 8: event %d starts wave %d of %s, whose waves were stopped", e.Seq, p.Wave, p.Path)
	case c.paused && !sent && !c.stopped && p.Path.Root() != "always":
		c.say("promise 8: event %d starts wave %d of %s in a run that is paused", e.Seq, p.Wave, p.Path)
	case r.pace.Size > 0 && len(p.Nodes) > r.pace.Size:
		c.say("promise 8: event %d starts wave %d of %s with %d nodes, and at most %d may be in one", e.Seq, p.Wave, p.Path, len(p.Nodes), r.pace.Size)
	case len(r.waves) > 0 && !sent && e.Time.Before(r.ended.Add(r.pace.Every)):
		c.say("promise 8: event %d starts wave %d of %s %s after the one before, and %s is the least", e.Seq, p.Wave, p.Path, e.Time.Sub(r.ended), r.pace.Every)
	}
	if r.gated {
		c.waveGate(e, p, r)
	}
	r.waves = append(r.waves, p)
}

// waveGate checks that a wave has an approval of its nodes, in time, and for no less.
func (c *checker) waveGate(e engine.Event, p engine.WaveStarted, r *rollout) {
	a, ok := c.approvals[p.Approval]
	if !ok || len(a.given) == 0 || a.over || a.missing() > 0 || a.asked.Path != p.Path {
		c.say("promise 4: event %d starts wave %d of %s without an approval of it", e.Seq, p.Wave, p.Path)
		return
	}
	waves, nodes := 1, len(p.Nodes)
	for _, before := range r.waves {
		if before.Approval == p.Approval {
			waves, nodes = waves+1, nodes+len(before.Nodes)
		}
	}
	if !within(a.asked.Nodes, p.Nodes) {
		c.say("promise 4: event %d starts wave %d of %s with %v, and approved was %v", e.Seq, p.Wave, p.Path, p.Nodes, a.asked.Nodes)
	}
	if !a.used && e.Time.After(a.at.Add(useWithin)) {
		c.say("promise 4: event %d starts wave %d of %s on an approval that is %s old", e.Seq, p.Wave, p.Path, e.Time.Sub(a.at))
	}
	for _, g := range a.given {
		if l := g.Limit; l.Waves > 0 && waves > l.Waves || l.Nodes > 0 && nodes > l.Nodes {
			c.say("promise 4: event %d starts wave %d of %s, the %d. with %d nodes in all on an approval by %s %s", e.Seq, p.Wave, p.Path, waves, nodes, g.Actor.Label(), l)
		}
	}
	c.until(e.Seq, e.Time, p.Path, a)
	a.used = true
}

// until checks that nothing begins on an approval whose time is over.
func (c *checker) until(seq engine.Seq, at time.Time, p engine.Path, a *approval) {
	for _, g := range a.given {
		if u := g.Limit.Until; !u.IsZero() && !at.Before(u) {
			c.say("promise 4: event %d begins %s at %s on an approval that %s gave until %s", seq, p, at, g.Actor.Label(), u)
		}
	}
}
