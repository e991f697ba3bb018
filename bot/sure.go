package bot

import (
	"context"

	"github.com/playbot/playbot/engine"
)

// sure looks whether the questions of runs are still there, by editing them as they are, and asks those anew whose
// message is gone.
func (b *Bot) sure(ctx context.Context, runs []engine.RunID) {
	for _, id := range runs {
		run, err := b.opts.Runs.Load(ctx, id)
		if err == nil {
			err = b.thread.painter.sure(ctx, run)
		}
		if err != nil && ctx.Err() == nil {
			b.logger.WarnContext(ctx, "question not looked for", "run", id, "error", err)
		}
	}
}

func (p *painter) sure(ctx context.Context, run *engine.Run) error {
	b := p.thread.bot
	ref, open := openQuestion(run)
	at, posted := run.Posts[ref]
	if !open || !posted {
		return nil // what was never posted is about to be
	}
	b.compare(ctx, run, ref)
	q, ok := b.question(run, ref)
	if !ok || !p.budget.take(ctx) {
		return context.Cause(ctx)
	}
	err := b.update(ctx, run, at, q.message)
	if lostAt(err) {
		p.thread.replace(ctx, run, ref, at, refused(err), nil) // with buttons of its own: those of the lost one do not count
		return nil
	}
	return err
}

// openQuestion is the question that a run waits at.
func openQuestion(run *engine.Run) (ref string, ok bool) {
	if a := run.Pending(); a != nil {
		return a.Ref(), true
	}
	if s := run.Unknown(); s != nil {
		return unknownRef(s.Path, s.Last().Attempt), true
	}
	return "", false
}
