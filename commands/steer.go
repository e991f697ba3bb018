package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// reasonFlag is that of everything people may give a reason for.
func reasonFlag() []flag {
	return []flag{{name: "reason", value: "TEXT", about: "why, for the record"}}
}

// steers completes a verb about how a run goes on, which takes a run and a reason.
func (c *Commands) steers(v verb, act func(context.Context, engine.Steering) (Reply, error)) verb {
	v.form, v.flags = v.name+" RUN [REASON]", reasonFlag()
	v.run = func(ctx context.Context, q Request, a args) (Reply, error) {
		s, err := c.steering(ctx, q, a, v)
		if err != nil {
			return Reply{}, err
		}
		return act(ctx, s)
	}
	return v
}

func (c *Commands) pauseVerb() verb {
	return c.steers(verb{name: "pause", aliases: []string{"hold"}, summary: "hold a run before its next task or wave; what is under way ends"}, c.paused)
}

func (c *Commands) paused(ctx context.Context, s engine.Steering) (Reply, error) {
	return c.steered(s, c.engine.PauseRun(ctx, s),
		plain("Paused: no further task or wave begins, and nobody is asked. What is under way ends, with its hooks and the runs that it started; what tells of a failure and cleans up is not kept. "), code("/playbook resume "+s.Run.Short()), plain(" lets it go on; "))
}

func (c *Commands) resumeVerb() verb {
	return c.steers(verb{name: "resume", summary: "let a paused run go on"}, c.resumed)
}

func (c *Commands) resumed(ctx context.Context, s engine.Steering) (Reply, error) {
	return c.steered(s, c.engine.ResumeRun(ctx, s), plain("It goes on. "))
}

func (c *Commands) nextVerb() verb {
	return c.steers(verb{name: "next", summary: "start the next wave of a run that is paused or slowed, that one alone"},
		func(ctx context.Context, s engine.Steering) (Reply, error) { return c.sentOn(ctx, s, 0) })
}

// sentOn sends a wave on; 0 is whichever is next.
func (c *Commands) sentOn(ctx context.Context, s engine.Steering, wave int) (Reply, error) {
	return c.steered(s, c.engine.SendOn(ctx, s, wave), plain("The next wave starts as soon as the one before has ended; only a gate can keep it. "))
}

func (c *Commands) stopVerb() verb {
	return c.steers(verb{name: "stop", summary: "start no further wave; the task ends with the wave that is under way"}, c.stopped)
}

func (c *Commands) stopped(ctx context.Context, s engine.Steering) (Reply, error) {
	return c.steered(s, c.engine.StopWaves(ctx, s), plain("No further wave starts; the task ends with the one that is under way. "),
		code("/playbook cancel "+s.Run.Short()), plain(" cuts that off too; "))
}

func (c *Commands) slowVerb() verb {
	return verb{
		name: "slow", form: "slow RUN every=5m [size=NODES] [REASON]", flags: reasonFlag(),
		summary: "set the pause between waves, and how many nodes one has at most; `every=0s` takes both away", run: c.slow,
	}
}

func (c *Commands) slow(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.slowVerb()
	pace, rest, err := readPace(a, v)
	if err != nil {
		return Reply{}, err
	}
	s, err := c.steering(ctx, q, rest, v)
	if err != nil {
		return Reply{}, err
	}
	return c.steered(s, c.engine.SlowWaves(ctx, s, pace), plain("%s. ", upperFirst(pacing(pace.Every, pace.Size))))
}

// steering reads which run is meant, and why.
func (c *Commands) steering(ctx context.Context, q Request, a args, v verb) (engine.Steering, error) {
	run, gate, used, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return engine.Steering{}, err
	}
	if gate > 0 {
		return engine.Steering{}, engine.Errorf(engine.CodeInvalid, "%s.%d is one gate, and %s is about a whole run, so nothing was done; it is written `%s %s`",
			run.ID.Short(), gate, v.name, v.name, run.ID.Short())
	}
	reason, err := a.reason(used, v)
	return engine.Steering{Run: run.ID, Actor: q.Actor, Reason: reason}, err
}

func (c *Commands) steered(s engine.Steering, err error, spans ...Span) (Reply, error) {
	if err != nil {
		return Reply{}, &runError{run: s.Run, err: err}
	}
	return done(s.Run, spans...), nil
}

