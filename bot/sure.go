package bot

import (
	"context"

	"github.com/playbot/playbot/engine"
)

// sure looks whether the questions of runs are still there, by editing them as they are, and asks those anew whose
// message is gone.
func (b *Bot) sure(ctx context.Context, runs []engine.RunID) {
	for _, id := range runs {
		if err := b.thread.painter.sure(ctx, id); err != nil && ctx.Err() == nil {
			b.logger.WarnContext(ctx, "question not looked for", "run", id, "error", err)
		}
	}
}

func (p *painter) sure(ctx context.Context, id engine.RunID) error {
	b := p.thread.bot
	if !p.budget.take(ctx) { // before looking: what is drawn is not to be old when it is written
		return context.Cause(ctx)
	}
	run, err := b.opts.Runs.Load(ctx, id)
	if err != nil {
		return err
	}
	ref, open := openQuestion(run)
	at, posted := run.Posts[ref]
	if !open || !posted {
		return nil // what was never posted is about to be
	}
	b.compare(ctx, run, ref)
	q, ok := b.safeQuestion(run, ref)
	if !ok {
		return nil
	}
	err = b.update(ctx, run, at, q.message)
	if lostAt(err) {
		p.thread.replace(ctx, run, ref, at, refused(err), nil) // with buttons of its own: those of the lost one do not count
		return nil
	}
	if now, loaded := b.opts.Runs.Load(ctx, id); loaded != nil || !stillOpen(now, ref) {
		p.repair(id) // it was answered meanwhile, and the record may have been written over
	}
	return err
}

// stillOpen reports whether a run waits at that question.
func stillOpen(run *engine.Run, ref string) bool {
	now, open := openQuestion(run)
	return open && now == ref
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
