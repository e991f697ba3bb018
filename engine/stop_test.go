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

// stopWithin stops the engine and gives what is under way so long.
func stopWithin(t *testing.T, h *enginetest.House, d time.Duration) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	began := time.Now()
	if err := h.Engine.Stop(ctx); err != nil {
		t.Error(err)
	}
	return time.Since(began)
}

func TestStop_letsWhatIsUnderWayEndAndBeginsNothing(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		h.Script.On("two", slow)
		id := h.Start("b", nil)
		synctest.Wait()
		if took := stopWithin(t, h, time.Hour); took != time.Minute {
			t.Errorf("the stop took %s, want the minute of the task", took)
		}
		if h.Script.Calls("three") != 0 {
			t.Error("a task began while the engine stopped")
		}
		if _, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "k", Actor: h.Ana, Playbook: "b"}); err == nil {
			open, _ := h.Log.Unfinished(t.Context())
			for _, run := range open {
				h.Watch(run)
			}
		}
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); engine.CodeOf(err) != engine.CodeBusy || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("a stopped engine says %v", err)
		}
		if err := h.Engine.Posted(t.Context(), id, "step/1", engine.Place{Channel: "C1", TS: "1.1"}); err != nil {
			t.Errorf("where a message stands is not kept: %v", err)
		}
		h.Restart()
		wantTranscript(t, h.Finish(id), "tasks.1 ok\ntasks.2 ok\ntasks.3 ok\non_success.1 ok\nalways.1 ok\nsuccess: 3 of 3 tasks done")
	})
}

func TestStop_cutsOffAfterTheDeadlineAndTheNextProcessAsksOrRepeats(t *testing.T) {
	t.Parallel()
	for effect, want := range map[engine.Effect]int{engine.Once: 1, engine.Idempotent: 2, engine.ReadOnly: 2} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", "tasks: [{do: {name: one, effect: "+string(effect)+"}}]")
			h.Script.On("one", func(ctx context.Context, n int, c *engine.Call) (engine.Result, error) {
				if n > 1 {
					return engine.Result{}, nil
				}
				return hang(ctx, n, c)
			})
			id := h.Start("b", nil)
			synctest.Wait()
			if took := stopWithin(t, h, 10*time.Second); took != 10*time.Second {
				t.Errorf("the stop took %s, want the deadline", took)
			}
			h.Restart()
			run := load(t, h, id)
			if got := h.Script.Calls("one"); got != want {
				t.Errorf("%s: ran %d times, want %d", effect, got, want)
			}
			if asks := run.Unknown() != nil; asks != (effect == engine.Once) {
				t.Errorf("%s: asks %v", effect, asks)
			}
			if effect == engine.Once {
				resolve(t, h, id, "tasks.1", engine.ResolveFailed)
			}
			h.Finish(id)
		})
	}
}

func TestStop_doesNotFailATaskThatWaitsForItsChild(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		outer, inner := family(t, h, slow)
		stopWithin(t, h, time.Hour)
		h.Restart()
		for _, id := range []engine.RunID{inner, outer} {
			if run := h.Finish(id); run.Status != engine.RunSuccess {
				t.Errorf("run %s is %s: %s", id.Short(), run.Status, run.Message)
			}
		}
		if h.Script.Calls("work") != 1 {
			t.Errorf("the child's task ran %d times", h.Script.Calls("work"))
		}
	})
}

func TestStop_whileItPreparesOrAsksFailsNothing(t *testing.T) {
	t.Parallel()
	for name, stopAt := range map[string]int{"preparing": 1, "asking": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", gatedBook)
				looks := 0
				h.Script.OnDiscover(func(ctx context.Context) error {
					if looks++; looks == stopAt {
						<-ctx.Done()
						return errors.New("the query was cut off")
					}
					return nil
				})
				id := h.Start("b", nil)
				synctest.Wait()
				h.Stop()
				h.Restart()
				approve(t, h, id)
				wantTranscript(t, h.Finish(id), "tasks.1 ok\ntasks.2 ok\nalways.1 ok\nsuccess: 2 of 2 tasks done")
			})
		})
	}
}

func TestWait_forgetsWhoWentAway(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		gate(t, h, id)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if run, err := h.Engine.Wait(ctx, id); !errors.Is(err, context.DeadlineExceeded) || run.Status != engine.RunWaiting {
			t.Errorf("got %v and a run that is %s", err, run.Status)
		}
		if n := h.Engine.Waiters(); n != 0 {
			t.Errorf("%d waiters are left", n)
		}
	})
}
