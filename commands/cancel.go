package commands

import (
	"context"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) cancelVerb() verb {
	return verb{
		name: "cancel", aliases: []string{"abort", "kill"}, form: "cancel RUN [REASON]",
		summary: "stop a run; what belongs to `always` still happens", run: c.cancel,
		flags: reasonFlag(),
	}
}

func (c *Commands) cancel(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.cancelVerb()
	run, gate, used, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return Reply{}, err
	}
	if gate > 0 {
		return Reply{}, engine.Errorf(engine.CodeInvalid, "%s.%d is one gate, and cancel stops a whole run, so nothing was done; `deny %s.%d` refuses the gate, `cancel %s` stops the run",
			run.ID.Short(), gate, run.ID.Short(), gate, run.ID.Short())
	}
	reason, err := a.reason(used, v)
	if err != nil {
		return Reply{}, err
	}
	return c.cancelled(ctx, run.ID, q.Actor, reason)
}

func (c *Commands) cancelled(ctx context.Context, id engine.RunID, who engine.Actor, reason string) (Reply, error) {
	if err := c.engine.Cancel(ctx, id, who, reason); err != nil {
		return Reply{}, &runError{run: id, err: err}
	}
	return done(id, plain("Cancelling: what is under way is cut off, then the "), code("always"), plain(" tasks run. ")), nil
}

// reason is what stands behind the run: --reason, or plain words.
func (a args) reason(used int, v verb) (string, error) {
	if len(a.sets) > 0 {
		return "", wrong(a.sets[0].col, "%s takes no %s=…; put a reason with = into double quotes", v.name, a.sets[0].name)
	}
	words := a.rest(used)
	given, ok := a.flag("reason")
	if ok && words != "" {
		return "", wrong(a.words[used].col, "the reason is given twice, as words and as --reason; give it once")
	}
	if ok {
		return given, nil
	}
	return words, nil
}
