package bot

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// panicked is a panic that became an error.
type panicked struct {
	value any
	stack []byte
}

// Error implements error.
func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guard does something, and makes an error of a panic: a mistake in a drawing costs that drawing.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{value: p, stack: debug.Stack()}
		}
	}()
	return do()
}

// safely draws a message, and a plain one when that goes wrong.
func (b *Bot) safely(run *engine.Run, what string, draw func() message) message {
	m := message{}
	err := guard(func() error { m = draw(); return nil })
	if err != nil {
		b.blame(run.ID, err)
		return plainMessage(run, what)
	}
	return m
}

// blame writes a mistake in a drawing down.
func (b *Bot) blame(run engine.RunID, err error) {
	b.logger.Error("a message cannot be drawn; showing a plain one", "run", run, "error", err, "stack", stackOf(err))
}

// stackOf is where a panic happened that became an error.
func stackOf(err error) string {
	if p, ok := err.(*panicked); ok { //nolint:errorlint // guard does not wrap it
		return string(p.stack)
	}
	return ""
}

// plainMessage says in one line what cannot be shown better, and where the rest is.
func plainMessage(run *engine.Run, what string) message {
	text := fmt.Sprintf("%s %s: %s. This could not be drawn; `playbot history show %s` has all of it.",
		cutTo(oneLine(cleanText(run.Requested.Playbook.Name)), 100), run.ID.Short(), cutTo(oneLine(cleanText(what)), 300), run.ID.Short())
	return message{text: fallback(text), blocks: []slack.Block{slack.NewSectionBlock(plainText(text), nil, nil)}}
}

// cardAt is the card of a run as it is to stand in a place; a place without ts is one that is yet to be.
func (b *Bot) cardAt(ctx context.Context, run *engine.Run, channel string, at engine.Place) message {
	m := b.safely(run, string(run.Status), func() message { return b.cardMessage(ctx, run, channel) })
	if note := b.earlierCard(run, at); note != "" && len(m.blocks) <= maxBlocks {
		m.blocks = append(m.blocks, slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, note, false, true)))
	}
	return m
}

// earlierCard links the card that another one took the place of; empty when there was none.
func (b *Bot) earlierCard(run *engine.Run, at engine.Place) string {
	var before engine.Place
	for _, p := range run.Places {
		if p == at {
			break
		}
		before = p
	}
	if before.TS == "" {
		return ""
	}
	what := "an earlier card"
	if base := b.workspaceURL; base != "" && isChannelID(before.Channel) && strings.Trim(before.TS, "0123456789.") == "" {
		what = fmt.Sprintf("<%sarchives/%s/p%s|an earlier card>", base, before.Channel, strings.ReplaceAll(before.TS, ".", ""))
	}
	return "This takes the place of " + what + ", which was deleted or can no longer be written to. Only the buttons below this one count."
}

// safeQuestion is question, and never fails to say how to answer.
func (b *Bot) safeQuestion(run *engine.Run, ref string) (q question, ok bool) {
	err := guard(func() error { q, ok = b.question(run, ref); return nil })
	if err == nil {
		return q, ok
	}
	b.blame(run.ID, err)
	q = question{message: plainMessage(run, "a question was answered"), moved: true}
	if a := run.Pending(); a != nil && ref == approvalRef(a.Approval) {
		q.open = true
		q.message = plainMessage(run, fmt.Sprintf("a step waits for an approval; `/playbook approve %[1]s.%[2]d` or `/playbook deny %[1]s.%[2]d` decides, `/playbook show %[1]s` shows it", run.ID.Short(), a.Number))
	} else if s := run.Unknown(); s != nil && strings.HasPrefix(ref, unknownRefs) {
		q.open = true
		q.message = plainMessage(run, "a step was cut off, and somebody has to say whether it happened; the Home tab of playbot has the buttons")
	} else if s := run.Steps[engine.Path(strings.TrimSuffix(strings.TrimPrefix(ref, stepRefs), "/"))]; s != nil && strings.HasPrefix(ref, stepRefs) {
		q.open = s.Ended.IsZero()
		q.message = plainMessage(run, "a step: "+string(s.Status))
	} else if lost := commands.LostSecrets(run); lost != "" {
		q.message = plainMessage(run, lost)
	}
	return q, true
}
