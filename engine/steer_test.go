//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// steered is a run that people steer: each of its tasks takes a minute.
type steered struct {
	t  *testing.T
	h  *enginetest.House
	id engine.RunID
}

// steer starts a playbook and lets its first task begin.
func steer(t *testing.T, h *enginetest.House, body string) steered {
	t.Helper()
	for _, name := range []string{"restart", "health", "one", "two", "report", "tell", "close"} {
		h.Script.On(name, takesAMinute)
	}
	h.Book("b", body)
	s := steered{t, h, h.Start("b", nil)}
	synctest.Wait()
	return s
}

func takesAMinute(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
	select {
	case <-time.After(time.Minute):
		return engine.Result{Message: "done"}, nil
	case <-ctx.Done():
		return engine.Result{}, context.Cause(ctx)
	}
}

// say is what ana says; the code of what she is answered.
func (s steered) say(what, why string) error {
	s.t.Helper()
	return s.as(s.h.Ana, what, why)
}

func (s steered) as(who engine.Actor, what, why string) error {
	s.t.Helper()
	q := engine.Steering{Run: s.id, Actor: who, Reason: why}
	e, ctx := s.h.Engine, s.t.Context()
	var pace engine.Pace
	switch what {
	case "pause":
		return e.PauseRun(ctx, q)
	case "resume":
		return e.ResumeRun(ctx, q)
	case "next":
		return e.SendOn(ctx, q, 0)
	case "stop":
		return e.StopWaves(ctx, q)
	case "cancel":
		return e.Cancel(ctx, s.id, who, why)
	}
	for word := range strings.FieldsSeq(strings.TrimPrefix(what, "slow ")) {
		var err error
		if every, ok := strings.CutPrefix(word, "every="); ok {
			pace.Every, err = time.ParseDuration(every)
		} else {
			_, err = fmt.Sscanf(word, "size=%d", &pace.Size)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return e.SlowWaves(ctx, q, pace)
}

func (s steered) ok(what string) {
	s.t.Helper()
	if err := s.say(what, ""); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	synctest.Wait()
}

func (s steered) run() *engine.Run { return load(s.t, s.h, s.id) }

// after lets time pass.
func (s steered) after(d time.Duration) { time.Sleep(d); synctest.Wait() }

// wavesBegun are the nodes of the waves of a task that have begun.
func wavesBegun(run *engine.Run, p engine.Path) []string {
	var out []string
	for _, w := range run.Steps[p].Rollout.Begun {
		out = append(out, strings.Join(w.Nodes, " "))
	}
	return out
}

func (s steered) wantBegun(want ...string) {
	s.t.Helper()
	if got := wavesBegun(s.run(), "tasks.1"); !slices.Equal(got, want) {
		s.t.Errorf("the waves %q have begun, want %q", got, want)
	}
}

// wantHeld says before which task or wave the run stands still; "" when it does not.
func (s steered) wantHeld(want string) {
	s.t.Helper()
	got := ""
	run := s.run()
	if h := run.Held(); h != nil {
		got = string(h.Before)
		if h.Wave > 0 {
			got += fmt.Sprintf(" wave %d", h.Wave)
		}
	}
	if got != want || (want != "") != (run.Status == engine.RunWaiting) {
		s.t.Errorf("the run is %s and held before %q, want %q", run.Status, got, want)
	}
}

func TestPause_lets_the_wave_end_and_holds_the_next(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling("      waves: [1, 2]"))
		s.ok("pause")
		s.wantHeld("")
		s.after(72 * time.Hour)
		s.wantHeld("tasks.1 wave 2")
		s.wantBegun("k1")
		if n := h.Script.Calls("health"); n != 1 {
			t.Errorf("the wave under way had %d of its checks", n)
		}
		s.ok("next")
		s.wantHeld("")
		s.after(72 * time.Hour)
		s.wantHeld("tasks.1 wave 3")
		s.wantBegun("k1", "k2 k3")
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess || run.Steps["tasks.1"].Message != "5 of 5 nodes in 3 waves" {
			t.Errorf("got %s: %s", run.Status, run.Steps["tasks.1"].Message)
		}
	})
}

func TestPause_holds_a_wave_that_was_sent_on_before(t *testing.T) {
	t.Parallel()
	for name, acts := range map[string][]string{
		"slowed":  {"slow every=10m", "next", "pause"},
		"resumed": {"pause", "next", "resume", "pause"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling("      waves: [1, 2]"))
				for _, act := range acts {
					s.ok(act)
				}
				s.after(72 * time.Hour)
				s.wantHeld("tasks.1 wave 2")
				s.wantBegun("k1")
				s.ok("next")
				s.ok("resume")
				if run := h.Finish(s.id); run.Status != engine.RunSuccess {
					t.Errorf("got %s", run.Status)
				}
			})
		})
	}
}

