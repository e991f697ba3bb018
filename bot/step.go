package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
		d.within(maxCharacters/len(paths), func() { d.step(run, s, len(paths)) })
		text = append(text, taskMark(s.Status)+" "+stepName(s, maxStepName)+": "+oneLine(s.Message))
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

// stepName is the description of a step, and where it stands when that is not among the tasks themselves.
func stepName(s *engine.Step, most int) string {
	name := cutTo(cleanText(oneLine(s.Description)), most)
	if list := s.Path.Root(); list != "tasks" {
		return list + ": " + name
	}
	if _, n, ok := s.Path.InWave(); ok {
		return fmt.Sprintf("wave %d: %s", n, name)
	}
	return name
}

// step draws a step that shares its message with others, so many together.
func (d *drawing) step(run *engine.Run, s *engine.Step, together int) {
	leaves := []slack.RichTextSectionElement{
		d.leaf(taskMark(s.Status)+" ", false), d.leaf(stepName(s, maxStepName), true),
	}
	if facts := stepFacts(s); facts != "" {
		leaves = append(leaves, d.leaf(facts, false))
	}
	_, message := counted(s)
	if message != "" {
		leaves = append(leaves, d.leaf("\n"+cutTo(cleanText(message), max(maxStepText/together, 600)), false))
	}
	at, notes := s.Last(), max(maxOutput/together, 2)
	ended := at != nil && at.Outcome != nil
	var answers commands.Answers
	if ended {
		answers = commands.AnswersOf(at.Outcome)
	}
	d.rich(slack.NewRichTextSection(leaves...))
	d.preformatted(cleanText(tail(waveLines(run, s), notes)))
	if ended {
		d.preformatted(strings.Join(answerLines(answers, message, max(maxAnswerLines/together, 4)), "\n"))
		d.outcome(at.Outcome, message, notes)
	}
}

// outcome draws what an attempt brought apart from what its nodes said, as far as the message of its step has not said it.
func (d *drawing) outcome(o *engine.AttemptEnded, message string, notes int) {
	d.preformatted(cleanText(tail(telling(o, message), notes)))
	if child := o.Result.Child; child != "" && !strings.Contains(message, child.Short()) {
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
	}
	if count, _ := counted(s); count != "" {
		facts = append(facts, count)
		if at := s.Last(); at != nil && at.Outcome != nil && s.Result == nil {
			facts = append(facts, commands.AnswersOf(at.Outcome).Odd()...)
		}
	}
	switch s.Status {
	case engine.TaskTolerated, engine.TaskSkippedOver, engine.TaskDenied, engine.TaskCancelled:
		if !strings.HasPrefix(s.Message, string(s.Status)) { // "denied by ben" says it with who
			facts = append(facts, string(s.Status))
		}
	case engine.TaskOK, engine.TaskFailed, engine.TaskPending, engine.TaskRunning, engine.TaskWaiting:
	}
	if len(facts) == 0 {
		return ""
	}
	return " — " + strings.Join(facts, ", ")
}

// counted splits the message of a step that acted on nodes into how many did well, which stands
// behind the step's name, and the rest, without what it says of single nodes. A message that does not begin
// with the count stays whole, and the count is that of the outcome.
func counted(s *engine.Step) (count, rest string) {
	rest = strings.TrimSpace(s.Message)
	if s.Result != nil {
		return rolled(s), rest
	}
	r := resultOf(s)
	ok := len(r.OKNodes)
	all := ok + len(r.FailedNodes) + len(r.SilentNodes)
	if all == 0 {
		return "", rest
	}
	if len(r.FailedNodes)+len(r.SilentNodes)+len(r.UnaskedNodes) > 0 {
		rest = withoutAnswers(rest)
	}
	if m := regexp.MustCompile(`^(\d+) of (\d+) (?:nodes )?ok(?:$|[:;,]\s*)`).FindStringSubmatch(rest); m != nil {
		rest = strings.TrimPrefix(rest, m[0])
		if rest == m[1]+" × ok" { // a summary of replies without data
			rest = ""
		}
		return fmt.Sprintf("%s of %s ok", m[1], nodesOf(m[2])), rest
	}
	return fmt.Sprintf("%d of %s ok", ok, nodesOf(strconv.Itoa(all+len(r.UnaskedNodes)))), rest
}

// rolled is how many nodes of all waves of a rolling task did well, failed and were not touched.
func rolled(s *engine.Step) string {
	all := 0
	for _, wave := range s.Waves() {
		all += len(wave)
	}
	if all == 0 {
		return ""
	}
	text := fmt.Sprintf("%d of %s ok", len(s.Result.OKNodes), nodesOf(strconv.Itoa(all)))
	if n := len(s.Result.FailedNodes); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if n := len(s.Result.UnaskedNodes); n > 0 {
		text += fmt.Sprintf(", %d not touched", n)
	}
	return text
}

func nodesOf(n string) string {
	if n == "1" {
		return "1 node"
	}
	return n + " nodes"
}

// namesAll reports whether a text names every one of the nodes.
func namesAll(text string, nodes []string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;:\"\n", r) })
	return !slices.ContainsFunc(nodes, func(n string) bool { return !slices.Contains(words, n) })
}

// tail is the end of a list of lines, which are cut where they are long.
func tail(lines []string, most int) string {
	if n := len(lines); n > most+1 { // a word about one line takes as much room as the line
		lines = append([]string{fmt.Sprintf("… %d earlier lines", n-most)}, lines[n-most:]...)
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = cutTo(l, 300)
	}
	return strings.Join(out, "\n")
}

// lostMessage says which secrets a run waits for after a restart, with the button that gives them.
func lostMessage(run *engine.Run) message {
	d := newDrawing()
	text := commands.LostSecrets(run)
	d.literal("✋ "+text, maxSection)
	if mentionable(run.Requested.Actor) {
		d.naming("", run.Requested.Actor, "")
	}
	d.buttons(commands.SecretsButtons(run))
	d.context("run " + run.ID.Short())
	return message{text: fallback(run.Requested.Playbook.Name + " " + run.ID.Short() + ": " + text), blocks: d.done(run.ID)}
}

// uncomparedMessage says that the nodes of what is next could not be compared, and that it is tried again.
func uncomparedMessage(run *engine.Run, u *engine.NodesUncompared) message {
	d := newDrawing()
	text := commands.FailedComparison(run, u)
	d.literal("⚠️ "+oneLine(text)+".", 800)
	d.context("run " + run.ID.Short())
	return message{text: fallback(run.Requested.Playbook.Name + " " + run.ID.Short() + ": " + text), blocks: d.done(run.ID)}
}
