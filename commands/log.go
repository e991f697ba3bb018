package commands

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
)

// LogPlace is a page of what was said in a step of a run; the zero value of all but Run is where a person looks first.
type LogPlace struct {
	Run  engine.RunID
	Step engine.Path // empty: the step that a run failed at, else the latest
	Page int         // counts from one
}

// Log is everything that was said in a step of a run, a page at a time.
type Log struct {
	At    LogPlace // as it is shown
	Title string
	Steps []LogStep // of the run, those that began
	Pages int
	Lines []string // of this page
}

// LogStep is a step whose log there is.
type LogStep struct {
	Path  engine.Path
	Label string
	Value string // of the choice: its first page
}

const (
	// maxLogLines bounds the log of one step; maxLogPage is how many characters a page has at most, and
	// maxLogLine how many a line.
	maxLogLines = 20000
	maxLogPage  = 6000
	maxLogLine  = 1000
)

// Log is a page of the log of a run, for somebody who may view it. Only who asks may be looked up elsewhere, for a second at most.
func (c *Commands) Log(ctx context.Context, who engine.Actor, at LogPlace) (Log, error) {
	if err := c.admit(ctx, who, string(ActionLog)); err != nil {
		return Log{}, err
	}
	run, err := c.loadVisible(ctx, who, at.Run)
	if err != nil {
		return Log{}, err
	}
	l := Log{At: at, Title: fmt.Sprintf("%s %s, %s", run.Requested.Playbook.Name, run.ID.Short(), run.Status)}
	for _, p := range run.Order {
		s := run.Steps[p]
		l.Steps = append(l.Steps, LogStep{Path: p, Label: TaskMark(s.Status) + " " + StepName(s), Value: LogPlace{Run: run.ID, Step: p, Page: 1}.Value()})
	}
	s := run.Steps[at.Step]
	if at.Step == "" {
		s = firstToLookAt(run)
	}
	if s == nil && at.Step != "" {
		return Log{}, engine.Errorf(engine.CodeNotFound, "run %s has no step %s", run.ID.Short(), at.Step)
	}
	lines := []string{"nothing has begun yet"}
	if run.PrepareFailed != nil {
		lines = append([]string{run.PrepareFailed.Message}, run.PrepareFailed.Notes...)
	}
	if s != nil {
		l.At.Step, lines = s.Path, stepLog(s)
	}
	pages := paged(lines)
	l.Pages = len(pages)
	l.At.Page = min(max(at.Page, 1), l.Pages)
	l.Lines = pages[l.At.Page-1]
	return l, nil
}

// firstToLookAt is the step that a run failed at, or its latest; nil when none has begun.
func firstToLookAt(run *engine.Run) *engine.Step {
	if s := run.Steps[run.Failed]; s != nil {
		return s
	}
	if n := len(run.Order); n > 0 {
		return run.Steps[run.Order[n-1]]
	}
	return nil
}

// StepName is the description of a step, with the list or the wave it belongs to.
func StepName(s *engine.Step) string {
	name := oneLine(s.Description)
	if list := s.Path.Root(); list != "tasks" {
		return list + ": " + name
	}
	if _, n, ok := s.Path.InWave(); ok {
		return fmt.Sprintf("wave %d: %s", n, name)
	}
	return name
}

// Value is a place as the value of a button.
func (p LogPlace) Value() string {
	return join(string(p.Run), string(p.Step), strconv.Itoa(p.Page))
}

// ReadLogPlace reads the value of a button; false when it is none of [LogButton] or [LogPlace.Value].
func ReadLogPlace(value string) (LogPlace, bool) {
	if parts, ok := taken(value, 1); ok && len(value) == idLength {
		return LogPlace{Run: engine.RunID(parts[0])}, true
	}
	parts, ok := taken(value, 3)
	if !ok {
		return LogPlace{}, false
	}
	page, err := strconv.Atoi(parts[2])
	return LogPlace{Run: engine.RunID(parts[0]), Step: engine.Path(parts[1]), Page: page}, err == nil
}

