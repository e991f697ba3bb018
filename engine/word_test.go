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

// registrar looks people up: it takes a second, and says no to whom it does not like.
type registrar struct {
	gone  map[string]bool
	takes time.Duration
}

func newRegistrar() *registrar { return &registrar{gone: map[string]bool{}, takes: time.Second} }

func (r *registrar) use(o *engine.Options) {
	o.Vouch = func(ctx context.Context, a engine.Actor) error {
		select {
		case <-time.After(r.takes):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if r.gone[a.Name] {
			return errors.New(a.Name + " is a guest here")
		}
		return nil
	}
}

// refusals are the words of people that did not count, with why.
func refusals(h *enginetest.House, id engine.RunID) []string {
	var out []string
	for _, e := range h.Events(id) {
		if p, ok := e.Payload.(engine.WordWeighed); ok && p.Refused != "" {
			out = append(out, p.Actor.Name+" "+p.Said+": "+p.Refused)
		}
	}
	return out
}

// Whoever the rules still know and the workspace does not moves nothing: the policy may be older than the people.
func TestWord_ofAGuestDoesNotCount(t *testing.T) {
	t.Parallel()
	for act, said := range map[string]string{
		"pause": "run_paused", "next": "wave_sent_on", "slow every=5m": "waves_slowed", "stop": "waves_stopped",
		"resume": "run_resumed", "cancel": "cancel_requested",
	} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			people := newRegistrar()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling("      batch_size: 2"))
				s.after(2 * time.Second)
				if act == "next" || act == "resume" {
					s.ok("pause")
					s.after(2 * time.Second)
				}
				steers := len(s.run().Steers)
				people.gone["ana"] = true
				s.ok(act) // the answer does not wait for a look-up
				s.after(10 * time.Second)
				run := s.run()
				if len(run.Steers) != steers || run.Cancel != nil || h.Script.Calls("restart") != 1 {
					t.Errorf("it counted: %+v, cancelled by %v", run.Steers[steers:], run.Cancel)
				}
				if got, want := strings.Join(refusals(h, s.id), "; "), "ana "+said+": ana is a guest here"; got != want {
					t.Errorf("the refusals are %q, want %q", got, want)
				}
				refused := 0
				for e, err := range h.Log.Read(t.Context(), engine.BotStream) {
					if p, ok := e.Payload.(engine.Refused); err == nil && ok && p.Actor.Is(h.Ana) && p.Run == s.id {
						refused++
					}
				}
				if refused != 1 {
					t.Errorf("%d refusals stand in the stream of the bot", refused)
				}
				people.gone["ana"] = false
				if act == "next" || act == "resume" {
					s.ok("resume")
				}
				if run := h.Finish(s.id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			}, people.use)
		})
	}
}

func TestWord_countsWhenTheLookUpIsOver(t *testing.T) {
	t.Parallel()
	people := newRegistrar()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("one", hang)
		h.Book("b", "tasks: [{do: {name: one}}]\nhooks: {always: [{do: {name: report}}]}")
		s := steered{t, h, h.Start("b", nil)}
		s.after(2 * time.Second)
		s.ok("cancel")
		if run := s.run(); run.Cancel != nil || len(run.Words) != 1 {
			t.Errorf("before the look-up it is cancelled by %v, and %d words wait", run.Cancel, len(run.Words))
		}
		began := time.Now()
		if run := h.Finish(s.id); run.Status != engine.RunCancelled || run.Ended.Sub(began) != time.Second || len(run.Words) != 0 {
			t.Errorf("got %s after %s", run.Status, run.Ended.Sub(began))
		}
	}, people.use)
}

func TestWord_onAnAttemptThatWasCutOffOfAGuestDoesNotCount(t *testing.T) {
	t.Parallel()
	people := newRegistrar()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("one", hang)
		h.Book("b", "tasks: [{do: {name: one}}]")
		s := steered{t, h, h.Start("b", nil)}
		s.after(2 * time.Second)
		h.Stop()
		h.Script.On("one", nil)
		h.Restart()
		people.gone["ben"] = true
		resolve(t, h, s.id, "tasks.1", engine.ResolveRetry)
		s.after(time.Minute)
		if run := s.run(); run.Unknown() == nil || h.Script.Calls("one") != 1 {
			t.Errorf("the word counted\n%s", enginetest.Transcript(run))
		}
		people.gone["ben"] = false
		resolve(t, h, s.id, "tasks.1", engine.ResolveRetry)
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, people.use)
}

// A word that was answered is on disk, so that a crash in the middle of the look-up takes nothing away from it.
func TestWord_isLookedUpAgainAfterARestart(t *testing.T) {
	t.Parallel()
	people := newRegistrar()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "tasks: [{do: {name: one, effect: idempotent}}, {do: {name: two}}]")
		s.after(2 * time.Second)
		people.takes = time.Hour
		s.ok("pause")
		h.Stop()
		people.takes = time.Second
		h.Restart()
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		s.ok("resume")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, people.use)
}

