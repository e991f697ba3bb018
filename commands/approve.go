package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) approveVerb() verb {
	return verb{
		name: "approve", form: "approve RUN[.GATE] [first-wave] [nodes=N] [until=15:00] [REASON]", run: c.approve,
		summary: "let a run that waits go on; with `first-wave`, `waves=`, `nodes=` or `until=` (UTC) for less than it asks, and it asks again",
		flags: []flag{
			{name: "reason", value: "TEXT", about: "why, for the record"},
			{name: "rest", about: "the later gates of the run too, where its playbook lets you"},
		},
	}
}

func (c *Commands) denyVerb() verb {
	return verb{
		name: "deny", aliases: []string{"reject"}, form: "deny RUN[.GATE] REASON", summary: "refuse what a run waits for", run: c.deny,
		flags: reasonFlag(),
	}
}

func (c *Commands) approve(ctx context.Context, q Request, a args) (Reply, error) {
	d, err := c.decision(ctx, q, a, c.approveVerb(), true)
	if err != nil {
		return Reply{}, err
	}
	_, d.Rest = a.flag("rest")
	if f, run, gate := c.lacksReason(ctx, q, d, true); f != nil {
		return c.askWhy(ctx, q.Actor, run, gate, f)
	}
	return c.approved(ctx, d)
}

func (c *Commands) deny(ctx context.Context, q Request, a args) (Reply, error) {
	d, err := c.decision(ctx, q, a, c.denyVerb(), false)
	if err != nil {
		return Reply{}, err
	}
	if f, run, gate := c.lacksReason(ctx, q, d, false); f != nil {
		return c.askWhy(ctx, q.Actor, run, gate, f)
	}
	return c.denied(ctx, d)
}

// lacksReason is the form that asks for the reason of a typed decision which has none: a no in chat always
// has one, a yes where the gate asks for it. nil when nothing is missing, or the engine is to say so.
func (c *Commands) lacksReason(ctx context.Context, q Request, d engine.Decision, yes bool) (*Form, *engine.Run, *engine.Approval) {
	if q.Origin == engine.OriginTerminal || strings.TrimSpace(d.Reason) != "" || !d.Limit.IsZero() {
		return nil, nil, nil
	}
	run, err := c.engine.Load(ctx, d.Run)
	if err != nil {
		return nil, nil, nil
	}
	a, ok := run.Approval(d.Approval)
	switch {
	case !ok:
		return nil, nil, nil
	case !yes:
		return denyForm(run, a), run, a
	case !a.WantsReason(true):
		return nil, nil, nil
	case d.Rest:
		return approveForm(run, a, ActionRest), run, a
	}
	return approveForm(run, a, ActionApprove), run, a
}

// decision reads which gate is meant, for how much of what it asks where that may be said, and why.
func (c *Commands) decision(ctx context.Context, q Request, a args, v verb, partly bool) (engine.Decision, error) {
	run, number, used, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return engine.Decision{}, err
	}
	gate, err := gateOf(run, number)
	if err != nil {
		return engine.Decision{}, err
	}
	d := engine.Decision{Run: run.ID, Approval: gate.Approval, Actor: q.Actor}
	if partly {
		if d.Limit, a, used, err = readLimit(a, used, v, time.Now()); err != nil {
			return d, err
		}
	}
	d.Reason, err = a.reason(used, v)
	return d, err
}

func (c *Commands) approved(ctx context.Context, d engine.Decision) (Reply, error) {
	if err := c.engine.Approve(ctx, d); err != nil {
		return Reply{}, &runError{run: d.Run, err: err}
	}
	r := done(d.Run, plain("You approved%s", c.andNow(ctx, d)))
	return c.regrets(ctx, r, d), nil
}

// andNow says what follows from a yes: the step, or more people.
func (c *Commands) andNow(ctx context.Context, d engine.Decision) string {
	rest := ""
	switch {
	case d.Rest:
		rest = ", and the later gates of this run that ask no more"
	case !d.Limit.IsZero():
		rest = " " + d.Limit.String()
	}
	run, err := c.engine.Load(ctx, d.Run)
	if err == nil {
		if a, ok := run.Approval(d.Approval); ok && a.State == engine.ApprovalPending {
			return fmt.Sprintf("%s; the step waits for %s. ", rest, plural(a.Missing(), "more approval"))
		}
	}
	return rest + "; the step starts when its nodes have been compared once more. "
}

func (c *Commands) denied(ctx context.Context, d engine.Decision) (Reply, error) {
	if err := c.engine.Deny(ctx, d); err != nil {
		return Reply{}, &runError{run: d.Run, err: err}
	}
	return done(d.Run, plain("You denied; the step is not carried out and counts as failed. ")), nil
}

// done says that a decision about a run was written down, and where to look.
func done(id engine.RunID, spans ...Span) Reply {
	return Reply{Private: true, Run: id, Blocks: []Block{
		paragraph(append(spans, code("/playbook status "+id.Short()), plain(" shows how it goes on."))...),
	}}
}
