package bot

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// References of messages that ask: under these names the run keeps where they stand.
func approvalRef(id string) string { return "approval/" + id }

// unknownRefs is how the references of all unknown attempts begin.
const unknownRefs = "unknown/"

func unknownRef(p engine.Path, attempt int) string {
	return fmt.Sprintf("%s%s/%d", unknownRefs, p, attempt)
}

// question is the message of a question, or of the record of its answer.
type question struct {
	message message
	open    bool
}

// question draws a question, or the record of its answer; false when the reference names none.
func (b *Bot) question(run *engine.Run, ref string) (question, bool) {
	kind, rest, _ := strings.Cut(ref, "/")
	switch kind {
	case "approval":
		if a, ok := run.Approval(rest); ok {
			return question{b.approvalMessage(run, a), a.State == engine.ApprovalPending}, true
		}
	case "unknown":
		path, number, _ := strings.Cut(rest, "/")
		attempt, err := strconv.Atoi(number)
		step := run.Steps[engine.Path(path)]
		if err == nil && step != nil {
			for i := range step.Attempts {
				if at := &step.Attempts[i]; at.Attempt == attempt {
					return question{unknownMessage(run, step, at), unanswered(step, at)}, true
				}
			}
		}
	}
	return question{}, false
}

// unanswered reports whether a person is still to say what became of an attempt.
func unanswered(s *engine.Step, at *engine.Attempt) bool {
	return at.Resolved == nil && s.Ended.IsZero()
}

// approvalMessage shows exactly what an approval covers, in a layout that nothing in a playbook can
// change, and who may give it.
func (b *Bot) approvalMessage(run *engine.Run, a *engine.Approval) message {
	d := newDrawing()
	step := run.Steps[a.Path]
	ref := run.Requested.Playbook
	pending := a.State == engine.ApprovalPending
	if pending {
		d.markup(fmt.Sprintf("✋ *Approval needed* from %s", b.askedPeople(run)))
	} else {
		d.approvalRecord(a)
		d.literal(oneLine(a.Why), 600)
	}
	if step != nil {
		d.literal(oneLine(step.Description), 400)
	}
	d.literal(oneLine(fmt.Sprintf("%s %s, asked by %s", ref.Name, ref.Version, run.Requested.Actor.Label())), 300)
	d.lines(commands.Covered(step, a), maxSealed)
	if len(a.Grown) > 0 {
		d.literal(fmt.Sprintf("Appeared since the run began, and not touched by it: %s", commands.FirstNodes(a.Grown)), 800)
	}
	if pending {
		d.buttons(commands.ApprovalButtons(run.ID, a.Approval))
	}
	foot := fmt.Sprintf("gate %s.%d · seal %.12s", run.ID.Short(), a.Number, a.Digest)
	if pending {
		foot += " · expires " + a.Expires.UTC().Format("15:04:05 UTC")
	}
	d.context(foot)
	text := fmt.Sprintf("Approval needed for %s %s", ref.Name, run.ID.Short())
	if !pending {
		text = fmt.Sprintf("%s %s: %s", ref.Name, run.ID.Short(), a.Outcome())
	}
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// approvalRecord says who decided what, and when.
func (d *drawing) approvalRecord(a *engine.Approval) {
	at := a.When.UTC().Format("2006-01-02 15:04:05 UTC")
	switch a.State {
	case engine.ApprovalGranted, engine.ApprovalUsed:
		d.naming("✅ Approved by ", a.By, " at "+at)
	case engine.ApprovalRefused:
		d.naming("⛔ Denied by ", a.By, " at "+at)
	case engine.ApprovalTimedOut:
		d.markup("⌛ Nobody approved in time; expired at " + at)
	case engine.ApprovalPending, engine.ApprovalWithdrawn:
		d.markup("🚫 Taken back at " + at)
	}
}

// unknownMessage asks what became of an attempt that was cut off, or says what a person answered.
func unknownMessage(run *engine.Run, step *engine.Step, at *engine.Attempt) message {
	d := newDrawing()
	switch {
	case at.Resolved != nil:
		d.naming("✔️ ", at.Resolved.Actor, fmt.Sprintf(" chose *%s* at %s", at.Resolved.Choice, at.EndedAt.UTC().Format("2006-01-02 15:04:05 UTC")))
	case unanswered(step, at):
		d.naming("❓ *Did this happen?* playbot was stopped in the middle of it. Look at the nodes, ", run.Requested.Actor, ", then choose.")
	default:
		d.markup("🚫 Nobody said whether this happened, and the run is over")
	}
	d.literal(fmt.Sprintf("%s, attempt %d, started %s", cutTo(oneLine(step.Description), 400), at.Attempt, at.At.UTC().Format("15:04:05 UTC")), 600)
	if len(at.Nodes) > 0 {
		d.literal(fmt.Sprintf("It was sent to %d: %s", len(at.Nodes), commands.FirstNodes(at.Nodes)), 1500)
	}
	if unanswered(step, at) {
		d.buttons(commands.ResolveButtons(run.ID, step.Path, at.Attempt))
	}
	d.context("run " + run.ID.Short())
	return message{text: fallback("Did this happen? " + oneLine(step.Description)), blocks: d.done(run.ID)}
}
