package booktest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// judge holds what a run did against what its case expects.
type judge struct {
	r      *reader
	c      *Case
	result Result
	runs   map[engine.RunID]*engine.Run
}

// fail records what did not come as expected, at its place in the case file.
func (j *judge) fail(pos playbooks.Pos, remedy, format string, args ...any) {
	if pos.Line == 0 {
		pos = j.c.pos
	}
	p := j.r.at(pos, remedy, format, args...)
	p.Message = commands.Clean(p.Message)
	j.result.Failures = append(j.result.Failures, p)
}

// judge looks at everything that the case expects. What was not declared is told alone: the rest follows from it.
func (j *judge) judge(ctx context.Context, h *house, run *engine.Run, refusal string) error {
	j.runs = make(map[engine.RunID]*engine.Run)
	for _, id := range h.watch.known() {
		r, err := engine.LoadRun(ctx, h.watch.Log, id)
		if err != nil {
			return err
		}
		j.runs[id] = r
	}
	if run != nil {
		run = j.runs[run.ID]
	}
	j.result.Outcome, j.result.Message = "refused", commands.Clean(refusal)
	if run != nil {
		j.result.Outcome, j.result.Message = outcomeOf(run), commands.Clean(run.Message)
		j.result.Took = max(run.Ended.Sub(run.At), 0) // of a run that never ended: none
		j.list(run, run.At, 0)
	}
	for _, text := range h.world.undeclared {
		j.fail(j.c.pos, "", "%s", text)
	}
	if len(h.world.undeclared) > 0 {
		return nil
	}
	for _, b := range h.clicker.failures() {
		j.fail(b.click.pos, "", "%s", b.text)
	}
	j.outcome()
	if run != nil {
		j.steps(j.c.expect.steps, run)
		j.span("the run", j.c.expect.took, j.result.Took)
		j.nodes(run)
	}
	j.outside(ctx, h.world)
	if len(j.result.Failures) == 0 { // else it follows from those
		j.unused(h.world)
	}
	return nil
}

// outcome judges how it ended.
func (j *judge) outcome() {
	e, got := j.c.expect, j.result.Outcome
	if got != e.outcome && (e.outcome != "failed" || got != "denied" && got != "expired") {
		pos := e.at
		if pos.Line == 0 {
			pos = e.pos
		}
		remedy := ""
		if got == "expired" && len(j.c.clicks) == 0 {
			remedy = "let somebody click, as in clicks: [approve: all], or expect outcome: expired"
		}
		j.fail(pos, remedy, "the outcome should be %s, and is %s: %s", e.outcome, got, j.result.Message)
	}
	j.text("the message", e.message, j.result.Message)
}

// outcomeOf is the outcome of a run in the words of cases: a gate that ended it tells itself from other failures.
func outcomeOf(run *engine.Run) string {
	if run.Status != engine.RunFailed {
		return string(run.Status)
	}
	for _, a := range run.Approvals {
		if s := run.Steps[a.Path]; s == nil || s.Status != engine.TaskDenied {
			continue
		}
		switch a.State { //nolint:exhaustive // the others do not end a run
		case engine.ApprovalRefused:
			return "denied"
		case engine.ApprovalTimedOut:
			return "expired"
		}
	}
	return string(run.Status)
}

func (j *judge) text(what string, want wantedText, got string) {
	if want.pos.Line > 0 && !want.find.in(got) {
		j.fail(want.pos, "", "%s should hold %s, and is: %s", what, want.find, got)
	}
}

func (j *judge) span(what string, want *wantedSpan, got time.Duration) {
	if want != nil && !want.holds(got) {
		j.fail(want.pos, "", "%s should take %s, and takes %s", what, want.text, commands.Took(got))
	}
}

