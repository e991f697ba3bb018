package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// ending says how a run ended, to somebody who was not there: what happened, to how many nodes, who had
// approved it, and what there is to do now.
func ending(run *engine.Run, book *playbooks.Playbook) message {
	d := newDrawing()
	culprit := culprit(run)
	leaves := []slack.RichTextSectionElement{
		d.leaf(runMark(run.Status)+" ", false), d.leaf(run.Requested.Playbook.Name, true),
		d.leaf(fmt.Sprintf(" %s after %s", run.Status, commands.Took(run.Ended.Sub(run.At).Round(time.Millisecond))), false),
	}
	if culprit == nil || run.Status == engine.RunSuccess {
		if run.Message != "" {
			leaves = append(leaves, d.leaf("\n"+cutTo(cleanText(run.Message), maxEnding), false))
		}
		d.rich(slack.NewRichTextSection(leaves...))
	} else {
		leaves = append(leaves, d.leaf(", at "+whereIn(culprit, book)+": ", false), d.leaf(stepName(culprit, maxStepName), true))
		if text := whatHappened(run, culprit); text != "" {
			leaves = append(leaves, d.leaf("\n"+cutTo(cleanText(text), maxEnding), false))
		}
		d.rich(slack.NewRichTextSection(leaves...))
		if at := culprit.Last(); at != nil && at.Outcome != nil && culprit.Result == nil {
			d.preformatted(strings.Join(answerLines(commands.AnswersOf(at.Outcome), "", maxEndingLines), "\n"))
		}
	}
	d.facts(endingFacts(run, book, culprit))
	if mentionable(run.Requested.Actor) && run.Status == engine.RunFailed {
		d.rich(slack.NewRichTextSection(slack.NewRichTextSectionUserElement(run.Requested.Actor.User, nil)))
	}
	d.context("run " + run.ID.Short())
	text := fmt.Sprintf("%s %s %s: %s", run.Requested.Playbook.Name, run.ID.Short(), run.Status, run.Message)
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

const (
	maxEnding      = 1500 // characters of what happened
	maxEndingLines = 10   // lines of what nodes said
	maxFact        = 400  // characters of each fact below
	maxAgain       = 600  // characters of the line that runs it again; a longer one nobody copies
)

// culprit is the step for which a run did not succeed: the first one that did not pass.
func culprit(run *engine.Run) *engine.Step {
	if s := run.Steps[run.Failed]; s != nil {
		return s
	}
	for _, p := range run.Order {
		s := run.Steps[p]
		if _, _, wave := p.InWave(); !wave && !s.Ended.IsZero() && !s.Status.Passed() {
			return s
		}
	}
	return nil
}

// whereIn says which of the steps of a playbook a step is, "step 8 of 12"; one of a hook list by the name of that.
func whereIn(s *engine.Step, book *playbooks.Playbook) string {
	parts := strings.Split(string(s.Path), ".")
	n, err := strconv.Atoi(parts[min(1, len(parts)-1)])
	if err != nil || parts[0] != "tasks" {
		return "a step of " + parts[0]
	}
	if all := len(book.Tasks); all > 0 {
		return fmt.Sprintf("step %d of %d", n, all)
	}
	return fmt.Sprintf("step %d", n)
}

// whatHappened is the sentence about the step that a run ended at: counts first.
func whatHappened(run *engine.Run, s *engine.Step) string {
	count, rest := counted(s)
	if run.Status == engine.RunCancelled && rest == "stopped: the run was cancelled" { // which is said already
		rest = ""
	}
	var parts []string
	if count != "" {
		parts = append(parts, count)
		if at := s.Last(); at != nil && at.Outcome != nil && s.Result == nil {
			parts = append(parts, commands.AnswersOf(at.Outcome).Odd()...)
		}
	}
	text := strings.Join(parts, ", ")
	if rest != "" {
		text = strings.TrimPrefix(text+"; "+rest, "; ")
	}
	if run.Status == engine.RunCancelled && run.Message != "" {
		text = strings.TrimSuffix(run.Message+"\n"+text, "\n")
	}
	return text
}

// fact is a line of an ending, with what can be typed in it.
type fact struct{ label, text, code, after string }

func (d *drawing) facts(list []fact) {
	var leaves []slack.RichTextSectionElement
	for i, f := range list {
		label := f.label + ": "
		if i > 0 {
			label = "\n" + label
		}
		leaves = append(leaves, d.leaf(label, true))
		if f.text != "" {
			leaves = append(leaves, d.leaf(cleanText(f.text), false))
		}
		if f.code != "" {
			leaves = append(leaves, slack.NewRichTextSectionTextElement(d.fit(cleanText(f.code), maxSection), &slack.RichTextSectionTextStyle{Code: true}), d.leaf(f.after, false))
		}
	}
	d.rich(slack.NewRichTextSection(leaves...))
}

func endingFacts(run *engine.Run, book *playbooks.Playbook, culprit *engine.Step) []fact {
	out := []fact{{label: "Nodes", text: touchedText(run)}}
	if text := approvedText(run); text != "" {
		out = append(out, fact{label: "Approved", text: text})
	}
	if text := toleratedText(run); text != "" {
		out = append(out, fact{label: "Tolerated", text: text})
	}
	if run.Status == engine.RunSuccess {
		return out
	}
	if text := afterwards(run, culprit); text != "" {
		out = append(out, fact{label: "Afterwards", text: text})
	}
	if text := notBegun(run, book); text != "" {
		out = append(out, fact{label: "Not begun", text: text})
	}
	return append(out, nextFacts(run)...)
}

// touchedText says on how many nodes a run may have changed something.
func touchedText(run *engine.Run) string {
	var changed, asked []string
	for _, p := range run.Order {
		for i := range run.Steps[p].Attempts {
			a := &run.Steps[p].Attempts[i]
			if a.Effect == engine.ReadOnly {
				asked = append(asked, a.Nodes...)
			} else {
				changed = append(changed, a.Nodes...)
			}
		}
	}
	changed, asked = distinct(changed), distinct(asked)
	switch {
	case len(changed) > 0:
		return fmt.Sprintf("this run acted on %s: %s", plural(len(changed), "node"), commands.NodeNames(changed, maxNames))
	case len(asked) > 0:
		return fmt.Sprintf("this run changed nothing on any node; it only looked at %d", len(asked))
	}
	return "this run asked no node for anything"
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// approvedText says who approved which of the steps that have begun.
func approvedText(run *engine.Run) string {
	steps := map[string][]string{} // by who approved them
	var order []string
	for _, a := range run.Approvals {
		s := run.Steps[a.Path]
		if a.State != engine.ApprovalUsed || s == nil {
			continue
		}
		who, step := names(a.People()), strconv.Quote(stepName(s, 60))
		if steps[who] == nil {
			order = append(order, who)
		}
		if !slices.Contains(steps[who], step) { // it may be asked about each wave of a step
			steps[who] = append(steps[who], step)
		}
	}
	for i, who := range order {
		order[i] = fmt.Sprintf("by %s: %s", who, listed(steps[who], ", ", "step"))
	}
	return listed(order, "; ", "approval")
}

func names(people []engine.Actor) string {
	out := make([]string, len(people))
	for i, a := range people {
		out[i] = cutTo(oneLine(a.Label()), 40)
	}
	return strings.Join(out, " and ")
}

// toleratedText names the steps that failed and were let pass.
func toleratedText(run *engine.Run) string {
	var parts []string
	for _, p := range run.Order {
		if s := run.Steps[p]; s.Status == engine.TaskTolerated {
			parts = append(parts, fmt.Sprintf("%q failed, and the playbook goes on without it", stepName(s, 60)))
		}
	}
	return listed(parts, "; ", "step")
}

// afterwards says what ran after the step that a run ended at.
func afterwards(run *engine.Run, culprit *engine.Step) string {
	if culprit == nil {
		return ""
	}
	var parts []string
	for _, p := range run.Order[slices.Index(run.Order, culprit.Path)+1:] {
		if s := run.Steps[p]; p.Root() != culprit.Path.Root() && !s.Ended.IsZero() {
			text := taskMark(s.Status) + " " + stepName(s, 60)
			if at := s.Last(); at != nil && at.Outcome != nil && s.Result == nil {
				if odd := commands.AnswersOf(at.Outcome).Odd(); len(odd) > 0 {
					text += " (" + strings.Join(odd, ", ") + ")"
				}
			}
			parts = append(parts, text)
		}
	}
	return listed(parts, "; ", "step")
}

// notBegun names the main steps that a run did not come to.
func notBegun(run *engine.Run, book *playbooks.Playbook) string {
	var parts []string
	for i := range book.Tasks {
		if run.Steps[engine.Path(fmt.Sprintf("tasks.%d", i+1))] == nil {
			parts = append(parts, cutTo(oneLine(preview(&book.Tasks[i], run)), 60))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %s", plural(len(parts), "step"), listed(parts, "; ", "step"))
}

// nextFacts say what a person can do about a run that did not succeed. The run that another one started is
// for that one to start again.
func nextFacts(run *engine.Run) []fact {
	out := []fact{{
		label: "Look", text: "Log on the card has everything that was said; ", code: "/playbook show " + run.ID.Short(), after: " has every attempt",
	}}
	if run.Requested.Parent != nil {
		return out
	}
	again := fact{label: "Again", code: commands.Again(run), after: " starts it from its first step"}
	if len(run.Requested.Secrets) > 0 {
		again.after += "; its secrets have to be given again"
	}
	if utf8.RuneCountInString(again.code) > maxAgain {
		again.code, again.after = "/playbook run "+run.Requested.Playbook.Name+" …", " with the inputs that the card shows starts it from its first step"
	}
	return append(out, again)
}

// listed joins parts as long as there is room, and counts the rest.
func listed(parts []string, separator, noun string) string {
	room := maxFact
	for i, p := range parts {
		if room -= utf8.RuneCountInString(p) + 2; room < 0 && i > 0 {
			return strings.Join(parts[:i], separator) + " and " + plural(len(parts)-i, "more "+noun)
		}
	}
	return strings.Join(parts, separator)
}
