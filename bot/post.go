package bot

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// options are what every message of ours is sent with: nothing in it is linked or unfurled, since
// Slack would fetch addresses that are only in the output of a node. The text beside the blocks,
// which notifications show, is no markup either.
func options(m message, more ...slack.MsgOption) []slack.MsgOption {
	return append([]slack.MsgOption{
		slack.MsgOptionText(m.text, false), slack.MsgOptionBlocks(m.blocks...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionDisableMarkdown(),
	}, more...)
}

// post sends a message and logs when that cannot be done.
func (b *Bot) post(ctx context.Context, channel, thread string, m message) {
	if err := b.send(ctx, channel, thread, m); err != nil && ctx.Err() == nil {
		b.logger.WarnContext(ctx, "message not posted", "channel", channel, "error", err)
	}
}

// send posts a message, once: when Slack did not say whether it has it, it is looked for first.
func (b *Bot) send(ctx context.Context, channel, thread string, m message) error {
	at, own := engine.Place{Channel: channel, TS: thread}, tag{Key: "say/" + rand.Text()}
	var unsure time.Time // since when it may be there
	return call(ctx, func(ctx context.Context) error {
		if !unsure.IsZero() {
			there, err := b.standing(ctx, at, unsure)
			if err != nil || slices.ContainsFunc(there, func(m tag) bool { return m.Key == own.Key }) {
				return err
			}
		}
		began := time.Now()
		_, err := b.postAs(ctx, at, own, m)
		if uncertain(err) && unsure.IsZero() {
			unsure = began
		}
		return err
	})
}

func inThread(ts string) []slack.MsgOption {
	if ts == "" {
		return nil
	}
	return []slack.MsgOption{slack.MsgOptionTS(ts)}
}

// postAs posts a message with its mark, below a message or, when the place has no ts, into a channel.
func (b *Bot) postAs(ctx context.Context, at engine.Place, own tag, m message, more ...slack.MsgOption) (engine.Place, error) {
	more = append(more, inThread(at.TS)...)
	channel, ts, posted, err := b.api.PostMessageWithResponseContext(ctx, at.Channel, options(m, append(more, own.option())...)...)
	b.health.answered(ctx, err)
	if err != nil {
		return engine.Place{}, err
	}
	place := engine.Place{Channel: channel, TS: ts}
	if at.TS != "" && posted.ThreadTimestamp == "" { // Slack puts it into the channel when the parent is gone
		b.retract(ctx, place)
		return engine.Place{}, errThreadGone
	}
	return place, nil
}

// retract deletes a message that stands where it should not.
func (b *Bot) retract(ctx context.Context, at engine.Place) {
	err := call(ctx, func(ctx context.Context) error {
		_, _, err := b.api.DeleteMessageContext(ctx, at.Channel, at.TS)
		return err
	})
	if err != nil {
		b.logger.WarnContext(ctx, "message outside of its thread not deleted", "channel", at.Channel, "error", err)
	}
}

// update edits a message of a run. The error is a *postponement when that may be done later.
func (b *Bot) update(ctx context.Context, run *engine.Run, at engine.Place, m message) error {
	edit := func(m message) error {
		return once(ctx, func(ctx context.Context) error {
			_, _, _, err := b.api.UpdateMessageContext(ctx, at.Channel, at.TS, options(m)...)
			b.health.answered(ctx, err)
			return err
		})
	}
	err := edit(m)
	if unsound(err) {
		b.logger.ErrorContext(ctx, "slack refuses a drawing; showing a plain one", "run", run.ID, "error", err)
		err = edit(plainMessage(run, runMark(run.Status)+" "+string(run.Status)))
	}
	return err
}

// Announcement is what a playbook says in a channel.
type Announcement struct {
	Channel string // a name such as "#ops", or an id
	Text    string // shown letter by letter
	Color   string // good, warning and danger become a mark in front; others are left out
	Run     engine.RunID
	Task    string // the description of the task that says it
}

// Post says something for a playbook. It returns when Slack has it.
func (b *Bot) Post(ctx context.Context, a Announcement) error {
	d := newDrawing()
	text := a.Text
	if mark := colorMark(a.Color); mark != "" {
		text = mark + " " + text
	}
	d.rich(slack.NewRichTextSection(d.leaf(cleanText(text), false)))
	d.context(a.Task + " · " + a.Run.Short())
	return b.send(ctx, a.Channel, "", message{text: fallback(text), blocks: d.done(a.Run)})
}

func colorMark(color string) string {
	return map[string]string{"good": "🟢", "warning": "🟠", "danger": "🔴"}[color]
}
