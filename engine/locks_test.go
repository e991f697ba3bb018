//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func wantNotHeld(t *testing.T, h *enginetest.House, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if holder, held := h.Script.Holder(key); held {
			t.Errorf("the lock %s is still held by %s", key, holder.Run.Short())
		}
	}
}

func TestLocks_areReleasedHoweverTheRunEnds(t *testing.T) {
	t.Parallel()
	howeverItEnds(t, func(t *testing.T, h *enginetest.House, how string) {
		h.Book("b", lockedBook)
		id := h.Start("b", nil)
		synctest.Wait()
		if how == "cancel" {
			if _, held := h.Script.Holder("deploy"); !held {
				t.Error("the lock is not held while the task runs")
			}
			cancelRun(t, h, id)
		}
		if run := h.Finish(id); !run.LocksReleased || !run.LocksTaken {
			t.Errorf("the run says taken %v, released %v", run.LocksTaken, run.LocksReleased)
		}
		wantNotHeld(t, h, "deploy")
	})
}

func TestLocks_areReleasedWhenThePreparationFailsAfterwards(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook+"nodes: {web: {type: list, nodes: []}}\n")
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunFailed || !strings.Contains(run.Message, "did not discover any nodes") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		wantNotHeld(t, h, "deploy")
	})
}