func TestPause_holds_before_the_next_task_of_any_run(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, `
tasks: [{do: {name: one}}, {do: {name: two}}]
hooks:
  pre_task: [{do: {name: look}}]
  on_success: [{do: {name: tell}}]
  always: [{do: {name: report}}]
`)
		s.ok("pause")
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		if h.Script.Calls("one") != 1 || h.Script.Calls("two") != 0 || h.Script.Calls("look") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(s.run()))
		}
		s.ok("resume")
		s.ok("pause")
		s.after(time.Hour)
		s.wantHeld("on_success.1")
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess || len(run.Pauses) != 2 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// What tells of a failure and cleans up is not kept by a pause.
func TestPause_keeps_neither_on_fail_nor_always(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tasks string
		calls []string // once each
	}{
		"after a failure": {"tasks: [{do: {name: breaks}}, {do: {name: two}}]", []string{"breaks", "tell", "close", "report"}},
		"after the last":  {"tasks: [{do: {name: one}}]", []string{"one", "close", "report"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Script.On("breaks", func(ctx context.Context, n int, c *engine.Call) (engine.Result, error) {
					_, _ = takesAMinute(ctx, n, c)
					return engine.Result{}, errors.New("broken")
				})
				s := steer(t, h, "nodes: {kafka: {type: list, nodes: [k1]}}\n"+row.tasks+`
hooks:
  on_fail: [{do: {name: tell}}]
  post_book: [{do: {name: close}}]
  always: [{rolling: {nodes: "{{ nodes.kafka }}", batch_size: 1, tasks: [{do: {name: report, nodes: "{{ wave.nodes }}"}}]}}]
`)
				s.ok("pause")
				h.Finish(s.id)
				for _, call := range row.calls {
					if n := h.Script.Calls(call); n != 1 {
						t.Errorf("%s was done %d times", call, n)
					}
				}
			})
		})
	}
}

func TestSteering_isRefusedWithASentence(t *testing.T) {
	t.Parallel()
	const plain = "tasks: [{do: {name: one}}, {do: {name: two}}]"
	roll := rolling("      batch_size: 4")
	for name, row := range map[string]struct {
		body string
		acts []string // all but the last one are taken
		want string
	}{
		"paused twice":             {plain, []string{"pause", "pause"}, "is paused already, by ana since 2000"},
		"never paused":             {plain, []string{"resume"}, "is not paused; it is running"},
		"resumed twice":            {plain, []string{"pause", "resume", "resume"}, "is not paused: ana resumed it at 2000"},
		"no waves to send on":      {plain, []string{"pause", "next"}, "has no waves under way"},
		"no waves to slow":         {plain, []string{"slow every=5m"}, "has no waves under way"},
		"no waves to stop":         {plain, []string{"stop"}, "has no waves under way, so nothing was done; `pause"},
		"nothing keeps the next":   {roll, []string{"next"}, "nothing keeps wave 2"},
		"sent on twice":            {roll, []string{"pause", "next", "next"}, "wave 2 was sent on already, by ana"},
		"the last wave has begun":  {roll, []string{"pause", "next", "+150s", "next"}, "wave 2 is the last one, and it has begun"},
		"stopped twice":            {roll, []string{"stop", "stop"}, "the waves were stopped already, by ana"},
		"slowed when stopped":      {roll, []string{"stop", "slow size=1"}, "the waves were stopped already"},
		"the same pace":            {roll, []string{"slow every=5m", "slow every=5m"}, "that is the pace of the waves already"},
		"a pace that is none":      {roll, []string{"slow every=0s"}, "that is the pace of the waves already"},
		"a pause for ever":         {roll, []string{"slow every=999h"}, "takes 0s to 14d"},
		"a pause before":           {roll, []string{"slow every=-1s"}, "takes 0s to 14d"},
		"a wave of less than none": {roll, []string{"slow size=-1"}, "a wave has 1 node at least"},
		"cancelled":                {plain + "\nhooks: {always: [{do: {name: report}}]}", []string{"cancel", "pause"}, "is being cancelled"},
		"over":                     {plain, []string{"+1h", "pause"}, "has ended: success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, row.body)
				last := len(row.acts) - 1
				for _, act := range row.acts[:last] {
					if wait, ok := strings.CutPrefix(act, "+"); ok {
						d, err := time.ParseDuration(wait)
						if err != nil {
							t.Fatal(err)
						}
						s.after(d)
						continue
					}
					if err := s.say(act, ""); err != nil {
						t.Fatalf("%s: %v", act, err)
					}
				}
				err := s.say(row.acts[last], "")
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("got %v, want %q", err, row.want)
				}
			})
		})
	}
}

