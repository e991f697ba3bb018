package bot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// cardMessage draws the card of a run: one message that always shows how it stands. It has classic
// blocks only, because it has a button: what Slack sends back with a click must be readable by every
// version of the client library.
func (b *Bot) cardMessage(ctx context.Context, run *engine.Run, channel string) message {
	return card(run, b.bookOf(ctx, run), cardFrame{approvers: b.askedPeople(run, run.Pending()), label: b.opts.Label, channel: channel, now: time.Now()})
}

// bookOf is the playbook of a run in the version that it runs; an empty one when that is gone.
func (b *Bot) bookOf(ctx context.Context, run *engine.Run) *playbooks.Playbook {
	book, err := b.opts.Runs.Book(ctx, run.Requested.Playbook)
	if err != nil {
		b.logger.WarnContext(ctx, "drawn without the steps to come", "run", run.ID, "error", err)
		return &playbooks.Playbook{}
	}
	return book
}

// cardFrame is what a card shows besides its run.
type cardFrame struct {
	approvers string // mentions of who may approve
	label     string // of this installation
	channel   string // where the card stands
	now       time.Time
}

// card is a pure function of what it is given.
func card(run *engine.Run, book *playbooks.Playbook, f cardFrame) message {
	d := newDrawing()
	name := run.Requested.Playbook.Name
	d.header(fmt.Sprintf("%s %s — %s", runMark(run.Status), name, run.Status))
	d.naming("Asked by ", run.Requested.Actor, fmt.Sprintf(" · run `%s`%s", run.ID.Short(), parentage(run)))
	d.literal(inputsLine(run), 1500)
	d.lines(targets(run), maxTargets)
	lines, now := steps(run, book)
	d.lines(window(lines, now, maxSteps), maxSteps+200)
	if run.Message != "" {
		d.literal(cardEnd(run), 1200)
	}
	if lost := commands.LostSecrets(run); lost != "" {
		d.literal("✋ "+lost, 600)
	}
	d.steering(run)
	if w := run.Awaits; w != nil {
		d.literal(fmt.Sprintf("⏳ Waiting for the lock %s, held by %s (%s) since %s", w.Lock, w.Holder.Run.Short(), w.Holder.Who, w.Holder.Since.UTC().Format("15:04:05 UTC")), 600)
	} else if w := run.AwaitsNodes; w != nil {
		d.literal(fmt.Sprintf("⏳ Waiting for %s since %s", commands.Waiting(w), w.Holder.Since.UTC().Format("15:04:05 UTC")), 600)
	} else if a := run.Pending(); a != nil {
		d.markup("✋ Waiting for " + f.approvers)
		if p := a.Progress(); p != "" {
			d.literal("Approved so far: "+p, 400)
		}
	} else if !run.Status.Final() && run.Unknown() != nil {
		d.markup("✋ Waiting for a person; see the thread")
	} else if text := cmp.Or(commands.Comparing(run), commands.Lingering(run)); text != "" {
		d.literal("⏳ "+oneLine(text), 600)
	}
	d.buttons(commands.CardButtons(run))
	if from := run.Requested.Actor.Channel; from != f.channel && isID(from) {
		d.markup(elsewhere(from))
	}
	d.context(cardFoot(run, f))
	text := fmt.Sprintf("%s %s %s: %s", runMark(run.Status), name, run.ID.Short(), run.Status)
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// elsewhere says why a card does not stand where its run was asked for.
func elsewhere(channel string) string {
	if strings.HasPrefix(channel, "D") {
		return "Asked for in a direct conversation, where I may not post."
	}
	return "Asked for in <#" + channel + ">, where I may not post. Invite me there to see its runs there."
}

func cardFoot(run *engine.Run, f cardFrame) string {
	foot := []string{"requested " + stamp(run.At)}
	if v := run.Requested.Playbook.Version; v != "" {
		foot = append(foot, "version "+v)
	}
	if !run.Ended.IsZero() {
		foot = append(foot, "took "+commands.Took(run.Ended.Sub(run.At)))
	} else if so := f.now.Sub(run.At).Round(time.Second); so > 0 { // as of this edit
		foot = append(foot, commands.Took(so)+" so far")
	}
	if run.Cancel != nil && !strings.HasPrefix(run.Message, "cancelled by ") { // in the end the message says it, with the reason
		foot = append(foot, "being cancelled by "+cutTo(oneLine(run.Cancel.Actor.Label()), 80))
	}
	if f.label != "" {
		foot = append(foot, f.label)
	}
	return strings.Join(foot, " · ")
}

func parentage(run *engine.Run) string {
	if p := run.Requested.Parent; p != nil {
		return fmt.Sprintf(" · started by run `%s`", p.Run.Short())
	}
	return ""
}

func inputsLine(run *engine.Run) string {
	parts := make([]string, 0, len(run.Requested.Inputs))
	for _, name := range slices.Sorted(maps.Keys(run.Requested.Inputs)) {
		parts = append(parts, fmt.Sprintf("%s=%s", name, cutTo(oneLine(fmt.Sprint(run.Requested.Inputs[name])), 120)))
	}
	return strings.Join(parts, "  ")
}