// stepLog is everything that is kept of a step: each attempt, what its nodes said in groups, what it noted,
// and what each node said.
func stepLog(s *engine.Step) []string {
	out := []string{fmt.Sprintf("%s: %s", StepName(s), s.Status)}
	if s.Message != "" {
		out = append(out, s.Message)
	}
	for i := range s.Attempts {
		at := &s.Attempts[i]
		out = append(out, "", attemptHead(*at))
		if at.Outcome == nil {
			continue
		}
		if at.Outcome.Result.Message != "" && at.Outcome.Result.Message != s.Message {
			out = append(out, at.Outcome.Result.Message)
		}
		out = append(out, groupedLog(AnswersOf(at.Outcome))...)
		out = append(out, notedLog(at.Outcome)...)
	}
	var lines []string
	for _, text := range out {
		for line := range strings.SplitSeq(Clean(text), "\n") {
			lines = append(lines, wrapped(line)...)
		}
		if len(lines) > maxLogLines {
			return append(lines[:maxLogLines], "… the terminal has the rest: playbot history show, with --json")
		}
	}
	return lines
}

// wrapped cuts a line into several where it is long.
func wrapped(line string) []string {
	runes := []rune(line)
	if len(runes) <= maxLogLine {
		return []string{line}
	}
	var out []string
	for part := range slices.Chunk(runes, maxLogLine) {
		out = append(out, string(part))
	}
	return out
}

func attemptHead(at engine.Attempt) string {
	at.Outcome = shallow(at.Outcome)
	return attemptLine(at)
}

// shallow is an outcome without what follows in lines of its own.
func shallow(o *engine.AttemptEnded) *engine.AttemptEnded {
	if o == nil {
		return nil
	}
	return &engine.AttemptEnded{Path: o.Path, Attempt: o.Attempt, OK: o.OK, Code: o.Code, Runtime: o.Runtime}
}

// groupedLog says who said what, all of them named.
func groupedLog(a Answers) []string {
	var out []string
	const all = 1 << 20
	for _, kind := range []struct {
		name string
		list []Answer
	}{{"failed", a.Failed}, {"did not answer", a.Silent}, {"differ", a.Differ}, {"same", a.Same}} {
		for _, g := range kind.list {
			head := fmt.Sprintf("%d %s", len(g.Nodes), kind.name)
			if g.Text != "" {
				head += ": " + g.Text
			}
			out = append(out, head, "  "+NodeNames(g.Nodes, all))
		}
	}
	if n := len(a.Unasked); n > 0 {
		out = append(out, fmt.Sprintf("%d not asked", n), "  "+NodeNames(a.Unasked, all))
	}
	return out
}

// notedLog are the notes of an attempt, and after them what the nodes replied that no note tells of.
func notedLog(o *engine.AttemptEnded) []string {
	var out []string
	if len(o.Notes) > 0 {
		out = append(out, "noted:")
	}
	for _, n := range o.Notes {
		out = append(out, "  "+n)
	}
	told, replies := noted(o), repliesOf(&o.Result)
	first := true
	for _, n := range slices.Concat(o.Result.FailedNodes, o.Result.OKNodes) {
		r := replies[n]
		if !r.there || told[n] != "" && told[n] != "ok" {
			continue
		}
		if first {
			out, first = append(out, "replied:"), false
		}
		fields := make(map[string]string, len(r.data))
		for k, v := range r.data {
			fields[k] = oneLine(valueText(v))
		}
		out = append(out, strings.TrimRight(fmt.Sprintf("  %s: %s %s", n, r.status, written(fields)), " "))
	}
	return out
}

// paged puts lines on pages.
func paged(lines []string) [][]string {
	pages := [][]string{nil}
	room := maxLogPage
	for _, l := range lines {
		n := utf8.RuneCountInString(l) + 1
		if n > room && len(pages[len(pages)-1]) > 0 {
			pages, room = append(pages, nil), maxLogPage
		}
		last := len(pages) - 1
		pages[last] = append(pages[last], l)
		room -= n
	}
	return pages
}
