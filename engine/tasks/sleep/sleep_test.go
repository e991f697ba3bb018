package sleep_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/sleep"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

func TestSleep_passesTheSuite(t *testing.T) {
	t.Parallel()
	tasktest.Run(t, tasktest.Case{
		Type: sleep.Type(), Good: map[string]any{"duration": "20ms"},
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return map[string]any{"duration": "1h"}, nil },
	})
}

func TestSleep_lastsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	for duration, want := range map[any]time.Duration{
		10: 10 * time.Second, "10": 10 * time.Second, 1.5: 1500 * time.Millisecond, "90s": 90 * time.Second, "1d": 24 * time.Hour, 0: 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			task, err := sleep.Type().Decode(playbooks.FromMap(map[string]any{"duration": duration}))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := task.Run(t.Context(), tasktest.Call(nil)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%v: slept %s, want %s", duration, took, want)
			}
		})
	}
}

func TestSleep_whatWasSleptBeforeCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		task, err := sleep.Type().Decode(playbooks.FromMap(map[string]any{"duration": "10m"}))
		if err != nil {
			t.Fatal(err)
		}
		for ago, want := range map[time.Duration]time.Duration{4 * time.Minute: 6 * time.Minute, time.Hour: 0} {
			c := tasktest.Call(nil)
			began := time.Now()
			c.Started = began.Add(-ago)
			if _, err := task.Run(t.Context(), c); err != nil || time.Since(began) != want {
				t.Errorf("begun %s ago: slept %s more, %v; want %s", ago, time.Since(began), err, want)
			}
		}
	})
}

// house is an engine on a real file; it belongs into a bubble of virtual time.
func house(t *testing.T) *enginetest.House {
	t.Helper()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return enginetest.NewHouse(t, log, func(o *engine.Options) { o.Types.Tasks = append(o.Types.Tasks, sleep.Type()) })
}

func TestSleep_resumesTheRemainderAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("b", `tasks: [{sleep: {duration: 10m}}]`)
		began := time.Now()
		id := h.Start("b", nil)
		time.Sleep(4 * time.Minute)
		h.Stop()
		time.Sleep(time.Minute) // nobody is there
		h.Restart()
		run := h.Finish(id)
		if took := time.Since(began); run.Status != engine.RunSuccess || took < 10*time.Minute || took > 10*time.Minute+10*time.Second {
			t.Errorf("%s after %s: %s; want success after 10m", run.Status, took, run.Message)
		}
		if n := len(run.Steps["tasks.1"].Attempts); n != 2 {
			t.Errorf("%d attempts are on record, want the one that was cut off and its repeat", n)
		}
	})
}

func TestSleep_isOverWhenItsTimePassedDuringTheRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("b", `tasks: [{sleep: {duration: 10m}}]`)
		id := h.Start("b", nil)
		time.Sleep(4 * time.Minute)
		h.Stop()
		time.Sleep(time.Hour)
		h.Restart()
		began := time.Now()
		if run := h.Finish(id); run.Status != engine.RunSuccess || time.Since(began) > 10*time.Second {
			t.Errorf("%s %s after the restart: %s", run.Status, time.Since(began), run.Message)
		}
	})
}

func TestSleep_eachTrySleepsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := house(t)
		h.Book("b", `tasks: [{sleep: {duration: 10m}}, {sleep: {duration: 10m}}]`)
		began := time.Now()
		h.Finish(h.Start("b", nil))
		if took := time.Since(began); took < 20*time.Minute {
			t.Errorf("two sleeps of 10m took %s", took)
		}
	})
}

func TestSleep_durationIsChecked(t *testing.T) {
	t.Parallel()
	for duration, want := range map[any]string{"soon": "must be a duration", -5: "must be a duration", "": "must be a duration", nil: "duration is missing"} {
		_, err := sleep.Type().Decode(playbooks.FromMap(map[string]any{"duration": duration}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", duration, err, want)
		}
	}
}