// nodes judges what the node sets found.
func (j *judge) nodes(run *engine.Run) {
	for _, want := range j.c.expect.nodes {
		var got []string
		if run.Prepared != nil {
			got = run.Prepared.Nodes[want.name]
		}
		if !slices.Equal(got, want.nodes) {
			j.fail(want.pos, "", "node set %s should be %s, and is %s", want.name, listed(want.nodes), listed(got))
		}
	}
}

// listed writes names, and says when there are none.
func listed(names []string) string {
	if len(names) == 0 {
		return "empty"
	}
	return strings.Join(names, ", ")
}

// outside judges what was asked of nodes and done elsewhere.
func (j *judge) outside(ctx context.Context, w *world) {
	e := j.c.expect
	calls := make([]string, len(w.calls))
	for i, c := range w.calls {
		calls[i] = c.action + ": " + listed(c.nodes)
	}
	j.sequence("calls", e.calls, calls, func(want wantedEntry, i int) string {
		c := w.calls[i]
		if !matchAny([]string{want.find.text}, c.action) && (want.find.re == nil || !want.find.in(c.action)) {
			return "other"
		}
		if want.nodes != nil && !slices.Equal(want.nodes, c.nodes) {
			return fmt.Sprintf("%s should ask %s, and asks %s", c.action, listed(want.nodes), listed(c.nodes))
		}
		return differs(c.action, want.data, c.data)
	})
	for _, section := range []string{"commands", "requests", "messages"} {
		did := w.did[section]
		texts := make([]string, len(did))
		for i, d := range did {
			texts[i] = d.text
		}
		want := map[string]*wantedList{"commands": e.commands, "requests": e.requests, "messages": e.messages}[section]
		j.sequence(section, want, texts, func(want wantedEntry, i int) string {
			if !want.find.in(did[i].text) {
				return "other"
			}
			data, _ := did[i].data.(map[string]any)
			return differs(did[i].text, want.data, data)
		})
	}
	logged := j.logged()
	j.sequence("log", e.log, logged, func(want wantedEntry, i int) string {
		if !want.find.in(logged[i]) {
			return "other"
		}
		return ""
	})
	for _, want := range e.stores {
		j.value(ctx, want, w)
	}
}

// logged is what log tasks said, in the order of the runs and their steps.
func (j *judge) logged() []string {
	var out []string
	for _, id := range sortedRuns(j.runs) {
		run := j.runs[id]
		for _, p := range run.Order {
			if s := run.Steps[p]; s.Type == "log" && s.Status == engine.TaskOK {
				out = append(out, s.Message)
			}
		}
	}
	return out
}

func sortedRuns(runs map[engine.RunID]*engine.Run) []engine.RunID {
	out := make([]engine.RunID, 0, len(runs))
	for id := range runs {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// differs says which of some values are not as wanted; others may be there.
func differs(what string, want, got map[string]any) string {
	for _, k := range sorted(want) {
		if g, ok := got[k]; !ok || !equal(want[k], g) {
			return fmt.Sprintf("%s should have %s: %s, and has %s", what, k, encoded(want[k]), encoded(got[k]))
		}
	}
	return ""
}

// equal compares values as JSON does: 1 is 1.0.
func equal(a, b any) bool {
	return reflect.DeepEqual(decoded(a), decoded(b))
}

func decoded(v any) any {
	var out any
	if err := json.Unmarshal([]byte(encoded(v)), &out); err != nil {
		return v
	}
	return out
}

func encoded(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

func (j *judge) value(ctx context.Context, want wantedValue, w *world) {
	got, there := w.value(ctx, want.store, want.key)
	switch {
	case want.value == nil && there:
		j.fail(want.pos, "", "%s/%s should not be there, and is %s", want.store, want.key, encoded(got))
	case want.value != nil && !there:
		j.fail(want.pos, "", "%s/%s should be %s, and is not there", want.store, want.key, encoded(want.value))
	case want.value != nil && !equal(want.value, got):
		j.fail(want.pos, "", "%s/%s should be %s, and is %s", want.store, want.key, encoded(want.value), encoded(got))
	}
}
