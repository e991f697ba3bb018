//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestDisk_aRequestThatCannotBeWrittenStartsNothing(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", threeTasks)
		log.Refuse(syscall.ENOSPC)
		q := engine.StartRequest{Key: "click", Actor: h.Ana, Playbook: "b"}
		if _, err := h.Engine.Start(t.Context(), q); engine.CodeOf(err) != engine.CodeBusy || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v, want that it is busy because the disk is full", err)
		}
		log.Refuse(nil)
		if open, err := log.Unfinished(t.Context()); err != nil || len(open) != 0 {
			t.Errorf("open runs %v (%v)", open, err)
		}
		id, err := h.Engine.Start(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		h.Watch(id)
		h.Finish(id)
	})
}

func TestDisk_whileItRefusesNothingBeginsAndNothingIsLost(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", threeTasks)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			log.Refuse(syscall.ENOSPC) // it fills while the task works
			return engine.Result{Message: "the only one who knows"}, nil
		})
		id := h.Start("b", nil)
		time.Sleep(time.Hour)
		if h.Script.Calls("two") != 0 {
			t.Error("a task began whose intent is not on disk")
		}
		if n := log.Refused(); n < 1000 || n > 8000 {
			t.Errorf("%d writes were tried in an hour, want about one a second", n)
		}
		if run := load(t, h, id); run.Steps["tasks.1"].Last().Outcome != nil {
			t.Error("the outcome is on a disk that refuses")
		}
		log.Refuse(nil)
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || run.Steps["tasks.1"].Message != "the only one who knows" || h.Script.Calls("one") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
	})
}

func TestDisk_aPersonIsNotKeptWaitingAndTheirWordCountsOnceItIsWritten(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		a := gate(t, h, id)
		log.Refuse(syscall.ENOSPC)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		err := h.Engine.Approve(ctx, engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ben})
		if engine.CodeOf(err) != engine.CodeBusy {
			t.Errorf("got %v, want that it could not be written down yet", err)
		}
		synctest.Wait()
		if h.Script.Calls("drain") != 0 {
			t.Error("the task began on a yes that is not on disk")
		}
		log.Refuse(nil)
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestDisk_aStopWhileItRefusesEndsAndTheNextProcessGoesOn(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", threeTasks)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			log.Refuse(syscall.ENOSPC)
			return engine.Result{}, nil
		})
		id := h.Start("b", nil)
		synctest.Wait()
		if took := stopWithin(t, h, 10*time.Second); took != 10*time.Second {
			t.Errorf("the stop took %s", took)
		}
		log.Refuse(nil)
		h.Restart()
		resolve(t, h, id, "tasks.1", engine.ResolveDone)
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestRunner_letsGoOfAStreamThatSomebodyElseWrote(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", threeTasks)
		h.Script.On("two", slow)
		id := h.Start("b", nil)
		synctest.Wait()
		if _, err := log.Append(t.Context(), id.Stream(), engine.AnySeq, engine.Announced{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if h.Script.Calls("three") != 0 {
			t.Error("the run went on although its stream is another's")
		}
		h.Stop()
		h.Restart()
		resolve(t, h, id, "tasks.2", engine.ResolveDone)
		h.Finish(id)
	})
}

func TestStart_ofOneKeyFromManyIsOneRun(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		var wg sync.WaitGroup
		var mu sync.Mutex
		runs, fresh := map[engine.RunID]bool{}, 0
		for range 50 {
			wg.Go(func() {
				id, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "one click", Actor: h.Ana, Playbook: "b"})
				mu.Lock()
				defer mu.Unlock()
				runs[id] = true
				if err == nil {
					fresh++
				}
			})
		}
		wg.Wait()
		if len(runs) != 1 || fresh != 1 {
			t.Fatalf("%d runs, of which %d are new", len(runs), fresh)
		}
		for id := range runs {
			h.Watch(id)
			h.Finish(id)
		}
		if n := h.Script.Calls("one"); n != 1 {
			t.Errorf("the task ran %d times", n)
		}
	})
}

func TestStart_of100AtOnceLosesNone(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		ids := make([]engine.RunID, 100)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				id, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: fmt.Sprint(i), Actor: h.Ana, Playbook: "b"})
				if err != nil {
					t.Error(err)
				}
				ids[i] = id
			})
		}
		wg.Wait()
		for _, id := range ids {
			h.Watch(id)
			if run := h.Finish(id); run.Status != engine.RunSuccess {
				t.Errorf("run %s is %s: %s", id.Short(), run.Status, run.Message)
			}
		}
		for _, name := range []string{"one", "two", "three", "hooray", "cleanup"} {
			if n := h.Script.Calls(name); n != 100 {
				t.Errorf("%s ran %d times, want 100", name, n)
			}
		}
	})
}
