package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestProgress_isOfTheAttemptThatIsUnderWay(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		t.Helper()
		h.Book("b", "tasks: [{do: {name: one}}, {do: {name: two}}]")
		free := make(chan struct{})
		h.Script.On("one", func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
			c.Tell(engine.Progress{Of: 10, OK: 3, Failed: 1, Silent: 1})
			<-free
			return engine.Result{}, nil
		})
		h.Script.On("two", func(context.Context, int, *engine.Call) (engine.Result, error) {
			<-free
			return engine.Result{}, nil
		})
		id := h.Start("b", nil)
		synctest.Wait()
		p, ok := h.Engine.Progress(id)
		if !ok || p.Path != "tasks.1" || p.Attempt != 1 || p.Done() != 5 || p.Of != 10 || p.Began.IsZero() {
			t.Errorf("got %+v, %t", p, ok)
		}
		free <- struct{}{}
		synctest.Wait()
		if p, ok := h.Engine.Progress(id); ok {
			t.Errorf("a task that tells nothing is at %+v", p)
		}
		close(free)
		h.Finish(id)
		if p, ok := h.Engine.Progress(id); ok {
			t.Errorf("a run that is over is at %+v", p)
		}
	})
}

func TestProgress_estimatesTheRestOnlyWhenBatchesSaySomething(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		batch, batches int
		passed, now    time.Duration // until the batch began, and until now
		want           time.Duration
	}{
		"no batches":                   {0, 0, 0, time.Minute, 0},
		"two are over":                 {3, 10, 20 * time.Second, 25 * time.Second, 0},
		"three are over":               {4, 10, 30 * time.Second, 30 * time.Second, 70 * time.Second},
		"in the middle of the fourth":  {4, 10, 30 * time.Second, 35 * time.Second, 65 * time.Second},
		"the last":                     {10, 10, 90 * time.Second, 95 * time.Second, 5 * time.Second},
		"the last, and slow":           {10, 10, 90 * time.Second, 110 * time.Second, 0},
		"counted wrong by whoever did": {12, 10, 90 * time.Second, 95 * time.Second, 0},
	} {
		p := engine.Progress{Batch: row.batch, Batches: row.batches, Began: began, BatchBegan: began.Add(row.passed)}
		got, ok := p.Rest(began.Add(row.now))
		if !ok {
			got = 0
		}
		if got != row.want || ok != (row.want > 0) {
			t.Errorf("%s: got %s, %t, want %s", name, got, ok, row.want)
		}
	}
}