func TestSteering_isForWhoMaySteer(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling("      batch_size: 1"))
		for _, act := range []string{"pause", "resume", "next", "slow every=1m", "stop"} {
			if err := s.as(h.Gus, act, ""); engine.CodeOf(err) != engine.CodeDenied || err == nil {
				t.Errorf("gus says %s and is answered %v", act, err)
			}
		}
		if run := s.run(); len(run.Steers) != 0 {
			t.Errorf("what was refused is in the log: %+v", run.Steers)
		}
		refused := 0
		for e, err := range h.Log.Read(t.Context(), engine.BotStream) {
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := e.Payload.(engine.Refused); ok && p.Verb == "steer" && p.Actor.Is(h.Gus) {
				refused++
			}
		}
		if refused != 5 {
			t.Errorf("%d refusals were written down, want 5", refused)
		}
		h.Finish(s.id)
	})
}

func TestSlow_puts_time_between_waves_and_cuts_them_smaller(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		began := time.Now()
		s := steer(t, h, rolling("      waves: [1, 4]"))
		s.ok("slow every=10m size=3")
		s.after(2*time.Minute + 9*time.Minute)
		s.wantBegun("k1")
		s.after(time.Minute)
		s.wantBegun("k1", "k2 k3 k4")
		if count := s.run().Steps["tasks.1.wave2.1"].Last().Nodes; !slices.Equal(count, []string{"k2", "k3", "k4"}) {
			t.Errorf("the wave works on %q", count)
		}
		s.ok("next")
		s.after(2 * time.Minute)
		s.wantBegun("k1", "k2 k3 k4", "k5")
		run := h.Finish(s.id)
		if took := time.Since(began); took != 2*time.Minute+10*time.Minute+2*time.Minute+2*time.Minute {
			t.Errorf("the run took %s", took)
		}
		if got := run.Steps["tasks.1"].Message; got != "5 of 5 nodes in 3 waves" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSlow_never_makes_a_wave_larger_and_can_be_lifted(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling("      batch_size: 2"))
		s.ok("slow size=1 every=1h")
		s.ok("slow size=4")
		h.Finish(s.id)
		s.wantBegun("k1 k2", "k3 k4", "k5")
	})
}

func TestStop_ends_the_task_with_the_wave_that_is_under_way(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys   string
		task   engine.TaskStatus
		status engine.RunStatus
	}{
		"failed":                 {"", engine.TaskFailed, engine.RunFailed},
		"tolerated with fail_ok": {"\n      fail_ok: true", engine.TaskTolerated, engine.RunSuccess},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling("      batch_size: 2"+row.keys))
				if err := s.say("stop", "errors rise"); err != nil {
					t.Fatal(err)
				}
				run := h.Finish(s.id)
				step := run.Steps["tasks.1"]
				if diff := cmp.Diff([]engine.ReportSteer{{Time: run.Steers[0].At, Actor: "ana", Said: "waves_stopped", Reason: "errors rise"}}, run.Report().Steering); diff != "" {
					t.Errorf("report (-want +got):\n%s", diff)
				}
				if want := "stopped by ana after wave 1 of 3: errors rise; 3 nodes of later waves were not touched: k3, k4, k5"; step.Message != want || step.Status != row.task || run.Status != row.status {
					t.Errorf("got %s, %s: %s", run.Status, step.Status, step.Message)
				}
				want := engine.Result{Message: step.Message, OKNodes: []string{"k1", "k2"}, UnaskedNodes: []string{"k3", "k4", "k5"}}
				if diff := cmp.Diff(&want, step.Result); diff != "" {
					t.Errorf("result (-want +got):\n%s", diff)
				}
				if h.Script.Calls("health") != 1 {
					t.Error("the wave under way did not end")
				}
			})
		})
	}
}

func TestStop_moves_a_run_that_is_held(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling("      batch_size: 2\n      fail_ok: true"))
		s.ok("pause")
		s.after(time.Hour)
		s.ok("stop")
		s.wantHeld("tasks.2") // the run is paused all the same
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// fail_ok holds for a rolling task too, which was not so.
func TestRolling_that_may_fail_is_tolerated(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", rolling("      batch_size: 2\n      fail_ok: true"))
		failOn(h, "restart", "k1")
		run := h.Finish(h.Start("b", nil))
		if s := run.Steps["tasks.1"]; s.Status != engine.TaskTolerated || run.Status != engine.RunSuccess {
			t.Errorf("got %s, and the run %s", s.Status, run.Status)
		}
		if got := run.Steps["tasks.1"].Result.UnaskedNodes; !slices.Equal(got, []string{"k3", "k4", "k5"}) {
			t.Errorf("not asked were %q", got)
		}
	})
}

