package commands

import (
	"context"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) withdrawVerb() verb {
	return verb{
		name: "withdraw", aliases: []string{"unapprove"}, form: "withdraw RUN[.GATE] [REASON]",
		summary: "take your approval back, until its step starts; one for the rest of the run covers nothing further then",
		flags:   reasonFlag(), run: c.withdraw,
	}
}

func (c *Commands) withdraw(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.withdrawVerb()
	run, number, used, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return Reply{}, err
	}
	d := engine.Decision{Run: run.ID, Actor: q.Actor}
	if number > 0 {
		if number > len(run.Approvals) {
			return Reply{}, engine.Errorf(engine.CodeNotFound, "run %s has no gate %d; it has %s", run.ID.Short(), number, plural(len(run.Approvals), "gate"))
		}
		d.Approval = run.Approvals[number-1].Approval
	}
	if d.Reason, err = a.reason(used, v); err != nil {
		return Reply{}, err
	}
	return c.withdrawn(ctx, d)
}

func (c *Commands) withdrawn(ctx context.Context, d engine.Decision) (Reply, error) {
	if err := c.engine.TakeBack(ctx, d); err != nil {
		return Reply{}, &runError{run: d.Run, err: err}
	}
	return done(d.Run, plain("You took your approval back; it opens nothing any more. ")), nil
}

func (c *Commands) pressWithdraw(ctx context.Context, p Press) (Reply, error) {
	parts, ok := taken(p.Value, 2)
	if !ok {
		return Reply{}, stale()
	}
	run, err := c.loadVisible(ctx, p.Actor, engine.RunID(parts[0]))
	if err != nil {
		return Reply{}, err
	}
	return c.withdrawn(ctx, engine.Decision{Run: run.ID, Approval: parts[1], Actor: p.Actor, Reason: p.Reason})
}

// regrets adds a button to the answer to a yes that waits for others: the step does not start meanwhile.
func (c *Commands) regrets(ctx context.Context, r Reply, d engine.Decision) Reply {
	run, err := c.engine.Load(ctx, d.Run)
	if err != nil {
		return r // the yes is written down; the line to type is in the help
	}
	if a, ok := run.Approval(d.Approval); ok && a.State == engine.ApprovalPending {
		r.Blocks = append(r.Blocks, Buttons{Items: []Button{{Label: "Take it back", Action: ActionWithdraw, Value: join(string(d.Run), d.Approval)}}})
	}
	return r
}