func TestLocks_ofARepeatedPreparationAreAllReleased(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs: {tier: {description: Tier, type: String, data: s/tier, required: false, default: alfa}}
locks: ["s/{{ inputs.tier }}"]
nodes: {web: {type: list, nodes: [web1]}}
tasks: [{do: {name: one}}]
`)
		h.Script.OnDiscover(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		id := h.Start("b", nil)
		synctest.Wait()
		h.Stop()
		h.Script.OnDiscover(nil)
		h.Script.Set("tier", "bravo") // the next process renders another name
		h.Restart()
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		wantNotHeld(t, h, "alfa", "bravo")
	})
}

func TestLocks_areReleasedAlthoughSomebodyCancelsOrStopsMeanwhile(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"cancel", "stop"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", lockedBook)
				first := true
				h.Script.OnUnlock(func(ctx context.Context) error {
					if !first {
						return nil
					}
					first = false
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(time.Minute):
						return nil
					}
				})
				id := h.Start("b", nil)
				synctest.Wait()
				if how == "stop" {
					h.Stop()
					h.Restart()
				} else if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
					t.Fatal(err)
				}
				if run := h.Finish(id); len(run.LockProblems) > 0 {
					t.Errorf("problems %v", run.LockProblems)
				}
				wantNotHeld(t, h, "deploy")
			})
		})
	}
}

func TestLocks_thatCannotBeReleasedAreNamed(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		h.Script.OnUnlock(func(context.Context) error { return errors.New("the store is away") })
		run := h.Finish(h.Start("b", nil))
		if len(run.LockProblems) != 1 || !strings.Contains(run.LockProblems[0], "release lock s/deploy: the store is away") {
			t.Errorf("got %v", run.LockProblems)
		}
	})
}

func TestLocks_waitInLineAndAreTakenInTurn(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		inside := 0
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			if inside++; inside != 1 {
				t.Errorf("%d runs hold the lock at once", inside)
			}
			defer func() { inside-- }()
			time.Sleep(10 * time.Second)
			return engine.Result{}, nil
		})
		var ids []engine.RunID
		for range 5 {
			ids = append(ids, h.Start("b", nil))
		}
		for _, id := range ids {
			if run := h.Finish(id); run.Status != engine.RunSuccess {
				t.Errorf("got %s: %s", run.Status, run.Message)
			}
		}
	})
}

// heldBook holds the lock of lockedBook while it waits for a person, without anything under way.
const heldBook = `
data_stores: {s: {type: map}}
locks: [s/deploy]
tasks: [{do: {name: one, destructive: true}}]
`

func TestLocks_nameTheHolderWhileTheyAreWaitedFor(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		first := atGate(h, heldBook)
		second := h.Start("b", nil)
		time.Sleep(time.Minute)
		run, err := h.Engine.Load(t.Context(), second)
		if err != nil {
			t.Fatal(err)
		}
		if w := run.Awaits; w == nil || w.Lock != "s/deploy" || w.Holder.Run != first {
			t.Errorf("the run says that it waits for %+v, want the lock s/deploy of %s", w, first)
		}
		cancelRun(t, h, first)
		if run = h.Finish(second); run.Awaits != nil || run.Status != engine.RunSuccess {
			t.Errorf("the run is %s and says that it waits for %+v", run.Status, run.Awaits)
		}
		told := 0
		for _, e := range h.Events(second) {
			if _, ok := e.Payload.(engine.LockAwaited); ok {
				told++
			}
		}
		if told != 1 {
			t.Errorf("one holder was told %d times", told)
		}
	})
}

func TestStop_doesNotWaitForALock(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		first := atGate(h, heldBook)
		second := h.Start("b", nil)
		synctest.Wait()
		restartAtOnce(t, h)
		cancelRun(t, h, first)
		if run := h.Finish(second); run.Status != engine.RunSuccess {
			t.Errorf("after the restart the run is %s: %s", run.Status, run.Message)
		}
	})
}

func TestLocks_ofATaskAreHeldForThatTaskOnly(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		act    enginetest.Act
		status engine.TaskStatus
	}{
		"success": {nil, engine.TaskOK},
		"failure": {func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{}, errors.New("no")
		}, engine.TaskFailed},
		"panic": {panics, engine.TaskFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", `
data_stores: {s: {type: map}}
tasks:
  - do: {name: before}
  - do: {name: one, locks: [s/one, "s/{{ metadata.name }}"], tries: 2, try_sleep: 1}
hooks:
  on_fail: [{do: {name: after}}]
  on_success: [{do: {name: after}}]
`)
				held := func(want bool) enginetest.Act {
					return func(ctx context.Context, n int, c *engine.Call) (engine.Result, error) {
						for _, key := range []string{"one", "b"} {
							if _, is := h.Script.Holder(key); is != want {
								t.Errorf("during %s the lock %s is held: %t", c.Path, key, is)
							}
						}
						if want && row.act != nil {
							return row.act(ctx, n, c)
						}
						return engine.Result{}, nil
					}
				}
				h.Script.On("before", held(false))
				h.Script.On("one", held(true))
				h.Script.On("after", held(false))
				if run := h.Finish(h.Start("b", nil)); run.Steps["tasks.2"].Status != row.status {
					t.Errorf("got\n%s", enginetest.Transcript(run))
				}
				wantNotHeld(t, h, "one", "b")
				if h.Script.Calls("after") != 1 {
					t.Error("nothing looked at the locks afterwards")
				}
			})
		})
	}
}

func TestLocks_ofATaskAreWaitedForAndNameTheirHolder(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "data_stores: {s: {type: map}}\ntasks: [{do: {name: one, locks: [s/one]}}]\n")
		other := engine.NewRunID(time.Now())
		h.Script.Hold("one", engine.Holder{Run: other, Who: "gus", Since: time.Now()})
		began := time.Now()
		run := h.Finish(h.Start("b", nil))
		if s := run.Steps["tasks.1"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, "is held by "+other.Short()+" (gus)") || h.Script.Calls("one") != 0 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("it waited %s", took)
		}
		if holder, _ := h.Script.Holder("one"); holder.Run != other {
			t.Error("the other run lost its lock")
		}
	})
}

// A lock that the run already holds is neither taken twice nor given back with the task.
func TestLocks_ofATaskThatTheRunHoldsStayWithTheRun(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "data_stores: {s: {type: map}}\nlocks: [s/deploy]\ntasks:\n  - do: {name: one, locks: [s/deploy]}\n  - do: {name: two}\n")
		h.Script.On("two", func(context.Context, int, *engine.Call) (engine.Result, error) {
			if _, held := h.Script.Holder("deploy"); !held {
				t.Error("the run has lost its lock")
			}
			return engine.Result{}, nil
		})
		h.Finish(h.Start("b", nil))
		wantNotHeld(t, h, "deploy")
		if h.Script.Calls("two") != 1 {
			t.Error("the second task did not run")
		}
	})
}

// A post_task hook runs while its task holds its locks, and does not give them back.
func TestLocks_ofATaskOutliveAHookThatNamesThemToo(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
tasks: [{do: {name: one, locks: [s/one]}}]
hooks:
  post_task:
    - do: {name: first, locks: [s/one]}
    - do: {name: second}
`)
		h.Script.On("second", func(context.Context, int, *engine.Call) (engine.Result, error) {
			if _, held := h.Script.Holder("one"); !held {
				t.Error("the task has lost its lock before its end")
			}
			return engine.Result{}, nil
		})
		h.Finish(h.Start("b", nil))
		wantNotHeld(t, h, "one")
		if h.Script.Calls("second") != 1 {
			t.Error("the second hook did not run")
		}
	})
}

func TestLocks_thatATimeoutCutsShortAreNotSaidToBeWaitedForLonger(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "timeout: 30s\ndata_stores: {s: {type: map}}\ntasks: [{do: {name: one, locks: [s/one]}}]\n")
		h.Script.Hold("one", engine.Holder{Run: engine.NewRunID(time.Now()), Who: "gus", Since: time.Now()})
		run := h.Finish(h.Start("b", nil))
		if got := run.Steps["tasks.1"].Last().Outcome.Result.Message; !strings.Contains(got, "(gus)") || !strings.Contains(got, "waited 30s") {
			t.Errorf("got %s", got)
		}
	})
}
