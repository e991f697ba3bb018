package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// stepsMessage is the reply for steps that have ended, mostly one.
func (b *Bot) stepsMessage(run *engine.Run, paths []engine.Path) message {
	d := newDrawing()
	var text []string
	for _, p := range paths {
		s := run.Steps[p]
		if s == nil {
			continue
		}
		d.within(maxCharacters/len(paths), func() { d.step(s, max(maxOutput/len(paths), 2)) })
		text = append(text, taskMark(s.Status)+" "+oneLine(s.Description)+": "+oneLine(s.Message))
	}
	return message{text: fallback(strings.Join(text, "\n")), blocks: d.done(run.ID)}
}

// within draws with at most that much room, so that what comes after has some too.
func (d *drawing) within(room int, draw func()) {
	room = min(room, d.room)
	kept := d.room - room
	d.room = room
	draw()
	d.room += kept
}

// step draws a step with so many lines of its notes.
func (d *drawing) step(s *engine.Step, notes int) {
	leaves := []slack.RichTextSectionElement{
		d.leaf(taskMark(s.Status)+" ", false), d.leaf(cutTo(cleanText(oneLine(s.Description)), 200), true), d.leaf(stepFacts(s), false),
	}
	if s.Message != "" {
		leaves = append(leaves, d.leaf("\n"+cutTo(cleanText(s.Message), 600), false))
	}
	d.rich(slack.NewRichTextSection(leaves...))
	at := s.Last()
	if at == nil || at.Outcome == nil {
		return
	}
	for _, group := range []struct {
		name  string
		nodes []string
	}{{"failed", at.Outcome.Result.FailedNodes}, {"silent", at.Outcome.Result.SilentNodes}} {
		if len(group.nodes) > 0 {
			d.rich(slack.NewRichTextSection(d.leaf(fmt.Sprintf("%d %s: %s", len(group.nodes), group.name, cutTo(cleanText(oneLine(strings.Join(group.nodes, ", "))), 400)), false)))
		}
	}
	d.preformatted(cleanText(tail(at.Outcome.Notes, notes)))
	if child := at.Outcome.Result.Child; child != "" {
		d.rich(slack.NewRichTextSection(d.leaf("started run ", false), slack.NewRichTextSectionTextElement(child.Short(), &slack.RichTextSectionTextStyle{Code: true})))
	}
}

// leaf is literal text.
func (d *drawing) leaf(text string, bold bool) *slack.RichTextSectionTextElement {
	text = d.fit(text, maxSection)
	if text == "" {
		text = " " // Slack refuses an empty leaf
	}
	var style *slack.RichTextSectionTextStyle
	if bold {
		style = &slack.RichTextSectionTextStyle{Bold: true}
	}
	return slack.NewRichTextSectionTextElement(text, style)
}

// stepFacts are how long a step took, on which try it ended, and on how many nodes.
func stepFacts(s *engine.Step) string {
	var facts []string
	if at := s.Last(); at != nil {
		facts = append(facts, commands.Took(s.Ended.Sub(s.Attempts[0].At))) // without the wait for an approval
		if len(s.Attempts) > 1 {
			facts = append(facts, fmt.Sprintf("attempt %d of %d", len(s.Attempts), s.Tries))
		}
		if o := at.Outcome; o != nil {
			if all := len(o.Result.OKNodes) + len(o.Result.FailedNodes) + len(o.Result.SilentNodes); all > 0 {
				facts = append(facts, fmt.Sprintf("%d of %d nodes ok", len(o.Result.OKNodes), all))
			}
		}
	}
	switch s.Status {
	case engine.TaskTolerated, engine.TaskSkippedOver, engine.TaskDenied, engine.TaskCancelled:
		facts = append(facts, string(s.Status))
	case engine.TaskOK, engine.TaskFailed, engine.TaskPending, engine.TaskRunning, engine.TaskWaiting:
	}
	if len(facts) == 0 {
		return ""
	}
	return " — " + strings.Join(facts, ", ")
}

// tail is the end of a list of lines, which are cut where they are long.
func tail(lines []string, most int) string {
	if n := len(lines); n > most {
		lines = append([]string{fmt.Sprintf("… %d earlier lines", n-most)}, lines[n-most:]...)
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = cutTo(l, 300)
	}
	return strings.Join(out, "\n")
}

// endMessage says how a run ended.
func (b *Bot) endMessage(run *engine.Run) message {
	d := newDrawing()
	name := run.Requested.Playbook.Name
	leaves := []slack.RichTextSectionElement{
		d.leaf(runMark(run.Status)+" ", false), d.leaf(name, true),
		d.leaf(fmt.Sprintf(" %s after %s", run.Status, commands.Took(run.Ended.Sub(run.At).Round(time.Millisecond))), false),
	}
	if run.Message != "" {
		leaves = append(leaves, d.leaf("\n"+cutTo(cleanText(run.Message), 1500), false))
	}
	if mentionable(run.Requested.Actor) && run.Status == engine.RunFailed {
		leaves = append(leaves, d.leaf("\n", false), slack.NewRichTextSectionUserElement(run.Requested.Actor.User, nil))
	}
	d.rich(slack.NewRichTextSection(leaves...))
	d.context("run " + run.ID.Short())
	text := fmt.Sprintf("%s %s %s: %s", name, run.ID.Short(), run.Status, run.Message)
	return message{text: fallback(text), blocks: d.done(run.ID)}
}
