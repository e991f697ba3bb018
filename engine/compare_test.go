//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// outage is a network in which no node set is found while it lasts.
type outage struct {
	lasts atomic.Bool
	left  atomic.Int32 // look-ups that still fail
	asked atomic.Int32
}

func newOutage(h *enginetest.House) *outage {
	o := &outage{}
	h.Script.OnDiscover(func(context.Context) error {
		o.asked.Add(1)
		if o.lasts.Load() || o.left.Add(-1) >= 0 {
			return errors.New("no network")
		}
		return nil
	})
	return o
}

// begins begins an outage that lasts, and forgets what was looked up before.
func (o *outage) begins() { o.asked.Store(0); o.lasts.Store(true) }

// failed are the failures to compare that a log has, each with its task, wave and message.
func failed(h *enginetest.House, id engine.RunID) (out []engine.NodesUncompared) {
	for _, e := range h.Events(id) {
		if u, ok := e.Payload.(engine.NodesUncompared); ok {
			out = append(out, u)
		}
	}
	return out
}

func TestCompare_whatFailsForAMomentIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ body, step string }{
		"before a gate": {gatedBook, "tasks.2"},
		"before a wave": {rolling(each + "}"), "tasks.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				out := newOutage(h)
				h.Book("b", row.body)
				h.Script.On("before", func(context.Context, int, *engine.Call) (engine.Result, error) {
					time.Sleep(time.Second)
					return engine.Result{}, nil
				})
				h.Script.On("restart", takesAMinute)
				id := h.Start("b", nil)
				synctest.Wait()
				if name == "before a wave" {
					approve(t, h, id)
				}
				out.left.Store(3) // 10, 20 and 40 seconds
				time.Sleep(3 * time.Minute)
				run := load(t, h, id)
				a := run.Pending()
				if a == nil || a.Uncompared != "" || len(a.Discovered) != 1 || run.Comparing() != nil || run.Steps[engine.Path(row.step)].Uncompared != nil {
					t.Fatalf("it asks for %+v\n%s", a, enginetest.Transcript(run))
				}
				var waits []time.Duration
				var at time.Time
				for _, e := range h.Events(id) {
					switch p := e.Payload.(type) {
					case engine.NodesUncompared:
						at = e.Time
						waits = append(waits, p.Again.Sub(e.Time))
						if p.Path != a.Path || p.Wave != a.Wave || !strings.Contains(p.Message, `node set`) || !strings.Contains(p.Message, "no network") || p.Try != len(waits) {
							t.Errorf("it says %+v", p)
						}
					case engine.ApprovalAsked:
						if p.Approval == a.Approval && e.Time.Sub(at) != 40*time.Second {
							t.Errorf("it asked %s after the last failure", e.Time.Sub(at))
						}
					default: // the rest is not about it
					}
				}
				if want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second}; !slices.Equal(waits, want) {
					t.Errorf("it waited %s, want %s", waits, want)
				}
				for a != nil {
					approve(t, h, id)
					time.Sleep(2 * time.Minute)
					a = load(t, h, id).Pending()
				}
				if run := h.Finish(id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			}, court())
		})
	}
}

// An outage that lasts leaves the decision with people, and nothing begins before the nodes were compared.
func TestCompare_anOutageThatLastsAsksPeople(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+"}"))
		out := newOutage(h)
		s.play("ben approves")
		out.begins()
		s.play("+10m")
		a := s.run().Pending()
		if a == nil || a.Wave != 2 || !strings.Contains(a.Uncompared, "no network") || len(a.Discovered) != 0 || out.asked.Load() != 5 {
			t.Fatalf("after %d look-ups it asks for %+v", out.asked.Load(), a)
		}
		s.play("ben approves", "+1s")
		if u := s.run().Comparing(); u == nil || u.Wave != 2 || u.Try != 1 {
			t.Errorf("while it compares it says %+v", u)
		}
		s.play("+5m")
		s.wantBegun("k1 k2")
		again := s.run().Pending()
		if again == nil || again.Approval == a.Approval || again.Uncompared == "" {
			t.Fatalf("it asks again for %+v", again)
		}
		if a, _ := s.run().Approval(a.Approval); a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, "the nodes could not be compared: ") {
			t.Errorf("the yes is %s: %s", a.State, a.Why)
		}
		if n := out.asked.Load(); n != 11 { // five for each gate and for the yes, but the second gate follows a failure
			t.Errorf("it looked %d times", n)
		}
		out.lasts.Store(false)
		s.play("ben approves", "+1s")
		s.wantBegun("k1 k2", "k3 k4")
		s.play("+5m", "ben approves", "+5m")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, court())
}

func TestCompare_aQuestionDuringAnOutageEndsAsItsGateSays(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"ben denies": "denied by ben; 3 nodes of later waves were not touched: k3, k4, k5",
		"+2h":        "nobody approved until ",
		"cancel":     "stopped: the run was cancelled",
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling(each+"}"))
				out := newOutage(h)
				s.play("ben approves")
				out.begins()
				s.play("+10m", word, "+1s")
				run := h.Finish(s.id)
				if got := run.Steps["tasks.1"].Message; !strings.HasPrefix(got, want) {
					t.Errorf("got %s: %s", run.Status, got)
				}
				s.wantBegun("k1 k2")
			}, court())
		})
	}
}

