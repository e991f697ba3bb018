package bot

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

const (
	// vigilEvery is how often it is looked whether the questions that wait for people are still there. Slack
	// tells of deleted messages only to those who want to hear of every message.
	vigilEvery = 5 * time.Minute
	// maxVigil bounds how many are looked at in a round: chat.getPermalink allows hundreds of calls a minute.
	maxVigil = 100
)

// vigil has questions asked again that somebody has deleted, until closing ends. What it asks
// again is posted under ctx.
func (t *thread) vigil(ctx, closing context.Context) {
	tick := time.NewTicker(vigilEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.lookAfter(ctx, closing)
		case <-closing.Done():
			return
		}
	}
}

// lookAfter looks once at each question that waits.
func (t *thread) lookAfter(ctx, closing context.Context) {
	ids, err := t.bot.opts.Feed.Unfinished(ctx)
	if err != nil {
		t.bot.logger.WarnContext(ctx, "questions that wait cannot be listed", "error", err)
		return
	}
	left := maxVigil
	for _, id := range ids {
		run, err := t.bot.opts.Runs.Load(ctx, id)
		if err != nil {
			continue // drawing it will say so
		}
		for _, ref := range slices.Sorted(maps.Keys(run.Posts)) {
			if strings.HasPrefix(ref, stepRefs) { // nobody is asked there, and an edit finds out
				continue
			}
			if q, ok := t.bot.safeQuestion(run, ref); !ok || !q.open {
				continue
			}
			if left--; left < 0 || closing.Err() != nil || !t.isThere(ctx, run, ref) {
				return
			}
		}
	}
}

// isThere looks at one question, and has it asked again when it is gone. It reports false when Slack does not
// answer now.
func (t *thread) isThere(ctx context.Context, run *engine.Run, ref string) bool {
	at := run.Posts[ref]
	err := once(ctx, func(ctx context.Context) error {
		_, err := t.bot.api.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: at.Channel, Ts: at.TS})
		return err
	})
	if name := refused(err); name == "message_not_found" || name == "channel_not_found" {
		t.replace(ctx, run, ref, at, name, nil)
		return true
	}
	_, later := postponed(err)
	return !later && ctx.Err() == nil
}
