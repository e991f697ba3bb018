package bot

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

// testLogger shows what the bot logs when BOT_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("BOT_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

const gatedBook = `
inputs:
  rev: {description: A revision, type: String, required: true, validation: ":shellsafe"}
nodes:
  web: {type: list, nodes: [web1, web2]}
tasks:
  - do: {name: check, description: "Check {{ inputs.rev }}", nodes: [web1, web2], effect: read_only}
  - do: {name: drain, description: Drain, nodes: [web1, web2], destructive: true}
  - do: {name: upgrade, description: Upgrade}
`

// atGate starts the gated playbook and waits for its question.
func (s *stage) atGate() (*engine.Run, workspace.Message) {
	s.tb.Helper()
	s.book("web", gatedBook)
	s.slash("ana", "#deploys", "run web rev=abc")
	gate := s.await("#deploys", "Approval needed", "Drain")
	return s.newest(), gate
}

// wantRecord says what a question became: no buttons, and who and when.
func (s *stage) wantRecord(m workspace.Message, words ...string) {
	s.tb.Helper()
	left := slices.DeleteFunc(s.buttons(m), func(id string) bool { return id == "log" }) // a card keeps that
	if len(left) != 0 {
		s.tb.Errorf("the question still has buttons: %q", left)
	}
	if text := s.now(m); !has(text, words...) {
		s.tb.Errorf("the question says\n%s\nand should say %q", text, words)
	}
}

func TestRun_fromCommandToEnd(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("web", gatedBook)
		if ack := s.slash("ana", "#deploys", "run web rev=abc"); !has(ack, "web", "1 approval", s.newest().ID.Short()) {
			t.Errorf("the ack says %q", ack)
		}
		run := s.newest()
		gate := s.await("#deploys", "Approval needed", "@ben", "Drain")
		card := s.await("#deploys", "✋ web — waiting", "Waiting for @ben")
		if got := s.buttons(card); !slices.Equal(got, []string{"pause", "log", "cancel"}) {
			t.Errorf("the card has the buttons %q", got)
		}
		if refused := s.click("ana", gate, "approve"); !has(refused, "refused") {
			t.Errorf("ana was told %q", refused)
		}
		if got := s.buttons(gate); len(got) != 2 {
			t.Errorf("after a refusal the gate has the buttons %q", got)
		}
		if said := s.click("ben", gate, "approve"); !has(said, "approved") {
			t.Errorf("ben was told %q", said)
		}
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben at 2000-01-01")
		s.wantThread(run, "✅ web — success", "✅ Check abc", "Approved by @ben", "✅ Drain", "✅ Upgrade", "web success after")
		if got := s.buttons(card); !slices.Equal(got, []string{"log"}) {
			t.Errorf("the card of a run that has ended has the buttons %q", got)
		}
		if n := len(s.ws.Messages("", "#deploys")); n != 1 {
			t.Errorf("the channel shows %d messages, want the card alone", n)
		}
	})
}

func TestEnvelope_thatComesTwiceIsHandledOnce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run, gate := s.atGate()
		s.ws.DoubleEnvelopes(1)
		s.click("ben", gate, "approve")
		s.settle(run)
		if n := len(s.ephemerals("ben")); n != 1 {
			t.Errorf("one click was answered %d times: %q", n, s.ephemerals("ben"))
		}
		s.ws.DoubleEnvelopes(1)
		if ack := s.slash("ana", "#deploys", "run web rev=abc"); has(ack, "asked before") {
			t.Errorf("the ack is that of the copy: %q", ack)
		}
		s.await("#deploys", "web — waiting")
		if runs, _ := s.store.Find(t.Context(), engine.HistoryQuery{}); len(runs) != 2 {
			t.Errorf("there are %d runs, want 2", len(runs))
		}
	})
}

func TestCard_cancelButtonStopsTheRunAndClosesItsGate(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		card := s.await("#deploys", "✋ web — waiting")
		if said := s.click("ana", card, "cancel"); !has(strings.ToLower(said), "cancel", run.ID.Short()) {
			s.tb.Errorf("ana was told %q", said)
		}
		s.settle(run)
		s.wantRecord(gate, "🚫 Taken back at", "the run was cancelled by ana")
		s.wantRecord(card, "🚫 web — cancelled", "cancelled by ana")
	})
}