// A yes that was given is not lost to a moment without network.
func TestCompare_aYesOutlivesAMoment(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		out := newOutage(h)
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		a := gate(t, h, id)
		out.left.Store(2)
		approve(t, h, id)
		if n := h.Script.Calls("drain"); n != 0 {
			t.Error("it began before its nodes were compared")
		}
		h.Stop() // what it waits for is in the log
		h.Restart()
		time.Sleep(time.Minute)
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || len(run.Approvals) != 1 || run.Steps["tasks.2"].Attempts[0].Approval != a.Approval || len(failed(h, id)) != 2 {
			t.Errorf("got %s: %s, on %d gates", run.Status, run.Message, len(run.Approvals))
		}
	})
}

// Whoever approves without a comparison approves the nodes that the run has, and no more.
func TestCompare_nodesThatAppearedDuringAnOutageVoidTheYes(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+"}"))
		out := newOutage(h)
		s.play("ben approves")
		out.begins()
		s.play("+10m")
		h.Script.Discover("k1", "k1", "k2", "k3", "k4", "k5", "k6")
		out.lasts.Store(false)
		s.play("ben approves")
		run := s.run()
		if a := run.Approvals[1]; a.State != engine.ApprovalWithdrawn || a.Why != "nodes appeared since the run began: k6" {
			t.Errorf("the yes is %s: %s", a.State, a.Why)
		}
		if a := run.Pending(); a == nil || a.Uncompared != "" || strings.Join(a.Grown, " ") != "k6" {
			t.Errorf("it asks again for %+v", a)
		}
		s.wantBegun("k1 k2")
		s.play("cancel", "+1m")
	}, court())
}

// A yes for the rest of a run is no answer to a question that an outage has raised.
func TestCompare_theRestDoesNotCoverAnOutage(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		out := newOutage(h)
		h.Script.On("drain", func(context.Context, int, *engine.Call) (engine.Result, error) {
			out.begins()
			return engine.Result{}, nil
		})
		h.Book("b", twoGates("scope: run", "scope: run"))
		id := h.Start("b", nil)
		gate(t, h, id)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if a := gate(t, h, id); a.Uncompared == "" || a.Rests != "" || a.Number != 2 {
			t.Errorf("it asks for %+v", a)
		}
		out.lasts.Store(false)
		approve(t, h, id)
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, court())
}

// What people say while a run waits to compare holds at once.
func TestCompare_waitingToCompareCanBeSteered(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{
		"stop":   "stopped by ana after wave 1 of 3; 3 nodes of later waves were not touched: k3, k4, k5",
		"cancel": "stopped: the run was cancelled",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling(each+"}"))
				out := newOutage(h)
				s.play("ben approves")
				out.begins()
				s.play("+2m", "+2s", what)
				if got := s.run().Steps["tasks.1"]; got.Message != want || got.Ended.IsZero() || len(failed(h, s.id)) != 1 {
					t.Errorf("got %s after %d failures: %s", got.Status, len(failed(h, s.id)), got.Message)
				}
				out.lasts.Store(false)
				h.Finish(s.id)
			}, court())
		})
	}
	t.Run("pause", func(t *testing.T) {
		t.Parallel()
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			s := steer(t, h, rolling(each+"}"))
			out := newOutage(h)
			s.play("ben approves")
			out.begins()
			s.play("+2m", "+2s", "pause", "+1h")
			s.wantHeld("tasks.1 wave 2")
			if n := len(failed(h, s.id)); n != 1 {
				t.Errorf("it went on comparing: %d failures", n)
			}
			out.lasts.Store(false)
			s.play("resume", "ben approves", "+3m", "ben approves", "+3m")
			if run := h.Finish(s.id); run.Status != engine.RunSuccess {
				t.Errorf("got %s: %s", run.Status, run.Message)
			}
		}, court())
	})
}

// The timeout of the waves is over although their nodes cannot be compared.
func TestCompare_countsAgainstTheTimeout(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+"}\n      timeout: 125s"))
		out := newOutage(h)
		s.play("ben approves")
		out.begins()
		s.play("+2m", "+6s")
		if got := s.run().Steps["tasks.1"]; got.Status != engine.TaskFailed || !strings.Contains(got.Message, "the waves may take 2m5s, their timeout") {
			t.Errorf("got %s: %s", got.Status, got.Message)
		}
	}, court())
}

// A panic before a wave asks is about the waves that are left, and not about their plan.
func TestCompare_aPanicEndsTheWavesThatAreLeft(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+"}"))
		s.play("ben approves")
		h.Script.OnDiscover(func(context.Context) error { panic("boom") })
		run := h.Finish(s.id)
		if got := run.Steps["tasks.1"].Message; !strings.HasPrefix(got, "nobody could be asked about wave 2 of 3: the program panicked: boom") {
			t.Errorf("got %s: %s", run.Status, got)
		}
	}, court())
}
