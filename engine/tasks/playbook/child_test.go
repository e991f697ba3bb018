package playbook_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/tasks/playbook"
	"github.com/playbot/playbot/store"
)

// house is an engine on a real file; it belongs into a bubble of virtual time.
func house(t *testing.T) *enginetest.House {
	t.Helper()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return enginetest.NewHouse(t, log, func(o *engine.Options) { o.Types.Tasks = append(o.Types.Tasks, playbook.Type(o.Books)) })
}

const outerBook = `
inputs:
  tier: {description: Tier, type: String, required: true}
  rev: {description: Revision, type: String, required: true}
tasks: [{playbook: {name: inner, inherit_inputs: true}}]
`

const innerBook = `
inputs:
  rev: {description: Revision, type: String, required: true}
tasks: [{do: {name: one, any: "{{ inputs.rev }}"}}]
`

// child is the run that the first task of a run started.
func child(t *testing.T, h *enginetest.House, run *engine.Run) *engine.Run {
	t.Helper()
	c, err := h.Engine.Load(t.Context(), run.Steps["tasks.1"].Last().Outcome.Result.Child)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChild_isARunOfItsOwnLinkedWithItsParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("inner", innerBook)
		h.Book("outer", outerBook)
		run := h.Finish(h.Start("outer", map[string]any{"tier": "bravo", "rev": "abc"}))
		c := child(t, h, run)
		parent := c.Requested.Parent
		if run.Status != engine.RunSuccess || parent == nil || parent.Run != run.ID || parent.Path != "tasks.1" || parent.Depth != 1 {
			t.Fatalf("%s; the child has the parent %+v", run.Message, parent)
		}
		if c.Requested.Actor != run.Requested.Actor || len(c.Requested.Inputs) != 1 || c.Requested.Inputs["rev"] != "abc" {
			t.Errorf("the child was asked for by %v with %v", c.Requested.Actor, c.Requested.Inputs)
		}
	})
}

func TestChild_isJoinedAfterARestartNotStartedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("inner", `tasks: [{do: {name: one, effect: idempotent, pre_sleep: 10m}}]`)
		h.Book("outer", `tasks: [{playbook: {name: inner}}]`)
		id := h.Start("outer", nil)
		time.Sleep(5 * time.Minute)
		h.Stop()
		h.Restart()
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || h.Script.Calls("one") != 1 {
			t.Errorf("%s: %s; the child's task ran %d times", run.Status, run.Message, h.Script.Calls("one"))
		}
	})
}

func TestChild_isCancelledWithItsParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("inner", `tasks: [{do: {name: one, pre_sleep: 10m}}]`)
		h.Book("outer", `tasks: [{playbook: {name: inner}}]`)
		id := h.Start("outer", nil)
		time.Sleep(time.Minute)
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, "enough"); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		c := h.Finish(run.Steps["tasks.1"].Last().Outcome.Result.Child)
		if run.Status != engine.RunCancelled || c.Status != engine.RunCancelled || h.Script.Calls("one") != 0 {
			t.Errorf("parent %s, child %s, %d calls", run.Status, c.Status, h.Script.Calls("one"))
		}
	})
}

func TestChild_cycleEndsAtTheDepthLimitAndSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("b", `
inputs:
  next: {description: The next playbook, type: String, required: true}
tasks: [{playbook: {name: "{{ inputs.next }}", inherit_inputs: true}}]
`)
		run := h.Finish(h.Start("b", map[string]any{"next": "b"}))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, "b: failed") {
			t.Errorf("%s: %s", run.Status, run.Message)
		}
		depth := 0
		for ; run.Steps["tasks.1"].Last().Outcome.Result.Child != ""; depth++ {
			run = child(t, h, run)
		}
		if depth != 8 || !strings.Contains(run.Message, "look for a cycle") {
			t.Errorf("%d deep: %s", depth, run.Message)
		}
	})
}
