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
	if err := b.update(ctx, at, q.message); refused(err) != "message_not_found" {
		return err
	}
	card, _ := run.Place()
	place, err := b.deliver(ctx, card.Channel, card.TS, q.message)
	if err != nil {
		return err
	}
	return b.opts.Runs.Posted(context.WithoutCancel(ctx), run.ID, ref, place) // from now on only the buttons there count
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
