//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestSecretLost_showsInTheRunAndInTheList(t *testing.T) {
	t.Parallel()
	needed := engine.SecretsNeeded{Names: []string{"a", "b"}}
	given := func(names ...string) engine.SecretsGiven { return engine.SecretsGiven{Names: names} }
	gate := engine.ApprovalAsked{Approval: "x", Path: "tasks.1"}
	begun := []engine.Payload{engine.Prepared{}, engine.TaskBegun{Path: "tasks.1"}}
	cut := append(slices.Clone(begun), engine.AttemptStarted{Path: "tasks.1", Attempt: 1}, engine.AttemptUnknown{Path: "tasks.1", Attempt: 1})
	abort := engine.AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: engine.ResolveAbort}
	for name, row := range map[string]struct {
		facts  []engine.Payload
		want   engine.RunStatus
		needed []string
	}{
		"while it prepares":           {[]engine.Payload{needed}, engine.RunWaiting, []string{"a", "b"}},
		"given while it prepares":     {[]engine.Payload{needed, given("a", "b")}, engine.RunPreparing, nil},
		"one of two given":            {[]engine.Payload{needed, given("b")}, engine.RunWaiting, []string{"a"}},
		"given while it runs":         {append(slices.Clone(begun), needed, given("b"), given("a")), engine.RunRunning, nil},
		"approved meanwhile":          {append(slices.Clone(begun), gate, needed, engine.ApprovalGiven{Approval: "x"}), engine.RunWaiting, []string{"a", "b"}},
		"approved, then given":        {append(slices.Clone(begun), gate, needed, engine.ApprovalGiven{Approval: "x"}, given("a", "b")), engine.RunRunning, nil},
		"given at a gate":             {append(slices.Clone(begun), gate, needed, given("a", "b")), engine.RunWaiting, nil},
		"given at an unknown attempt": {append(slices.Clone(cut), needed, given("a", "b")), engine.RunWaiting, nil},
		"cancelled":                   {append(slices.Clone(begun), needed, engine.CancelRequested{}), engine.RunRunning, nil},
		"aborted":                     {append(slices.Clone(cut), needed, abort), engine.RunRunning, nil},
		"ended":                       {append(slices.Clone(begun), needed, engine.RunEnded{Status: engine.RunFailed}), engine.RunFailed, nil},
	} {
		run, line := &engine.Run{}, &engine.Summary{}
		for i, f := range append([]engine.Payload{engine.RunRequested{}}, row.facts...) {
			e := engine.Event{Stream: "run/01X", Seq: engine.Seq(i + 1), Time: time.Unix(1, 0), Payload: f}
			run.Apply(e)
			line.Apply(e)
		}
		if run.Status != row.want || line.Status != row.want {
			t.Errorf("%s: the run is %s, the list says %s, want %s", name, run.Status, line.Status, row.want)
		}
		if !slices.Equal(run.SecretsNeeded, row.needed) || !slices.Equal(line.Secrets, row.needed) {
			t.Errorf("%s: the run needs %v, the list says %v, want %v", name, run.SecretsNeeded, line.Secrets, row.needed)
		}
	}
}

func TestSecret_oneThatBeginsWithAnotherGoesAsAWhole(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", `
inputs: {a: {description: A, type: Secret}, b: {description: B, type: Secret}}
tasks: [{do: {name: one, any: "{{ inputs.b }} {{ inputs.a }}"}}]
`)
		h.Secrets("hunter2", "hunter2-and-more", "-and-more")
		run := h.Finish(h.Start("s", map[string]any{"a": "hunter2", "b": "hunter2-and-more"}))
		if got := run.Steps["tasks.1"].Last().Properties["any"]; got != "*** ***" {
			t.Errorf("got %v", got)
		}
	})
}
