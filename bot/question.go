package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
	moved   bool // it is not as it was asked: some of several people have answered
}

// question draws a question, or the record of its answer; false when the reference names none.
func (b *Bot) question(run *engine.Run, ref string) (question, bool) {
	kind, rest, _ := strings.Cut(ref, "/")
	switch kind {
	case "approval":
		if a, ok := run.Approval(rest); ok {
			return question{b.approvalMessage(run, a, b.compared(run.ID)), a.State == engine.ApprovalPending, changed(a)}, true
		}
	case "pause":
		if p := pauseOf(run, rest); p != nil {
			return question{pauseMessage(run, p), lasts(run, p), true}, true
		}
	case "step":
		if s := run.Steps[engine.Path(strings.TrimSuffix(rest, "/"))]; s != nil && s.Ended.IsZero() {
			return question{runningMessage(run, s, b.progress(run.ID), time.Now()), true, true}, true
		} else if s != nil {
			return question{message: b.stepsMessage(run, []engine.Path{s.Path})}, true
		}
	case "unknown":
		path, number, _ := strings.Cut(rest, "/")
		attempt, err := strconv.Atoi(number)
		step := run.Steps[engine.Path(path)]
		if err == nil && step != nil {
			for i := range step.Attempts {
				if at := &step.Attempts[i]; at.Attempt == attempt {
					return question{message: unknownMessage(run, step, at), open: unanswered(step, at)}, true
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
func (b *Bot) approvalMessage(run *engine.Run, a *engine.Approval, differs []string) message {
	d := newDrawing()
	step := run.Steps[a.Path]
	ref := run.Requested.Playbook
	pending := a.State == engine.ApprovalPending
	if pending {
		d.markup(fmt.Sprintf("✋ *%s* from %s", needed(a), b.askedPeople(run, a)))
	} else {
		d.approvalRecord(run, a)
	}
	d.approvalWords(a)
	d.naming("Asked by ", run.Requested.Actor, "")
	d.literal(oneLine(fmt.Sprintf("playbook %s %s", ref.Name, ref.Version)), 300)
	d.lines(differs, maxDiffers)
	d.lines(covered(step, a), maxSealed)
	if step != nil { // what its author wrote is no fact about it
		d.literal("In the words of the playbook: “"+cutTo(oneLine(step.Description), 380)+"”"+strings.TrimSuffix(commands.WhichWaves(a), ","), 430)
	}
	if asks := commands.Asks(a); asks != "" {
		d.literal("This gate "+asks, 600)
	}
	if len(a.Grown) > 0 {
		d.literal(fmt.Sprintf("Appeared since the run began, and not touched by it: %s", commands.FirstNodes(a.Grown)), 800)
	}
	if text := commands.Uncompared(a); text != "" && pending {
		d.literal("⚠️ It asks although "+oneLine(text), 800)
	}
	if pending {
		d.buttons(commands.ApprovalButtons(run.ID, a))
		if less := commands.GrantLess(run.ID, a); less != "" {
			d.context(less)
		}
	}
	foot := fmt.Sprintf("gate %s.%d · seal %.12s", run.ID.Short(), a.Number, a.Digest)
	if pending {
		foot += " · expires " + a.DeadlineIfPosted(time.Now()).UTC().Format("15:04:05 UTC")
	}
	d.context(foot)
	text := fmt.Sprintf("%s for %s %s", needed(a), ref.Name, run.ID.Short())
	if !pending {
		text = fmt.Sprintf("%s %s: %s", ref.Name, run.ID.Short(), a.Outcome())
	}
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// covered is what an approval lets happen, with each node named once: most tasks are given the nodes that
// they touch.
func covered(step *engine.Step, a *engine.Approval) []string {
	lines := commands.Covered(step, a)
	given, _ := a.Sealed["nodes"].([]any)
	same := slices.EqualFunc(given, a.Nodes, func(v any, name string) bool { return v == name })
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "touches ") })
	if !same || at < 0 {
		return lines
	}
	if !namesAll(lines[at], a.Nodes) {
		names := commands.NodeNames(a.Nodes, maxSealed/3)
		if strings.HasSuffix(names, " more") { // nobody is to approve what was cut
			lines[at] = fmt.Sprintf("touches %d, listed as nodes below", len(a.Nodes))
			return lines
		}
		lines[at] = fmt.Sprintf("touches %d: %s", len(a.Nodes), names)
	}
	return slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "nodes: ") })
}

// needed says how many approvals a gate still needs.
func needed(a *engine.Approval) string {
	switch n := a.Missing(); {
	case len(a.Given) > 0 && n == 1:
		return "1 more approval needed"
	case len(a.Given) > 0:
		return fmt.Sprintf("%d more approvals needed", n)
	case n > 1:
		return fmt.Sprintf("%d approvals needed", n)
	}
	return "Approval needed"
}

// reach says how an approval hangs together with the others of its run.
func reach(run *engine.Run, a *engine.Approval) string {
	if root, ok := run.Approval(a.Rests); ok {
		return fmt.Sprintf(", with the rest of the run at gate %s.%d", run.ID.Short(), root.Number)
	}
	if l := a.Limit(); !l.IsZero() {
		return ", " + l.String()
	}
	if a.MayRest() {
		return ", for the rest of the run too"
	}
	return ""
}

// approvalWords says who has said yes where that is not the whole answer, and the reasons people gave.
func (d *drawing) approvalWords(a *engine.Approval) {
	if a.State != engine.ApprovalGranted && a.State != engine.ApprovalUsed {
		d.literal(oneLine(a.Why), 600)
		if len(a.Given) > 0 {
			d.namingAll(fmt.Sprintf("✅ Approved by %d of %d: ", len(a.People()), a.Needs()), a.People(), "")
		}
	}
	d.takenBack(a)
	d.literal(oneLine(commands.Grants(a)), 600)
	d.literal(oneLine(commands.Yeses(a)), 600)
}

// approvalRecord says who decided what, and when.
func (d *drawing) approvalRecord(run *engine.Run, a *engine.Approval) {
	at := stamp(a.When)
	switch a.State {
	case engine.ApprovalGranted, engine.ApprovalUsed:
		d.namingAll("✅ Approved by ", a.People(), " at "+at+reach(run, a))
	case engine.ApprovalRefused:
		d.naming("⛔ Denied by ", a.By, " at "+at)
	case engine.ApprovalTimedOut:
		who := "Nobody"
		if n := len(a.People()); n > 0 {
			who = fmt.Sprintf("Only %d of %d", n, a.Needs())
		}
		d.markup("⌛ " + who + " approved in time; expired at " + at)
	case engine.ApprovalPending, engine.ApprovalWithdrawn:
		d.markup("🚫 Taken back at " + at)
	}
}

// unknownMessage asks what became of an attempt that was cut off, or says what a person answered.
func unknownMessage(run *engine.Run, step *engine.Step, at *engine.Attempt) message {
	d := newDrawing()
	switch {
	case at.Resolved != nil:
		d.naming("✔️ ", at.Resolved.Actor, fmt.Sprintf(" chose *%s* at %s", at.Resolved.Choice, stamp(at.EndedAt)))
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