// readPace takes every= and size= out of what was typed.
func readPace(a args, v verb) (engine.Pace, args, error) {
	var pace engine.Pace
	seen := map[string]bool{}
	for _, w := range a.sets {
		if seen[w.name] {
			return pace, a, wrong(w.col, "%s is given twice; give it once", w.name)
		}
		seen[w.name] = true
		var err error
		switch w.name {
		case "every":
			if pace.Every, err = time.ParseDuration(w.value.text); err != nil {
				pace.Every, err = ParseSpan(w.value.text)
			}
		case "size":
			if pace.Size, err = strconv.Atoi(w.value.text); err != nil || pace.Size < 1 {
				err = fmt.Errorf("%q is not a number of nodes; write 1 or more", Clean(short(w.value.text, 40)))
			}
		default:
			err = fmt.Errorf("%s takes every= and size=, and no %s=; put a reason with = into double quotes", v.name, Clean(short(w.name, 40)))
		}
		if err != nil {
			return pace, a, wrong(w.col, "%s", err)
		}
	}
	if len(seen) == 0 {
		return pace, a, engine.Errorf(engine.CodeInvalid, "say how slow: `%s`; `every=0s` lets the waves follow as planned", v.form)
	}
	a.sets = nil
	return pace, a, nil
}

// pacing says how waves follow each other.
func pacing(every time.Duration, size int) string {
	var parts []string
	if every > 0 {
		parts = append(parts, "a wave starts "+Took(every)+" after the one before has ended, or later")
	}
	if size > 0 {
		parts = append(parts, fmt.Sprintf("a wave has %s at most", plural(size, "node")))
	}
	if len(parts) == 0 {
		return "the waves follow as planned"
	}
	return strings.Join(parts, ", and ")
}

// Said is what somebody said about how a run goes on: who, in words what, and why.
func Said(s engine.Steer) (who engine.Actor, what, why string) {
	who, why = s.By()
	switch p := s.Fact.(type) {
	case engine.RunPaused:
		what = "paused the run"
	case engine.RunResumed:
		what = "resumed the run"
	case engine.WaveSentOn:
		what = fmt.Sprintf("sent wave %d on", p.Wave)
	case engine.WavesSlowed:
		what = "set the pace: " + pacing(p.Every, p.Size)
	case engine.WavesStopped:
		what = "stopped the waves"
	default:
		what = "said something that this version of playbot does not know"
	}
	return who, what, why
}

// Wanted says in words what somebody wanted whose word did not count; said is the kind of the event.
func Wanted(said string) string {
	switch said {
	case engine.CancelRequested{}.Kind():
		return "cancel the run"
	case engine.AttemptResolved{}.Kind():
		return "say what became of an attempt"
	case engine.RunPaused{}.Kind():
		return "pause the run"
	case engine.RunResumed{}.Kind():
		return "resume the run"
	case engine.WaveSentOn{}.Kind():
		return "send the next wave on"
	case engine.WavesSlowed{}.Kind():
		return "set the pace of the waves"
	case engine.WavesStopped{}.Kind():
		return "stop the waves"
	}
	return "say something about the run"
}

// steerList is everything that people said about how a run goes on.
func steerList(run *engine.Run) List {
	var l List
	for _, s := range run.Steers {
		who, what, why := Said(s)
		item := []Span{plain("%s ", s.At.UTC().Format("15:04:05")), mention(who), plain(" %s", what)}
		if why != "" {
			item = append(item, plain(": "), outside(short(why, 200)))
		}
		l.Items = append(l.Items, item)
	}
	return l
}

// Standing says what a paused run waits before, or that something is still under way.
func Standing(run *engine.Run) string {
	h := run.Held()
	switch {
	case h == nil:
		return "what is under way ends first"
	case h.Wave > 0:
		if s := run.Steps[h.Before]; s != nil {
			return fmt.Sprintf("held before wave %d of %d", h.Wave, len(s.Waves()))
		}
	case run.Steps[h.Before] != nil:
		return fmt.Sprintf("held before %q", short(run.Steps[h.Before].Description, 80))
	}
	return "held before its next task"
}

// pausedBlocks say by whom a run is paused, and what lets it go on.
func pausedBlocks(run *engine.Run) []Block {
	p := run.Paused()
	if p == nil {
		return nil
	}
	spans := []Span{plain("Paused by "), mention(p.By), plain(" since %s", stamp(p.At))}
	if p.Why != "" {
		spans = append(spans, plain(": "), outside(short(p.Why, 200)))
	}
	spans = append(spans, plain("; %s. ", Standing(run)), code("/playbook resume "+run.ID.Short()), plain(" lets it go on"))
	if w := wavesToCome(run); w > 0 {
		spans = append(spans, plain(", "), code("/playbook next "+run.ID.Short()), plain(" starts wave %d alone", w))
	}
	return []Block{paragraph(append(spans, plain("."))...)}
}

// wavesToCome is the number of the next wave of the rolling task that is under way; 0 when none is to come.
func wavesToCome(run *engine.Run) int {
	s := run.Rolling()
	if s == nil || s.Rollout.Stop != nil {
		return 0
	}
	if next := len(s.Rollout.Begun) + 1; next <= len(s.Waves()) {
		return next
	}
	return 0
}
