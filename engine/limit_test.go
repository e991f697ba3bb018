//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func takes(d time.Duration) enginetest.Act {
	return func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
		select {
		case <-time.After(d):
			return engine.Result{}, nil
		case <-ctx.Done():
			return engine.Result{}, context.Cause(ctx)
		}
	}
}

// The timeout of a playbook is a failure like any other: what reports it and cleans up still runs.
func TestTimeout_ofThePlaybookFailsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	const hooks = `
hooks:
  on_fail: [{do: {name: on_fail}}]
  on_success: [{do: {name: on_success}}]
  post_book: [{do: {name: post_book}}]
  always: [{do: {name: always}}]
`
	for name, row := range map[string]struct {
		tasks string
		slow  map[string]time.Duration
		after time.Duration // when the run ends
		want  string        // in its message
		calls map[string]int
	}{
		"an attempt": {
			tasks: "  - do: {name: one}\n  - do: {name: two}\n", slow: map[string]time.Duration{"one": 2 * time.Hour},
			after: time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"one": 1, "two": 0, "on_fail": 1, "on_success": 0, "post_book": 1, "always": 1},
		},
		"further tries": {
			tasks: "  - do: {name: one, tries: 100, try_sleep: 600}\n", slow: map[string]time.Duration{"one": -1},
			after: time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"one": 6, "on_fail": 1, "always": 1},
		},
		"a gate": {
			tasks: "  - do: {name: one, destructive: true, approval: {expires: 2h}}\n",
			after: time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"one": 0, "on_fail": 1, "always": 1},
		},
		"a pre_sleep": {
			tasks: "  - do: {name: one, pre_sleep: 2h}\n",
			after: time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"one": 0, "on_fail": 1, "always": 1},
		},
		"the next task": {
			tasks: "  - do: {name: one}\n  - do: {name: two, timeout: 3h}\n", slow: map[string]time.Duration{"one": 59 * time.Minute, "two": 2 * time.Hour},
			after: time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"one": 1, "two": 1, "always": 1},
		},
		"but not what cleans up": {
			tasks: "  - do: {name: one}\n", slow: map[string]time.Duration{"one": 2 * time.Hour, "on_fail": time.Hour, "post_book": time.Hour, "always": time.Hour},
			after: 4 * time.Hour, want: "the run may take 1h0m0s", calls: map[string]int{"on_fail": 1, "post_book": 1, "always": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "timeout: 1h\ntasks:\n"+row.tasks+hooks)
				for task, d := range row.slow {
					if d < 0 {
						h.Script.FailFirst(task, 1000)
					} else {
						h.Script.On(task, takes(d))
					}
				}
				began := time.Now()
				run := h.Finish(h.Start("b", nil))
				if run.Status != engine.RunFailed || !strings.Contains(run.Message, row.want) {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
				if got := time.Since(began); got != row.after {
					t.Errorf("it took %s, want %s", got, row.after)
				}
				for task, n := range row.calls {
					if got := h.Script.Calls(task); got != n {
						t.Errorf("%s ran %d times, want %d\n%s", task, got, n, enginetest.Transcript(run))
					}
				}
			})
		})
	}
}

func TestTimeout_isATemplateToo(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "inputs: {limit: {type: String}}\ntimeout: \"{{ inputs.limit }}\"\ntasks: [{do: {name: one}}]\n")
		h.Script.On("one", takes(time.Hour))
		if run := h.Finish(h.Start("b", map[string]any{"limit": "5m"})); !strings.Contains(run.Message, "the run may take 5m0s") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		if run := h.Finish(h.Start("b", map[string]any{"limit": "soon"})); !strings.Contains(run.Message, "timeout must be a duration") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// A timeout does not overrule what is known: an attempt that succeeded, or what a person says of one
// that was cut off.
func TestTimeout_leavesWhatIsKnownOfATaskAsItIs(t *testing.T) {
	t.Parallel()
	for choice, want := range map[engine.Resolution]struct {
		status  engine.TaskStatus
		message string
	}{
		engine.ResolveDone:   {engine.TaskOK, "marked done by ben"},
		engine.ResolveFailed: {engine.TaskFailed, "marked failed by ben"},
		engine.ResolveRetry:  {engine.TaskFailed, "timed out: the run may take 1h0m0s, its timeout, and no longer"},
	} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "timeout: 1h\ntasks: [{do: {name: one}}, {do: {name: two}}]\n")
				h.Script.On("one", takes(30*time.Minute))
				id := h.Start("b", nil)
				synctest.Wait()
				h.Stop()
				time.Sleep(2 * time.Hour)
				h.Restart()
				resolve(t, h, id, "tasks.1", choice)
				run := h.Finish(id)
				if s := run.Steps["tasks.1"]; s.Status != want.status || s.Message != want.message {
					t.Errorf("got %s: %s", s.Status, s.Message)
				}
				if run.Status != engine.RunFailed || h.Script.Calls("two") != 0 {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

func TestTimeout_thatKeepsAHookFromRunningSaysSo(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "timeout: 1h\ntasks: [{do: {name: one}}]\nhooks: {post_task: [{do: {name: after}}, {do: {name: last}}]}\n")
		h.Script.On("after", func(context.Context, int, *engine.Call) (engine.Result, error) {
			time.Sleep(2 * time.Hour) // it does not listen
			return engine.Result{}, nil
		})
		run := h.Finish(h.Start("b", nil))
		if s := run.Steps["tasks.1"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, "the run may take 1h0m0s") || h.Script.Calls("last") != 0 {
			t.Errorf("got %s: %s", s.Status, s.Message)
		}
	})
}