func TestPause_survives_the_process(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, _ *enginetest.FaultyLog) {
		s := steer(t, h, rolling("      batch_size: 2"))
		s.ok("pause")
		s.after(time.Hour)
		s.wantHeld("tasks.1 wave 2")
		for range 3 {
			h.Stop()
			time.Sleep(time.Hour)
			h.Restart()
			s.after(time.Hour)
			s.wantHeld("tasks.1 wave 2")
			s.wantBegun("k1 k2")
		}
		s.ok("resume")
		h.Finish(s.id)
	})
}

func TestPause_takesBackAQuestionAndAsksAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "tasks: [{do: {name: one, destructive: true}}]")
		first := gate(t, h, s.id)
		s.ok("pause")
		s.wantHeld("tasks.1")
		if a, _ := s.run().Approval(first.Approval); a.State != engine.ApprovalWithdrawn || a.Why != "the run was paused by ana" {
			t.Errorf("the question is %s: %s", a.State, a.Why)
		}
		s.after(72 * time.Hour)
		s.wantHeld("tasks.1")
		s.ok("resume")
		approve(t, h, s.id)
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestPause_countsAgainstNoTimeout(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "timeout: 20m\n"+rolling("      batch_size: 2\n      timeout: 10m"))
		s.ok("pause")
		s.after(24 * time.Hour)
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestSlow_endsWithTheTimeoutOfTheWaves(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		began := time.Now()
		s := steer(t, h, rolling("      batch_size: 2\n      timeout: 10m"))
		s.ok("slow every=1h")
		run := h.Finish(s.id)
		if took := time.Since(began); took != 10*time.Minute || run.Status != engine.RunFailed {
			t.Errorf("got %s after %s", run.Status, took)
		}
		if want := "wave 2 of 3; the waves may take 10m0s, their timeout, and no longer; 3 nodes of later waves were not touched: k3, k4, k5"; run.Steps["tasks.1"].Message != want {
			t.Errorf("got %q", run.Steps["tasks.1"].Message)
		}
	})
}

func TestCancel_ofARunThatIsHeldRunsAlways(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling("      batch_size: 2")+"hooks: {always: [{do: {name: report}}]}\n")
		s.ok("pause")
		s.after(time.Hour)
		s.ok("cancel")
		if run := h.Finish(s.id); run.Status != engine.RunCancelled || h.Script.Calls("report") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
	})
}

// What was decided before somebody paused the run, and has not begun, does not begin.
func TestPause_holds_what_was_decided_and_has_not_begun(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "nodes: {web: {type: list, nodes: [web1]}}\ntasks: [{do: {name: tell}}, {do: {name: one, destructive: true}}]")
		pause := func() func(context.Context) error {
			var once sync.Once
			return func(context.Context) error {
				once.Do(func() {
					if err := s.say("pause", ""); err != nil {
						t.Error(err)
					}
				})
				return nil
			}
		}
		h.Script.OnDiscover(pause()) // while it looks at the nodes to ask
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		if n := len(s.run().Approvals); n != 0 {
			t.Errorf("a paused run asked %d times", n)
		}
		s.ok("resume")
		gate(t, h, s.id)
		h.Script.OnDiscover(pause()) // while it looks at them once more, after the yes
		approve(t, h, s.id)
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		if h.Script.Calls("one") != 0 {
			t.Error("a paused run began a task")
		}
		s.ok("resume")
		approve(t, h, s.id)
		h.Finish(s.id)
	})
}

// What waits for nodes that another run has is no intent yet.
func TestPause_holds_what_waits_for_nodes(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, `
tasks:
  - do: {name: look, as: look}
  - do: {name: one, nodes: "{{ tasks.look.ok_nodes }}"}
`)
		h.Finish(s.id)
		h.Script.On("look", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{OKNodes: []string{"n9"}}, nil
		})
		release := h.Engine.Hold(engine.Holder{Run: "somebody", Who: "gus", Since: time.Now()}, []string{"n9"})
		s.id = h.Start("b", nil)
		s.after(10 * time.Second)
		s.ok("pause")
		s.after(10 * time.Second)
		release()
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		if n := len(s.run().Steps["tasks.2"].Attempts); n != 0 || h.Script.Calls("one") != 1 {
			t.Errorf("%d attempts began in a paused run", n)
		}
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess || h.Script.Calls("one") != 2 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}
