package bot

import (
	"context"

	"github.com/playbot/playbot/engine"
)

// remember keeps whose card stands where.
func (b *Bot) remember(p engine.Place, run engine.RunID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cards[p] = run
}

// runAt is the run whose card stands there; empty when none does.
func (b *Bot) runAt(ctx context.Context, p engine.Place) engine.RunID {
	if p.TS == "" {
		return ""
	}
	if run := b.remembered(p); run != "" {
		return run
	}
	b.recall(ctx)
	return b.remembered(p)
}

func (b *Bot) remembered(p engine.Place) engine.RunID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cards[p]
}

// recall looks, once, for the cards of before this process in the log. Only who speaks in the thread
// of an old run waits for that; starting up does not.
func (b *Bot) recall(ctx context.Context) {
	b.looking.Lock()
	defer b.looking.Unlock()
	if b.looked {
		return
	}
	for after, until := engine.Pos(0), b.thread.beganAt(); after < until; {
		events, err := b.opts.Feed.Since(ctx, after, page)
		if err != nil {
			b.logger.WarnContext(ctx, "old cards cannot be looked for", "error", err)
			return
		}
		if len(events) == 0 {
			break
		}
		for _, ev := range events {
			after = ev.Pos
			run, ok := ev.Stream.Run()
			if at, announced := ev.Payload.(engine.Announced); ok && announced {
				b.remember(at.Place, run)
			}
		}
	}
	b.looked = true
}
