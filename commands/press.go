package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine"
)

// Press answers a button. It never fails: what went wrong is in the reply.
func (c *Commands) Press(ctx context.Context, p Press) Reply {
	r, err := c.press(ctx, p)
	if err != nil {
		r = c.refuse(ctx, p.Key, err)
	}
	if r.Run == "" {
		r.Run = p.run()
	}
	return r
}

// run is the run that a button belongs to; empty when it belongs to none.
func (p Press) run() engine.RunID {
	id, _, _ := strings.Cut(p.Value, valueSeparator)
	if len(id) != idLength || p.Action == ActionSuggest || p.Action == ActionForm {
		return ""
	}
	return engine.RunID(id)
}

func (c *Commands) press(ctx context.Context, p Press) (Reply, error) {
	if err := c.admit(ctx, p.Actor, string(p.Action)); err != nil {
		return Reply{}, err
	}
	switch p.Action {
	case ActionApprove, ActionRest, ActionFirst, ActionLess, ActionDeny:
		return c.pressGate(ctx, p)
	case ActionWithdraw:
		return c.pressWithdraw(ctx, p)
	case ActionRetry, ActionMarkDone, ActionMarkFailed, ActionAbort:
		return c.pressResolve(ctx, p)
	case ActionCancel, ActionShow:
		return c.pressRun(ctx, p)
	case ActionPause, ActionResume:
		return c.pressHold(ctx, p)
	case ActionNext, ActionStop:
		return c.pressWaves(ctx, p)
	case ActionSecrets:
		return c.pressSecrets(ctx, p)
	case ActionForm:
		return c.pressForm(ctx, p)
	case ActionLog: // whoever draws shows it: here are only words
		return c.pressRun(ctx, p)
	case ActionSuggest:
		return Reply{Private: true, Blocks: []Block{say("Copy this line, change what is wrong, and send it:"), Preformatted{Text: p.Value}}}, nil
	}
	return Reply{}, stale()
}

// stale answers a button that this version of playbot does not know.
func stale() error {
	return engine.Errorf(engine.CodeInvalid, "this button is from another version of playbot, and nothing was done; `status` shows what is under way")
}

func (c *Commands) pressGate(ctx context.Context, p Press) (Reply, error) {
	parts, ok := taken(p.Value, 2)
	if !ok {
		return Reply{}, stale()
	}
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	if a, counts := run.Pressed(parts[1]); a != nil {
		if err := pending(run, a); err != nil {
			return Reply{}, err
		}
		if !counts {
			return Reply{}, reissued(run, a)
		}
		parts[1] = a.Approval
		if f := pressNeedsForm(run, a, p); f != nil {
			return c.askWhy(ctx, p.Actor, run, a, f)
		}
	}
	d := engine.Decision{Run: run.ID, Approval: parts[1], Actor: p.Actor, Reason: p.Reason, Rest: p.Action == ActionRest}
	if p.Action == ActionDeny {
		return c.denied(ctx, d)
	}
	if p.Action == ActionFirst {
		d.Limit.Waves = 1
	}
	return c.approved(ctx, d)
}

func (c *Commands) pressRun(ctx context.Context, p Press) (Reply, error) {
	parts, ok := taken(p.Value, 1)
	if !ok {
		return Reply{}, stale()
	}
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	if p.Action == ActionCancel {
		return c.cancelled(ctx, run.ID, p.Actor, "")
	}
	r := c.detail(ctx, p.Actor, run)
	r.Private = true
	return r, nil
}

// pressHold answers the buttons that hold a run and let it go on.
func (c *Commands) pressHold(ctx context.Context, p Press) (Reply, error) {
	parts, ok := taken(p.Value, 1)
	if !ok {
		return Reply{}, stale()
	}
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	s := engine.Steering{Run: run.ID, Actor: p.Actor, Reason: p.Reason}
	if p.Action == ActionPause {
		return c.paused(ctx, s)
	}
	return c.resumed(ctx, s)
}

// pressWaves answers the buttons about waves. They name the task, and that of a wave the wave, so that one
// pressed late, or twice, is about no other.
func (c *Commands) pressWaves(ctx context.Context, p Press) (Reply, error) {
	parts := strings.Split(p.Value, valueSeparator)
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	want := 2
	if p.Action == ActionNext {
		want = 3
	}
	if len(parts) != want {
		return Reply{}, taskless(run)
	}
	s := engine.Steering{Run: run.ID, Task: engine.Path(parts[1]), Actor: p.Actor, Reason: p.Reason}
	if p.Action == ActionStop {
		return c.stopped(ctx, s)
	}
	wave, err := strconv.Atoi(parts[2])
	if err != nil || wave < 1 {
		return Reply{}, stale()
	}
	return c.sentOn(ctx, s, wave)
}

// taskless answers a button of waves from before such buttons named their task.
func taskless(run *engine.Run) error {
	now := "no wave is to come"
	if wave := wavesToCome(run); wave > 0 {
		now = fmt.Sprintf("wave %d of %q is next, and `next %s` and `stop %s` are about it", wave, short(run.Rolling().Description, 80), run.ID.Short(), run.ID.Short())
	}
	return engine.Errorf(engine.CodeInvalid, "this button is from an older playbot and does not say which waves it is about, so nothing was done; %s", now)
}

// resolved says what a choice does.
func resolved(r engine.Resolution) string {
	switch r {
	case engine.ResolveRetry:
		return "retry: the step starts again, after a new approval if it needs one"
	case engine.ResolveDone:
		return "done: the step counts as done, and the run goes on"
	case engine.ResolveFailed:
		return "failed: the step counts as failed"
	case engine.ResolveAbort:
		return "abort: the run ends here, and only its always tasks run"
	}
	return string(r)
}

func (c *Commands) pressResolve(ctx context.Context, p Press) (Reply, error) {
	parts, ok := taken(p.Value, 3)
	if !ok {
		return Reply{}, stale()
	}
	attempt, err := strconv.Atoi(parts[2])
	if err != nil {
		return Reply{}, stale()
	}
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	choice := map[Action]engine.Resolution{
		ActionRetry: engine.ResolveRetry, ActionMarkDone: engine.ResolveDone,
		ActionMarkFailed: engine.ResolveFailed, ActionAbort: engine.ResolveAbort,
	}[p.Action]
	err = c.engine.Resolve(ctx, engine.Answer{Run: run.ID, Path: engine.Path(parts[1]), Attempt: attempt, Choice: choice, Actor: p.Actor})
	if err != nil {
		return Reply{}, &runError{run: run.ID, err: err}
	}
	return done(run.ID, plain("You chose %s. ", resolved(choice))), nil
}