func TestFailure_isToldToTheChannel(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one, description: One}}]")
		s.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{Message: "no <space>", OKNodes: []string{"web1"}, FailedNodes: []string{"web2"}}, errors.New("scripted")
		})
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		s.wantThread(run, "❌ b — failed", "1 of 2 nodes ok, 1 failed", "web2 failed", "b failed after")
		shown := s.ws.Messages("", "#deploys")
		if len(shown) != 2 || !shown[1].Broadcast || !has(s.ws.PlainText(shown[1]), "failed", "no <space>", "@ana") {
			t.Errorf("the channel shows %q", s.texts("#deploys"))
		}
	})
}

func TestUnknownAttempt_isAskedAboutAndAnswered(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]struct {
		record string
		status engine.RunStatus
		calls  int
	}{
		"retry":       {"@ana chose retry", engine.RunSuccess, 2},
		"mark_done":   {"@ana chose done", engine.RunSuccess, 1},
		"mark_failed": {"@ana chose failed", engine.RunFailed, 1},
		"abort":       {"@ana chose abort", engine.RunCancelled, 1},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				t := s.tb
				run, q := s.cutOff()
				if got := s.buttons(q); len(got) != 4 {
					t.Errorf("the question has the buttons %q", got)
				}
				s.click("ana", q, action)
				s.settle(run)
				s.wantRecord(q, want.record, "2000-01-01")
				if now, _ := s.Engine.Load(t.Context(), run.ID); now.Status != want.status || s.Script.Calls("one") != want.calls {
					t.Errorf("the run is %s after %d calls, want %s after %d", now.Status, s.Script.Calls("one"), want.status, want.calls)
				}
			})
		})
	}
}

// cutOff starts a run whose only step is cut off, and waits for the question.
func (s *stage) cutOff() (*engine.Run, workspace.Message) {
	s.tb.Helper()
	s.book("b", "tasks: [{do: {name: one, description: One, nodes: [web1]}}]")
	s.Script.On("one", func(ctx context.Context, n int, _ *engine.Call) (engine.Result, error) {
		if n == 1 {
			<-ctx.Done()
			return engine.Result{}, context.Cause(ctx)
		}
		return engine.Result{Message: "done"}, nil
	})
	s.slash("ana", "#deploys", "run b")
	s.until("the step runs", func() bool { return s.Script.Calls("one") == 1 })
	s.crash()
	return s.newest(), s.await("#deploys", "Did this happen?", "One, attempt 1", "@ana", "web1")
}

func TestUnknownAttempt_ofARunThatIsCancelledIsAskedAboutNoMore(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, q := s.cutOff()
		s.slash("ana", "#deploys", "cancel "+run.ID.Short())
		s.settle(run)
		s.wantRecord(q, "Nobody said whether this happened, and the run is over")
	})
}

func TestThread_hasTheSameMessagesHoweverManyNodes(t *testing.T) {
	t.Parallel()
	counts := map[int]int{}
	for _, n := range []int{1, 700} {
		onStage(t, func(s *stage) {
			s.book("b", "tasks: [{do: {name: one}}]")
			nodes := manyNodes(n)
			s.Script.On("one", func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
				for _, name := range nodes {
					c.Note(name + " is done")
				}
				return engine.Result{Message: "ok", OKNodes: nodes, SilentNodes: nodes}, nil
			})
			s.slash("ana", "#deploys", "run b")
			run := s.newest()
			s.settle(run)
			counts[n] = len(s.thread(run))
		})
	}
	if counts[1] != counts[700] || counts[1] != 3 {
		t.Errorf("with one node and with 700 the thread has %v messages, want 3 each", counts)
	}
}

func TestSteps_thatEndFasterThanSlackTakesMessagesShareOne(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks:\n"+strings.Repeat("  - do: {name: one, description: Quick}\n", 40))
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		got := s.thread(run)
		if len(got) > 12 {
			t.Errorf("40 quick steps made %d messages", len(got))
		}
		if n := strings.Count(strings.Join(got[1:], "\n"), "✅ Quick"); n != 40 {
			t.Errorf("the thread tells of %d steps, want 40", n)
		}
	})
}

func TestRequest_thatTheStoreDoesNotTakeInTimeIsDropped(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("web", gatedBook)
		free := s.log.block()
		if m, err := s.ws.Slash(t.Context(), "ana", "#deploys", "/playbook run web rev=abc"); err == nil {
			t.Errorf("a request that is on no disk was acked: %q", s.ws.PlainText(*m))
		}
		free()
		synctest.Wait()
		time.Sleep(time.Minute)
		if runs, _ := s.store.Find(t.Context(), engine.HistoryQuery{}); len(runs) != 0 {
			t.Errorf("what was dropped was done: %+v", runs)
		}
		if told := s.ephemerals("ana"); len(told) != 1 || !has(told[0], "nothing was started", "try again") {
			t.Errorf("ana was told %q", told)
		}
	})
}
