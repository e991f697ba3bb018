package bot

import (
	"context"
	"slices"

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

// send posts a message.
func (b *Bot) send(ctx context.Context, channel, thread string, m message) error {
	return call(ctx, func(ctx context.Context) error {
		_, err := b.postOnce(ctx, channel, m, inThread(thread))
		return err
	})
}

func inThread(ts string) []slack.MsgOption {
	if ts == "" {
		return nil
	}
	return []slack.MsgOption{slack.MsgOptionTS(ts)}
}

// deliver is send for what must not get lost: see [Bot.insist]. It returns where the message stands.
func (b *Bot) deliver(ctx context.Context, channel, thread string, m message, more ...slack.MsgOption) (engine.Place, error) {
	more = append(more, inThread(thread)...)
	var place engine.Place
	err := b.insist(ctx, func(ctx context.Context) (err error) {
		place, err = b.postOnce(ctx, channel, m, more)
		return err
	})
	return place, err
}

func (b *Bot) postOnce(ctx context.Context, channel string, m message, more []slack.MsgOption) (engine.Place, error) {
	ch, ts, err := b.api.PostMessageContext(ctx, channel, options(m, more...)...)
	return engine.Place{Channel: ch, TS: ts}, err
}

// update edits a message, however long that takes: see [Bot.insist].
func (b *Bot) update(ctx context.Context, at engine.Place, m message) error {
	return b.insist(ctx, func(ctx context.Context) error {
		_, _, _, err := b.api.UpdateMessageContext(ctx, at.Channel, at.TS, options(m)...)
		return err
	})
}

// unreachable reports whether an error says that the bot may not post in a channel.
func unreachable(err error) bool {
	return slices.Contains([]string{
		"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "posting_to_general_channel_denied",
	}, refused(err))
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
