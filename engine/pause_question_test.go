//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// askingWaves is a rolling task whose waves ask inside, before the first node of each is touched.
const askingWaves = `
nodes: {kafka: {type: list, nodes: [k1, k2]}}
tasks:
  - rolling: {nodes: "{{ nodes.kafka }}", batch_size: 1, tasks: [{do: {name: restart, nodes: "{{ wave.nodes }}", destructive: true}}]}
`

// A question that is open in a pause would expire in it, and that is a no.
func TestPause_takesBackAQuestionWhereverItStands(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body, held string
		yeses      int // to the end of the run
	}{
		"in a wave":            {askingWaves, "tasks.1.wave1.1", 2},
		"in a hook before":     {"tasks: [{do: {name: two}}]\nhooks: {pre_task: [{do: {name: one, destructive: true}}]}", "tasks.1.pre_task.1", 1},
		"in a hook after":      {"tasks: [{do: {name: quick}}]\nhooks: {post_task: [{do: {name: one, destructive: true}}]}", "tasks.1.post_task.1", 1},
		"in what cleans up":    {"tasks: [{do: {name: quick}}]\nhooks: {always: [{do: {name: one, destructive: true}}]}", "always.1", 1},
		"in what tells of one": {"tasks: [{do: {name: quick}}]\nhooks: {post_book: [{do: {name: one, destructive: true}}]}", "post_book.1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, row.body)
				first := gate(t, h, s.id)
				s.ok("pause")
				s.wantHeld(row.held)
				if a, _ := s.run().Approval(first.Approval); a.State != engine.ApprovalWithdrawn || a.Why != "the run was paused by ana" {
					t.Errorf("the question is %s: %s", a.State, a.Why)
				}
				s.after(72 * time.Hour)
				s.wantHeld(row.held)
				s.ok("resume")
				for range row.yeses {
					approve(t, h, s.id)
					s.after(2 * time.Minute)
				}
				if run := h.Finish(s.id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

// What comes to a question while the run is paused does not ask either, also not when a process dies meanwhile.
func TestPause_asksNobody(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, _ *enginetest.FaultyLog) {
		s := steer(t, h, "tasks: [{do: {name: one}}]\nhooks: {post_task: [{do: {name: two, destructive: true}}]}")
		s.ok("pause")
		for range 2 {
			s.after(72 * time.Hour)
			s.wantHeld("tasks.1.post_task.1")
			if n := len(s.run().Approvals); n != 0 {
				t.Errorf("a paused run asked %d times", n)
			}
			h.Stop()
			h.Restart()
			synctest.Wait()
		}
		s.ok("resume")
		approve(t, h, s.id)
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// Who sends a wave on in a pause wants it whole: it asks, and so does the one that has to end before.
func TestNext_letsTheWaveAskInAPause(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, askingWaves)
		gate(t, h, s.id)
		s.ok("pause")
		s.wantHeld("tasks.1.wave1.1")
		s.ok("next")
		approve(t, h, s.id) // of wave 1
		s.after(2 * time.Minute)
		s.wantBegun("k1", "k2")
		second := gate(t, h, s.id)
		s.ok("resume")
		if a, _ := s.run().Approval(second.Approval); a.State != engine.ApprovalPending {
			t.Errorf("the question of the wave that was sent on is %s", a.State)
		}
		s.ok("pause") // said later, it holds what the wave asks
		s.wantHeld("tasks.1.wave2.1")
		s.ok("resume")
		approve(t, h, s.id)
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// A person who has an attempt go again says what became of it, and not that the run is paused no more.
func TestPause_holdsARetry(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: breaks}}]")
		h.Script.On("breaks", hang)
		s := steered{t, h, h.Start("b", nil)}
		synctest.Wait()
		h.Stop()
		h.Script.On("breaks", nil)
		h.Restart()
		synctest.Wait()
		s.ok("pause")
		resolve(t, h, s.id, "tasks.1", engine.ResolveRetry)
		s.after(72 * time.Hour)
		s.wantHeld("tasks.1")
		if n := h.Script.Calls("breaks"); n != 1 {
			t.Errorf("it was done %d times in a paused run", n)
		}
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess || h.Script.Calls("breaks") != 2 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// A try that follows a failure is part of what is under way, but the person who lets the run ask again is asked.
func TestPause_letsTheTriesOfATaskGoOn(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("breaks", func(ctx context.Context, n int, c *engine.Call) (engine.Result, error) {
			if n == 1 {
				_, _ = takesAMinute(ctx, n, c)
				return engine.Result{}, errors.New("broken")
			}
			return engine.Result{}, nil
		})
		s := steer(t, h, "tasks: [{do: {name: breaks, destructive: true, tries: 2}}, {do: {name: two}}]")
		approve(t, h, s.id)
		s.after(time.Second)
		s.ok("pause")
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess || h.Script.Calls("breaks") != 2 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}
