package bot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// maxTargets is how many characters of a card say on which nodes a run acts.
const maxTargets = 900

// targets say how many nodes each node set of a run has, and which.
func targets(run *engine.Run) []string {
	if run.Prepared == nil {
		return nil
	}
	const most = 4
	var out []string
	for _, name := range slices.Sorted(maps.Keys(run.Prepared.Nodes)) {
		if len(out) == most {
			return append(out, fmt.Sprintf("… %d more node sets", len(run.Prepared.Nodes)-most))
		}
		nodes := run.Prepared.Nodes[name]
		if len(nodes) == 0 {
			out = append(out, cutTo(oneLine(name), 40)+": no nodes")
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s, %s", cutTo(oneLine(name), 40), plural(len(nodes), "node"), commands.NodeNames(nodes, 140)))
	}
	return out
}

// cardEnd is what the card says of the end: of a failed step the counts, since its reply has the names.
func cardEnd(run *engine.Run) string {
	s := culprit(run)
	if s == nil || run.Status != engine.RunFailed || s.Status != engine.TaskFailed {
		return run.Message
	}
	return fmt.Sprintf("%q failed: %s", cutTo(oneLine(s.Description), maxStepName), whatHappened(run, s))
}

// steps are the steps that have begun, and the main tasks that are still to come. now is how many are over.
func steps(run *engine.Run, book *playbooks.Playbook) (out []string, now int) {
	for _, p := range run.Order {
		s := run.Steps[p]
		if !shownWave(run, s) {
			continue
		}
		line := taskMark(s.Status) + " " + stepName(s, 110) + wavesOf(run, s)
		if n := len(s.Attempts); n > 1 {
			line += fmt.Sprintf(" (attempt %d of %d)", n, s.Tries)
		}
		out = append(out, line)
		if !s.Ended.IsZero() {
			now = len(out)
		}
	}
	if run.Status.Final() || run.Cancel != nil || run.Failed != "" {
		return out, now
	}
	for i := range book.Tasks {
		path := engine.Path(fmt.Sprintf("tasks.%d", i+1))
		if run.Steps[path] == nil {
			out = append(out, taskMark(engine.TaskPending)+" "+cutTo(oneLine(preview(&book.Tasks[i], run)), 120))
		}
	}
	return out, now
}

// window keeps the lines around `now` that fit into so many characters, and counts the others.
func window(lines []string, now, most int) []string {
	from, to := now, now
	room := most
	for grown := true; grown; {
		grown = false
		if to < len(lines) && utf8.RuneCountInString(lines[to]) < room {
			room -= utf8.RuneCountInString(lines[to]) + 1
			to, grown = to+1, true
		}
		if from > 0 && utf8.RuneCountInString(lines[from-1]) < room {
			room -= utf8.RuneCountInString(lines[from-1]) + 1
			from, grown = from-1, true
		}
	}
	out := slices.Clone(lines[from:to])
	if from > 0 {
		out = append([]string{fmt.Sprintf("… %d earlier steps", from)}, out...)
	}
	if more := len(lines) - to; more > 0 {
		out = append(out, fmt.Sprintf("… %d more to come", more))
	}
	return out
}

// preview is the description of a task that has not begun, as far as it is known.
func preview(t *playbooks.Task, run *engine.Run) string {
	text := t.Description.Source()
	if text == "" {
		return t.Type + " task"
	}
	inputs := run.Requested.Inputs
	if run.Prepared != nil {
		inputs = run.Prepared.Inputs
	}
	for name, v := range inputs {
		text = strings.ReplaceAll(text, "{{ inputs."+name+" }}", fmt.Sprint(v))
	}
	return text
}
