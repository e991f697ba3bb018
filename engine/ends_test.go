//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// way is how a task can end badly.
type way struct {
	keys   string // of the task
	script func(h *enginetest.House, name string)
	people func(t *testing.T, h *enginetest.House, id engine.RunID) // what they do while it is under way
	status engine.TaskStatus
}

func ways() map[string]way {
	cancel := func(t *testing.T, h *enginetest.House, id engine.RunID) {
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
	}
	deny := func(t *testing.T, h *enginetest.House, id engine.RunID) {
		run, err := h.Engine.Load(t.Context(), id)
		if err != nil || run.Pending() == nil {
			t.Fatalf("nothing waits for an approval (%v)", err)
		}
		if err := h.Engine.Deny(t.Context(), engine.Decision{Run: id, Approval: run.Pending().Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
	}
	hangs := func(h *enginetest.House, name string) { h.Script.On(name, takes(time.Hour)) }
	return map[string]way{
		"fails":            {script: func(h *enginetest.House, name string) { h.Script.FailFirst(name, 99) }, status: engine.TaskFailed},
		"fails every try":  {keys: ", tries: 3", script: func(h *enginetest.House, name string) { h.Script.FailFirst(name, 99) }, status: engine.TaskFailed},
		"panics":           {script: func(h *enginetest.House, name string) { h.Script.On(name, panics) }, status: engine.TaskFailed},
		"does not render":  {keys: `, any: "{{ inputs.absent }}"`, status: engine.TaskFailed},
		"has a bad when":   {keys: `, when: int(metadata.name) > 1`, status: engine.TaskFailed},
		"has bad tries":    {keys: `, tries: "{{ metadata.name }}"`, status: engine.TaskFailed},
		"times out":        {keys: ", timeout: 5", script: hangs, status: engine.TaskFailed},
		"gets no lock":     {keys: ", locks: [s/other]", status: engine.TaskFailed},
		"is denied":        {keys: ", destructive: true", people: deny, status: engine.TaskDenied},
		"is never decided": {keys: ", destructive: true, approval: {expires: 1m}", status: engine.TaskDenied},
		"is tolerated":     {keys: ", fail_ok: true", script: func(h *enginetest.House, name string) { h.Script.FailFirst(name, 99) }, status: engine.TaskTolerated},
		"is cancelled":     {script: hangs, people: cancel, status: engine.TaskCancelled},
	}
}

// after says which lists begin when a task of a list ends as it does; `always` follows each time.
func after(list string, status engine.TaskStatus) string {
	switch {
	case status == engine.TaskTolerated && list == "on_fail":
		return "pre_book pre_task tasks post_task on_fail post_book"
	case status == engine.TaskTolerated:
		return "pre_book pre_task tasks post_task on_success post_book"
	case status == engine.TaskDenied && list == "tasks": // it was never tried
		return "pre_book pre_task tasks on_fail post_book"
	case status == engine.TaskCancelled && list != "always":
		return map[string]string{
			"pre_book": "pre_book", "pre_task": "pre_book pre_task tasks", "tasks": "pre_book pre_task tasks", "post_task": "pre_book pre_task tasks post_task",
			"on_success": "pre_book pre_task tasks post_task on_success", "on_fail": "pre_book pre_task tasks post_task on_fail",
			"post_book": "pre_book pre_task tasks post_task on_success post_book",
		}[list]
	}
	return map[string]string{
		"pre_book": "pre_book", "pre_task": "pre_book pre_task tasks on_fail post_book",
		"tasks":      "pre_book pre_task tasks post_task on_fail post_book",
		"post_task":  "pre_book pre_task tasks post_task on_fail post_book",
		"on_success": "pre_book pre_task tasks post_task on_success post_book",
		"on_fail":    "pre_book pre_task tasks post_task on_fail post_book",
		"post_book":  "pre_book pre_task tasks post_task on_success post_book",
		"always":     "pre_book pre_task tasks post_task on_success post_book",
	}[list]
}

// endsBook has every list; the bad task stands first in one of them.
func endsBook(list, keys string) string {
	line := func(name string) string {
		if name == list {
			return fmt.Sprintf("[{do: {name: bad%s}}, {do: {name: %s_2}}]", keys, name)
		}
		if list == "on_fail" && name == "tasks" {
			return "[{do: {name: failing}}]"
		}
		return fmt.Sprintf("[{do: {name: %s_1}}]", name)
	}
	body := "inputs: {absent: {type: String, required: false}}\ndata_stores: {s: {type: map}}\nlocks: [s/deploy]\ntasks: " + line("tasks") + "\nhooks:\n"
	for _, hook := range []string{"pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"} {
		body += "  " + hook + ": " + line(hook) + "\n"
	}
	return body
}

// begun lists, each once and in order, the lists of which a task began.
func begun(run *engine.Run) []string {
	var out []string
	for _, p := range run.Order {
		if list := p.List(); !slices.Contains(out, list) {
			out = append(out, list)
		}
	}
	return out
}

// Every way in which a task can end × every list in which it may stand: which lists follow, that
// `always` runs to its end, and that no lock is left.
func TestEnds_everyWayInEveryList(t *testing.T) {
	t.Parallel()
	lists := []string{"pre_book", "pre_task", "tasks", "post_task", "on_fail", "on_success", "post_book", "always"}
	for name, w := range ways() {
		for _, list := range lists {
			t.Run(list+" "+name, func(t *testing.T) {
				t.Parallel()
				inHouse(t, func(t *testing.T, h *enginetest.House) { w.end(t, h, list) })
			})
		}
	}
}

func (w way) end(t *testing.T, h *enginetest.House, list string) {
	h.Book("b", endsBook(list, w.keys))
	h.Script.Hold("other", engine.Holder{Run: engine.NewRunID(time.Now()), Who: "gus", Since: time.Now()})
	h.Script.FailFirst("failing", 99)
	if w.script != nil {
		w.script(h, "bad")
	}
	id := h.Start("b", nil)
	if w.people != nil {
		synctest.Wait()
		w.people(t, h, id)
	}
	run := h.Finish(id)
	status, ended := engine.RunFailed, w.status
	if list == "always" && w.status == engine.TaskCancelled {
		ended = engine.TaskOK // a cancel lets it finish
	}
	switch {
	case w.status == engine.TaskCancelled:
		status = engine.RunCancelled
	case w.status == engine.TaskTolerated && list != "on_fail":
		status = engine.RunSuccess
	}
	if run.Status != status {
		t.Errorf("the run is %s, want %s: %s", run.Status, status, run.Message)
	}
	got := begun(run)
	slices.Sort(got)
	want := strings.Fields(after(list, w.status) + " always")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the lists are %v, want %v\n%s", got, want, enginetest.Transcript(run))
	}
	bad := slices.IndexFunc(run.Order, func(p engine.Path) bool { return strings.HasSuffix(string(p), list+".1") })
	if bad < 0 || run.Steps[run.Order[bad]].Status != ended {
		t.Errorf("the task did not end as %s\n%s", ended, enginetest.Transcript(run))
	}
	if run.Steps["always.1"].Ended.IsZero() || list == "always" && run.Steps["always.2"].Ended.IsZero() {
		t.Errorf("always did not run to its end\n%s", enginetest.Transcript(run))
	}
	wantNotHeld(t, h, "deploy")
}
