package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// changed reports whether a gate is not as it was asked, though it may still wait.
func changed(a *engine.Approval) bool {
	return len(a.Given)+len(a.Taken) > 0 || !a.Escalated.IsZero() || a.PostedAt.Sub(a.At) > time.Minute // it has more time than it said
}

// takenBack says who took their yes back, and why.
func (d *drawing) takenBack(a *engine.Approval) {
	for _, t := range a.Taken {
		what := "the approval"
		if t.Rest {
			what = "the approval of the rest"
		}
		d.naming("↩️ ", t.Actor, fmt.Sprintf(" took %s back at %s", what, stamp(t.At)))
		d.literal(oneLine(t.Reason), 600)
	}
}

// remind asks people again about a gate that still waits, and the second circle when it is their turn.
func (t *thread) remind(ctx context.Context, l *lane, run *engine.Run, p engine.ApprovalReminded, pos engine.Pos) (bool, error) {
	a, ok := run.Approval(p.Approval)
	if !ok || a.State != engine.ApprovalPending || t.wasTold(ctx, run.ID, pos) {
		return false, nil
	}
	return true, t.reply(ctx, l, run, t.bot.reminder(run, a, p.Escalated))
}

// reminder is what people are told about a gate that still waits.
func (b *Bot) reminder(run *engine.Run, a *engine.Approval, escalated bool) message {
	d := newDrawing()
	name := fmt.Sprintf("%s.%d", run.ID.Short(), a.Number)
	first := *a
	first.Escalated = time.Time{} // the first circle alone
	if escalated {
		first.From = a.Second
		d.markup(fmt.Sprintf("⏰ *Nobody has decided yet*, so now it is asked from %s too", b.askedPeople(run, &first)))
	} else {
		d.markup(fmt.Sprintf("⏰ *Still waiting* for %s", b.askedPeople(run, &first)))
	}
	until := a.Deadline().UTC().Format("15:04:05 UTC")
	what := name
	if s := run.Steps[a.Path]; s != nil {
		what = cutTo(oneLine(s.Description), 380) + strings.TrimSuffix(commands.WhichWaves(a), ",")
	}
	d.literal(fmt.Sprintf("%s: %s. Without it the step is denied at %s", what, lower(needed(a)), until), 600)
	d.context("gate " + name + " · the buttons are at the question above")
	return message{text: fallback(fmt.Sprintf("%s %s still waits: %s until %s", run.Requested.Playbook.Name, run.ID.Short(), lower(needed(a)), until)), blocks: d.done(run.ID)}
}

// lower begins a sentence in the middle of another one.
func lower(text string) string { return strings.ToLower(text[:1]) + text[1:] }
