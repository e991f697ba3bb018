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

const outerBook = `
data_stores: {s: {type: map}}
locks: ["s/tier"]
tasks: [{child: {name: inner, timeout: 600, tries: 2, try_sleep: 1}}]
hooks: {always: [{do: {name: outer_always}}]}
`

const innerBook = `
data_stores: {s: {type: map}}
locks: ["s/tier"]
tasks: [{do: {name: work}}]
hooks: {always: [{do: {name: inner_always}}]}
`

// slow makes a task take a minute, or end with its context.
func slow(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
	select {
	case <-time.After(time.Minute):
		return engine.Result{}, nil
	case <-ctx.Done():
		return engine.Result{}, context.Cause(ctx)
	}
}

func hang(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
	<-ctx.Done()
	return engine.Result{}, context.Cause(ctx)
}

// family starts outer, which starts inner, whose task has begun.
func family(t *testing.T, h *enginetest.House, work enginetest.Act) (outer, inner engine.RunID) {
	t.Helper()
	h.Book("outer", outerBook)
	h.Book("inner", innerBook)
	h.Script.On("work", work)
	outer = h.Start("outer", nil)
	return outer, childOf(t, h, outer)
}

// childOf is the open run that another one has started.
func childOf(t *testing.T, h *enginetest.House, outer engine.RunID) engine.RunID {
	t.Helper()
	synctest.Wait()
	open, err := h.Log.Unfinished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range open {
		if parent := load(t, h, id).Requested.Parent; parent != nil && parent.Run == outer {
			h.Watch(id)
			return id
		}
	}
	t.Fatalf("of the open runs %v none is a child of %s", open, outer)
	return ""
}

func TestChild_isCancelledWithItsParentUnderTheParentsLock(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("inner_always", func(ctx context.Context, n int, c *engine.Call) (engine.Result, error) {
			defer func() {
				if _, held := h.Script.Holder("tier"); !held {
					t.Error("the lock was released while the child works")
				}
			}()
			return slow(ctx, n, c)
		})
		outer, inner := family(t, h, hang)
		if err := h.Engine.Cancel(t.Context(), outer, h.Ana, "stop"); err != nil {
			t.Fatal(err)
		}
		wantTranscript(t, h.Finish(outer), "tasks.1 cancelled\nalways.1 ok\ncancelled: cancelled by ana: stop")
		run := h.Finish(inner)
		if run.Status != engine.RunCancelled || run.Steps["always.1"].Status != engine.TaskOK {
			t.Errorf("the child:\n%s", enginetest.Transcript(run))
		}
	})
}

func TestChild_ofATaskThatTimedOutIsStoppedBeforeTheNextTry(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		outer, first := family(t, h, hang)
		time.Sleep(10*time.Minute + 5*time.Second)
		second := childOf(t, h, outer)
		run, err := h.Engine.Load(t.Context(), first)
		if err != nil || run.Status != engine.RunCancelled || second == first {
			t.Errorf("the first child is %s (%v)", run.Status, err)
		}
		run = h.Finish(outer)
		if s := run.Steps["tasks.1"]; s.Status != engine.TaskFailed || len(s.Attempts) != 2 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if !strings.Contains(run.Message, "timed out after 10m0s") {
			t.Errorf("the message is %q", run.Message)
		}
	})
}

func TestChild_isJoinedByTheNextProcess(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		outer, inner := family(t, h, hang)
		h.Stop()
		h.Restart()
		synctest.Wait()
		resolve(t, h, inner, "tasks.1", engine.ResolveDone)
		run := h.Finish(outer)
		wantTranscript(t, run, "tasks.1 ok x2\nalways.1 ok\nsuccess: 1 of 1 tasks done")
		if got := run.Steps["tasks.1"].Last().Outcome.Result.Child; got != inner {
			t.Errorf("the parent is linked to %s, want %s", got, inner)
		}
		if h.Script.Calls("work") != 1 {
			t.Errorf("the child's task ran %d times", h.Script.Calls("work"))
		}
	})
}

func TestChild_isCancelledWhenTheProcessDiedBetween(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		outer, inner := family(t, h, hang)
		log.CutAfter(1, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = h.Engine.Cancel(ctx, outer, h.Ana, "stop")
		h.Stop()
		log.Refuse(nil)
		h.Restart()
		for _, id := range []engine.RunID{outer, inner} {
			if run := h.Finish(id); run.Status != engine.RunCancelled {
				t.Errorf("run %s is %s", id.Short(), run.Status)
			}
		}
	})
}

func TestChild_countsToTheDepthLimitAndHasTheLocksOfAll(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
locks: ["s/tier"]
tasks: [{child: {name: b}}]
`)
		h.Finish(h.Start("b", nil))
		runs := h.Watched()
		if len(runs) != 9 {
			t.Fatalf("%d runs, want one and eight below it", len(runs))
		}
		deepest := 0
		for _, id := range runs {
			run := load(t, h, id)
			if run.Status != engine.RunFailed || len(run.Locks) != 0 && run.Requested.Parent != nil {
				t.Errorf("run %s is %s and took the locks %v: %s", id.Short(), run.Status, run.Locks, run.Message)
			}
			if p := run.Requested.Parent; p != nil && p.Depth == 8 {
				deepest++
				if !strings.Contains(run.Message, "more than 8 deep") {
					t.Errorf("the deepest run says %q", run.Message)
				}
			}
		}
		if deepest != 1 {
			t.Errorf("%d runs are at the limit, want 1", deepest)
		}
	})
}

// A lock of the task that starts a child is held for the child, as a lock of the run is.
func TestChild_worksUnderTheLocksOfItsTask(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("child", "data_stores: {s: {type: map}}\nlocks: [s/a]\ntasks: [{do: {name: one}}]\n")
		h.Book("parent", "data_stores: {s: {type: map}}\ntasks: [{child: {name: child, locks: [s/a]}}]\n")
		if run := h.Finish(h.Start("parent", nil)); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		wantNotHeld(t, h, "a")
	})
}
