package booktest

import (
	"fmt"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// sequence judges what was done in order. fits says "other" when an entry is not the wanted one, what is
// wrong with it when it is, and nothing when all is well.
func (j *judge) sequence(what string, want *wantedList, got []string, fits func(want wantedEntry, i int) string) {
	if want == nil {
		return
	}
	next, gap := 0, false
	for _, w := range want.list {
		if w.gap {
			gap = true
			continue
		}
		found := next
		for gap && found < len(got) && fits(w, found) == "other" {
			found++
		}
		gap = false
		if found == len(got) {
			j.fail(w.pos, "", "%s should go on with %s, and end", what, w.find)
			j.asWere(what, got)
			return
		}
		switch wrong := fits(w, found); wrong {
		case "":
		case "other":
			j.fail(w.pos, "", "%s should go on with %s, and go on with %q", what, w.find, got[found])
			j.asWere(what, got)
			return
		default:
			j.fail(w.pos, "", "%s", wrong)
		}
		next = found + 1
	}
	if !gap && next < len(got) {
		j.fail(want.pos, "add it, or ... for any others", "%s should end, and go on with %q", what, got[next])
		j.asWere(what, got)
	}
}

// asWere adds a whole list to what is shown of a failed case.
func (j *judge) asWere(what string, list []string) {
	for i, entry := range list {
		list[i] = commands.Clean(entry)
	}
	j.result.Lists = append(j.result.Lists, List{What: what, Entries: list})
}

// steps judges the steps of a run, in their order.
func (j *judge) steps(want *wantedSteps, run *engine.Run) {
	if want == nil {
		return
	}
	next, gap := 0, false
	for _, w := range want.list {
		if w.gap {
			gap = true
			continue
		}
		found := next
		for gap && found < len(run.Order) && !isStep(w.key, run.Steps[run.Order[found]]) {
			found++
		}
		gap = false
		if found == len(run.Order) {
			j.fail(w.pos, "", "the run should go on with step %q, and has no further step", w.key)
			return
		}
		s := run.Steps[run.Order[found]]
		if !isStep(w.key, s) {
			j.fail(w.pos, "", "the run should go on with step %q, and goes on with %s", w.key, named(s))
			return
		}
		j.step(w, s)
		next = found + 1
	}
	if !gap && next < len(run.Order) {
		j.fail(want.pos, "add it to steps, or - ... for any others", "the run should end, and goes on with %s", named(run.Steps[run.Order[next]]))
	}
}

// named is a step with its path and its status.
func named(s *engine.Step) string { return fmt.Sprintf("%s %q: %s", s.Path, s.Description, s.Status) }

// step judges one step.
func (j *judge) step(w wantedStep, s *engine.Step) {
	if w.status != "" && w.status != string(s.Status) {
		j.fail(w.at, "", "%q should be %s, and is %s: %s", s.Description, w.status, s.Status, s.Message)
	}
	j.text(fmt.Sprintf("the message of %q", s.Description), w.message, s.Message)
	if w.tries.Line > 0 && w.attempts != len(s.Attempts) {
		j.fail(w.tries, "", "%q should make %d attempts, and makes %d", s.Description, w.attempts, len(s.Attempts))
	}
	var result engine.Result
	if s.Result != nil { // of a rolling task, whose attempt only planned
		result = *s.Result
	} else if last := s.Last(); last != nil && last.Outcome != nil {
		result = last.Outcome.Result
	}
	j.stepNodes(s, w.ok, result.OKNodes)
	j.stepNodes(s, w.failed, result.FailedNodes)
	j.stepNodes(s, w.silent, result.SilentNodes)
	j.span(fmt.Sprintf("%q", s.Description), w.took, s.Ended.Sub(s.Began))
	if w.steps == nil {
		return
	}
	child := j.runs[result.Child]
	if child == nil {
		j.fail(w.steps.pos, "", "%q should start a run with steps, and starts none", s.Description)
		return
	}
	j.steps(w.steps, child)
}

func (j *judge) stepNodes(s *engine.Step, want *wantedNodes, got []string) {
	if want == nil {
		return
	}
	var missing, more []string
	for _, n := range want.nodes {
		if !matchAny(got, n) {
			missing = append(missing, n)
		}
	}
	for _, n := range got {
		if !matchAny(want.nodes, n) {
			more = append(more, n)
		}
	}
	if len(missing)+len(more) > 0 {
		j.fail(want.pos, "", "the %s nodes of %q should be %s, and are %s", want.name, s.Description, listed(want.nodes), listed(got))
	}
}

// list writes down every step of a run and of those that it started.
func (j *judge) list(run *engine.Run, began time.Time, depth int) {
	for _, p := range run.Order {
		s := run.Steps[p]
		j.result.Steps = append(j.result.Steps, StepLine{
			Depth: depth, Path: string(p), Description: commands.Clean(s.Description), Status: string(s.Status),
			Message: commands.Clean(s.Message), Attempts: len(s.Attempts), At: s.Began.Sub(began),
		})
		for _, a := range s.Attempts {
			if a.Outcome == nil || j.runs[a.Outcome.Result.Child] == nil {
				continue
			}
			j.list(j.runs[a.Outcome.Result.Child], began, depth+1)
		}
	}
}
