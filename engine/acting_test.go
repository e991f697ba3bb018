//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
)

// Nodes go on with what they were asked when nobody listens any more: for a minute, in these tests.
func TestActing_nodesAreKeptUntilWhatWasCutOffIsOver(t *testing.T) {
	t.Parallel()
	restart := func(h *enginetest.House) {
		h.Stop()
		h.Restart()
		synctest.Wait()
	}
	for name, row := range map[string]struct {
		task string // the rest of it
		then func(t *testing.T, h *enginetest.House, id engine.RunID)
		end  time.Duration // of the run, counted from the moment of the cut
		want engine.RunStatus
	}{
		"cancelled": {"", cancelRun, time.Minute, engine.RunCancelled},
		"timed out": {", timeout: 10", func(*testing.T, *enginetest.House, engine.RunID) {}, 10*time.Second + time.Minute, engine.RunFailed},
		"timed out, and its nodes are touched again": {", timeout: 10, tries: 2, try_sleep: 5", func(*testing.T, *enginetest.House, engine.RunID) {}, 25*time.Second + time.Minute, engine.RunFailed},
		"cut off by a crash and cancelled": {"", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			restart(h)
			time.Sleep(20 * time.Second)
			cancelRun(t, h, id)
		}, time.Minute, engine.RunCancelled},
		"cut off by a crash and aborted": {"", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			restart(h)
			time.Sleep(20 * time.Second)
			resolve(t, h, id, "tasks.1", engine.ResolveAbort)
		}, time.Minute, engine.RunCancelled},
		"cut off by a crash and marked failed at once": {"", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			restart(h)
			resolve(t, h, id, "tasks.1", engine.ResolveFailed)
		}, time.Minute, engine.RunFailed},
		"cut off by a crash long ago": {"", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			restart(h)
			time.Sleep(time.Hour)
			resolve(t, h, id, "tasks.1", engine.ResolveFailed)
		}, time.Hour, engine.RunFailed},
		"idempotent, and repeated after a crash": {", idempotent: true", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			restart(h)
			cancelRun(t, h, id)
		}, time.Minute, engine.RunCancelled},
		"a restart while they are kept": {"", func(t *testing.T, h *enginetest.House, id engine.RunID) {
			cancelRun(t, h, id)
			time.Sleep(30 * time.Second)
			restart(h)
		}, time.Minute, engine.RunCancelled},
		"never begun": {", destructive: true", cancelRun, 0, engine.RunCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t)
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				fleet.house = h
				h.Book("first", "tasks: [{touch: {nodes: [n1], takes: 60"+row.task+"}}]\n")
				h.Book("second", "tasks: [{touch: {nodes: [n1], takes: 1}}]\n")
				first := h.Start("first", nil)
				synctest.Wait()
				cut := time.Now()
				row.then(t, h, first)
				second := h.Start("second", nil)
				if run := h.Finish(first); run.Status != row.want || run.Ended.Sub(cut) != row.end {
					t.Errorf("the run is %s after %s", run.Status, run.Ended.Sub(cut))
				}
				if run := h.Finish(second); run.Status != engine.RunSuccess {
					t.Errorf("the next run is %s: %s", run.Status, run.Message)
				}
			}, fleet.types)
		})
	}
}

func TestActing_isToldWhileNothingElseIsLeftToDo(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t)
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		fleet.house = h
		h.Book("b", "tasks: [{touch: {nodes: [n1], takes: 60}}]\nhooks: {always: [{do: {name: tidy, pre_sleep: 5}}]}\n")
		id := h.Start("b", nil)
		synctest.Wait()
		began := time.Now()
		for after, want := range []time.Time{{}, {}, began.Add(time.Minute), {}} {
			switch after {
			case 1:
				cancelRun(t, h, id)
			case 2:
				time.Sleep(10 * time.Second)
			case 3:
				h.Finish(id)
			}
			if got := load(t, h, id).Lingers(); !got.Equal(want) {
				t.Errorf("step %d: it says that it keeps its nodes until %s, want %s", after, got, want)
			}
		}
	}, fleet.types)
}

// What a run that has nothing left to do waits for is not changed by what people say, and its outcome is not either.
func TestActing_nobodyChangesWhatIsOver(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		task string // the rest of it
		want engine.RunStatus
	}{
		"failed":    {"", engine.RunFailed},
		"tolerated": {", fail_ok: true", engine.RunSuccess},
		"cancelled": {", pre_sleep: 0", engine.RunCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t)
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				fleet.house = h
				h.Book("b", "tasks: [{touch: {nodes: [n1], takes: 60, timeout: 10"+row.task+"}}]\nhooks: {always: [{do: {name: tidy}}]}\n")
				s := steered{t, h, h.Start("b", nil)}
				if name == "cancelled" {
					s.after(10*time.Second - time.Nanosecond)
					s.ok("cancel")
				}
				s.after(20 * time.Second)
				until := s.run().Lingers()
				if until.IsZero() {
					t.Fatalf("it says nothing of its nodes\n%s", enginetest.Transcript(s.run()))
				}
				want := "has done everything and only waits for its end, so nothing was done: its nodes may still act on what was cut off, until " + until.UTC().Format("2006-01-02 15:04:05 UTC")
				for _, act := range []string{"cancel", "pause", "resume", "next", "stop", "slow every=5m"} {
					if err := s.say(act, ""); engine.CodeOf(err) != engine.CodeConflict || err == nil || !strings.HasSuffix(err.Error(), want) {
						t.Errorf("%s is answered %v, want %q", act, err, want)
					}
				}
				h.Stop()
				h.Restart()
				if run := h.Finish(s.id); run.Status != row.want || !run.Ended.Equal(until) || len(run.Steers) > 0 || h.Script.Calls("tidy") != 1 {
					t.Errorf("the run is %s at %s: %s", run.Status, run.Ended, run.Message)
				}
			}, fleet.types)
		})
	}
}

// A run that is held between two tasks is not over, whatever failed before.
func TestActing_isNotSaidOfARunThatGoesOn(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t)
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		fleet.house = h
		h.Book("b", "tasks: [{touch: {nodes: [n1], takes: 60, timeout: 10, fail_ok: true}}, {do: {name: two}}]\n")
		s := steered{t, h, h.Start("b", nil)}
		s.after(time.Second)
		s.ok("pause")
		s.after(20 * time.Second)
		s.wantHeld("tasks.2")
		if until := s.run().Lingers(); !until.IsZero() {
			t.Errorf("it says that it only waits until %s", until)
		}
		s.ok("resume")
		h.Finish(s.id)
	}, fleet.types)
}

// bursting has its nodes act for a minute, and panics while they do.
type bursting struct{ touch }

func (b bursting) Run(context.Context, *engine.Call) (engine.Result, error) { panic("boom") }

// A panic leaves nodes behind as a timeout does: nobody has them before they are done.
func TestActing_nodesAreKeptAfterAPanic(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{burst: {nodes: [n1]}}]\n")
		began := time.Now()
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunFailed || run.Ended.Sub(began) != time.Minute {
			t.Errorf("the run is %s after %s: %s", run.Status, run.Ended.Sub(began), run.Message)
		}
	}, func(o *engine.Options) {
		o.Types.Tasks = append(slices.Clone(o.Types.Tasks), engine.TaskType{
			Name: "burst", Summary: "changes nodes, and panics",
			Decode: func(p *playbooks.Properties) (engine.Task, error) {
				return bursting{touch{nodes: p.RequireStrings("nodes"), takes: time.Minute}}, p.Err()
			},
		})
	})
}