// Two people may say the same before either is looked up: the second comes too late, and is told.
func TestWord_thatComesTooLateMeanwhileIsRefused(t *testing.T) {
	t.Parallel()
	people := newRegistrar()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "tasks: [{do: {name: one}}, {do: {name: two}}]")
		s.after(2 * time.Second)
		s.ok("pause")
		if err := s.as(h.Ben, "pause", ""); err != nil {
			t.Fatal(err)
		}
		s.after(time.Hour)
		s.wantHeld("tasks.2")
		got := refusals(h, s.id)
		if len(got) != 1 || !strings.Contains(got[0], "is paused already, by ana") {
			t.Errorf("the refusals are %q", got)
		}
		s.ok("resume")
		s.ok("cancel")
		synctest.Wait()
		if run := h.Finish(s.id); run.Status != engine.RunCancelled || len(run.Pauses) != 1 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, people.use)
}

// Who was answered that nothing further begins finds that it is so, however long the look-up takes.
func TestWord_thatHoldsARunHoldsItWhileItIsLookedUp(t *testing.T) {
	t.Parallel()
	for act, want := range map[string]engine.RunStatus{"pause": engine.RunWaiting, "cancel": engine.RunCancelled} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			people := newRegistrar()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, "tasks: [{do: {name: one}}, {do: {name: two}}]")
				s.after(2 * time.Second)
				people.takes = 10 * time.Minute
				s.ok(act)
				s.after(5 * time.Minute)
				if n := h.Script.Calls("two"); n != 0 {
					t.Errorf("the next task was done %d times while ana was looked up", n)
				}
				s.after(10 * time.Minute)
				if run := s.run(); run.Status != want || h.Script.Calls("two") != 0 {
					t.Errorf("the run is %s, want %s", run.Status, want)
				}
			}, people.use)
		})
	}
}

// What somebody says is judged by how the run stands once what was said before counts: nobody waits for a look-up
// before they say the next thing.
func TestWord_isJudgedByThoseThatWait(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, said []string
		refused      string // the last of them
		held         bool
	}{
		"resume after pause":   {said: []string{"pause", "resume"}},
		"pause after resume":   {before: []string{"pause"}, said: []string{"resume", "pause"}, held: true},
		"pause, resume, pause": {said: []string{"pause", "resume", "pause"}, held: true},
		"pause twice":          {said: []string{"pause", "pause"}, refused: "is paused already, by ana", held: true},
		"resume twice":         {before: []string{"pause"}, said: []string{"resume", "resume"}, refused: "ana resumed it"},
		"pause after cancel":   {said: []string{"cancel", "pause"}, refused: "is being cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people := newRegistrar()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, "tasks: [{do: {name: one}}, {do: {name: two}}]")
				s.after(2 * time.Second)
				for _, what := range row.before {
					s.ok(what)
					s.after(2 * time.Second)
				}
				for i, what := range row.said {
					err := s.say(what, "")
					synctest.Wait()
					switch refused := row.refused != "" && i == len(row.said)-1; {
					case !refused && err != nil:
						t.Errorf("%s: %v", what, err)
					case refused && (err == nil || !strings.Contains(err.Error(), row.refused)):
						t.Errorf("%s: %v, want %q", what, err, row.refused)
					}
				}
				s.after(time.Hour)
				if row.held {
					s.wantHeld("tasks.2")
					s.ok("resume")
				}
				if got := refusals(h, s.id); len(got) > 0 {
					t.Errorf("the refusals are %q", got)
				}
				h.Finish(s.id)
			}, people.use)
		})
	}
}

// The word of somebody that may yet turn out not to count keeps nobody else from saying the same.
func TestWord_ofAGuestDoesNotStandInTheWayOfAnother(t *testing.T) {
	t.Parallel()
	for _, act := range []string{"pause", "cancel"} {
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			people := newRegistrar()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, "tasks: [{do: {name: one}}, {do: {name: two}}]")
				s.after(2 * time.Second)
				people.gone["ana"] = true
				s.ok(act)
				if err := s.as(h.Ben, act, ""); err != nil {
					t.Fatal(err)
				}
				s.after(time.Hour)
				if run := s.run(); run.Paused() == nil && run.Status != engine.RunCancelled {
					t.Errorf("it is %s\n%s", run.Status, enginetest.Transcript(run))
				}
				people.gone["ana"] = false
				if act == "pause" {
					s.ok("resume")
				}
				h.Finish(s.id)
			}, people.use)
		})
	}
}

// A question does not expire while it is looked up who took it back: a time-out is a no.
func TestWord_thatTakesAQuestionBackDoesSoInTime(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]bool{"during a long look-up": false, "during a crash": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people := newRegistrar()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, "tasks: [{do: {name: one, destructive: true, approval: {expires: 5m}}}]")
				s.after(2 * time.Second)
				gate(t, h, s.id)
				people.takes = 10 * time.Minute
				s.ok("pause")
				if crash {
					h.Stop()
					people.takes = time.Second
					s.after(10 * time.Minute)
					h.Restart()
				}
				s.after(15 * time.Minute)
				s.wantHeld("tasks.1")
				people.takes = time.Second
				s.ok("resume")
				s.after(2 * time.Second)
				if err := h.Engine.Approve(t.Context(), engine.Decision{Run: s.id, Actor: h.Ben}); err != nil {
					t.Fatal(err)
				}
				if run := h.Finish(s.id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			}, people.use)
		})
	}
}
