package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

const fiveSteps = `
tasks:
  - do: {name: s1, description: Step 1}
  - do: {name: s2, description: Step 2}
  - do: {name: s3, description: Step 3}
  - do: {name: s4, description: Step 4}
  - do: {name: s5, description: Step 5}
`

// slowSteps makes each step take so long.
func (s *stage) slowSteps(d time.Duration) {
	for i := 1; i <= 5; i++ {
		s.Script.On(fmt.Sprintf("s%d", i), func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			select {
			case <-time.After(d):
				return engine.Result{Message: "done"}, nil
			case <-ctx.Done():
				return engine.Result{}, context.Cause(ctx)
			}
		})
	}
}

// wantFiveSteps checks that the thread has each of the five steps once and in order, and one end.
func (s *stage) wantFiveSteps(run *engine.Run) {
	s.tb.Helper()
	var told []string
	for _, m := range s.thread(run)[1:] {
		for line := range strings.Lines(m) {
			if _, after, ok := strings.Cut(line, "✅ Step "); ok {
				told = append(told, after[:1])
			}
			if has(line, "success after") {
				told = append(told, "end")
			}
		}
	}
	if got := strings.Join(told, " "); got != "1 2 3 4 5 end" {
		s.tb.Errorf("the thread tells of %q, want each step once, in order, and the end:\n%s", got, strings.Join(s.thread(run), "\n--\n"))
	}
	if card := s.thread(run)[0]; !has(card, "success") {
		s.tb.Errorf("the card says\n%s", card)
	}
}

func TestSlack_awayInTheMiddleLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *stage){
		"5xx for an hour": func(s *stage) {
			s.ws.BreakNext("chat.postMessage", false, 120)
			s.ws.BreakNext("chat.update", false, 120)
		},
		"internal errors": func(s *stage) {
			s.ws.FailNext("chat.postMessage", "internal_error", 20)
			s.ws.FailNext("chat.update", "fatal_error", 20)
		},
		"rate limited": func(s *stage) {
			s.ws.RateLimitNext("chat.postMessage", 30, 5)
			s.ws.RateLimitNext("chat.update", 30, 5)
		},
		"a token that is revoked and given back": func(s *stage) {
			s.ws.FailNext("chat.postMessage", "token_revoked", 5)
			s.ws.FailNext("chat.update", "token_revoked", 5)
		},
		"sockets cut":          func(s *stage) { s.ws.CutSockets() },
		"told to reconnect":    func(s *stage) { s.ws.Disconnect("refresh_requested") },
		"reconnecting refused": func(s *stage) { s.ws.BreakNext("apps.connections.open", false, 5); s.ws.CutSockets() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", fiveSteps)
				s.slowSteps(4 * time.Second)
				s.slash("ana", "#deploys", "run b")
				run := s.newest()
				s.await("#deploys", "✅ Step 1")
				spoil(s)
				s.until("the run has ended", func() bool { r, err := s.Engine.Load(s.tb.Context(), run.ID); return err == nil && r.Status.Final() })
				for range 7 { // what Slack was told late may take more than the patience of settle
					time.Sleep(10 * time.Minute)
				}
				s.settle(run)
				s.wantFiveSteps(run)
			})
		})
	}
}

func TestSlack_awayWhenTheBotStopsIsToldAfterTheNextStart(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 1")
		s.net.down(true)
		time.Sleep(time.Minute) // the run ends, and nothing of it can be told
		s.stopWithin(10 * time.Second)
		s.net.down(false)
		s.start()
		s.settle(run)
		s.wantFiveSteps(run)
	})
}

func TestRestart_inTheMiddleOfARunGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *stage){"stopped": (*stage).stop, "killed": (*stage).kill} {
		for after := 1; after <= 5; after++ {
			t.Run(fmt.Sprintf("%s after step %d", name, after), func(t *testing.T) {
				t.Parallel()
				onStage(t, func(s *stage) {
					s.book("b", fiveSteps)
					s.slowSteps(2 * time.Second)
					s.slash("ana", "#deploys", "run b")
					run := s.newest()
					s.await("#deploys", fmt.Sprintf("✅ Step %d —", after))
					end(s)
					s.start()
					s.settle(run)
					s.wantFiveSteps(run)
					if n := len(s.ws.Messages("", "#deploys")); n != 1 {
						s.tb.Errorf("there are %d cards", n)
					}
				})
			})
		}
	}
}

func TestRestart_whileADecisionWaitsForItsEditRepeatsNoReply(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		time.Sleep(10 * time.Second)
		s.ws.RateLimitNext("chat.update", 60, 1) // the record is late, the replies are not
		s.click("ben", gate, "approve")
		s.await("#deploys", "web success after")
		s.kill()
		s.start()
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
		s.wantThread(run, "✅ web — success", "Check abc", "Approved by", "Drain", "Upgrade", "web success")
		told := strings.Join(s.thread(run), "\n")
		for _, once := range []string{"✅ Check abc —", "✅ Drain —", "✅ Upgrade —", "web success after"} {
			if n := strings.Count(told, once); n != 1 {
				s.tb.Errorf("the thread says %q %d times", once, n)
			}
		}
	})
}

func TestRestart_drawsACardWhoseEditWasDueWhenTheProcessDied(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, _ := s.atGate()
		s.await("#deploys", "web — waiting")
		time.Sleep(10 * time.Second)
		s.ws.RateLimitNext("chat.update", 60, 1)
		s.slash("ana", "#deploys", "pause "+run.ID.Short())
		time.Sleep(10 * time.Second) // the position is saved, the card not yet edited
		if card, ok := s.find("#deploys", "web — ", "Paused by"); ok {
			s.tb.Fatalf("the card is edited already: %s", s.ws.PlainText(card))
		}
		s.kill()
		s.start()
		s.await("#deploys", "web — ", "Paused by")
	})
}

func TestCard_goesToTheOpsRoomWhenTheBotMayNotPost(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		s.slash("ana", "#random", "run b")
		run := s.newest()
		s.settle(run)
		s.wantThread(run, "✅ b — success", "✅ do task", "b success")
		if card := s.await("#ops", "b — success"); !has(s.now(card), "Asked for in #random, where I may not post") {
			t.Errorf("after its edits the card says\n%s", s.now(card))
		}
		for _, m := range s.ws.Everything("#random") {
			if m.Ephemeral == "" {
				t.Errorf("the bot is not in #random and yet says %q there", s.ws.PlainText(m))
			}
		}
	})
}

func TestCard_thatSomebodyDeletesIsPostedAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		card := s.await("#deploys", "web — waiting")
		s.ws.DeleteMessage("#deploys", card.TS)
		s.slash("ben", "#ops", "approve "+run.ID.Short())
		s.settle(run)
		s.await("#deploys", "web — success")
		s.wantRecord(gate, "Approved by")
	})
}

func TestEdits_stayInTheBudgetAndTheLastOnesGetThrough(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", fiveSteps)
		s.slowSteps(7 * time.Second)
		for i := range 30 {
			s.slash("ana", []string{"#deploys", "#ops"}[i%2], "run b")
		}
		s.until("every run has ended", func() bool { return s.succeeded() == 30 })
		s.drawn()
		edits := s.wantBudget()
		for _, c := range s.ws.Traffic() {
			if c.Error != "" {
				t.Errorf("%s: %s", c.Method, c.Error)
			}
		}
		done := 0
		for _, c := range []string{"#deploys", "#ops"} {
			for _, m := range s.ws.Messages("", c) {
				if has(s.ws.PlainText(m), "✅ b — success") {
					done++
				}
			}
		}
		if done != 30 {
			t.Errorf("%d of 30 cards show the end", done)
		}
		t.Logf("30 runs: %d edits, %d posts", len(edits), len(s.calls("chat.postMessage")))
	})
}

// wantBudget checks when messages were edited, and returns the edits.
func (s *stage) wantBudget() []workspace.Traffic {
	s.tb.Helper()
	edits := s.calls("chat.update")
	last := map[string]time.Time{}
	for i, e := range edits {
		var p struct{ TS string }
		if err := json.Unmarshal([]byte(e.Body), &p); err != nil {
			s.tb.Fatal(err)
		}
		if gap := e.At.Sub(last[p.TS]); gap < cardEvery {
			s.tb.Errorf("message %s was edited %s after its last edit", p.TS, gap)
		}
		last[p.TS] = e.At
		if i >= 40 && e.At.Sub(edits[i-40].At) < time.Minute {
			s.tb.Errorf("41 edits in %s, from %s on", e.At.Sub(edits[i-40].At), edits[i-40].At)
		}
	}
	return edits
}

func TestEdits_ofOneCardAreThreeSecondsApart(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(1900 * time.Millisecond)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		s.wantFiveSteps(run)
		if n := len(s.wantBudget()); n < 3 || n > 4 {
			s.tb.Errorf("a run of ten seconds edited its card %d times", n)
		}
	})
}

// succeeded counts the runs that have.
func (s *stage) succeeded() int {
	runs, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Limit: 100, Status: engine.RunSuccess})
	if err != nil {
		s.tb.Fatal(err)
	}
	return len(runs)
}

func TestTokens_thatAreWrongGiveASentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(s *stage, o *Options)
		want  []string
	}{
		"bot and app token exchanged": {func(_ *stage, o *Options) { o.BotToken, o.AppToken = o.AppToken, o.BotToken }, []string{"must begin with \"xoxb-\"", "OAuth & Permissions"}},
		"app token of another kind":   {func(_ *stage, o *Options) { o.AppToken = o.BotToken }, []string{"must begin with \"xapp-\"", "connections:write"}},
		"unknown bot token":           {func(_ *stage, o *Options) { o.BotToken = "xoxb-other" }, []string{"refuses the bot token", "invalid_auth", "reinstall"}},
		"unknown app token":           {func(_ *stage, o *Options) { o.AppToken = "xapp-other" }, []string{"refuses the app token", "invalid_auth", "connections:write"}},
		"account inactive":            {func(s *stage, _ *Options) { s.ws.FailNext("auth.test", "account_inactive", 1) }, []string{"account_inactive", "reinstall"}},
		"app token without scope":     {func(s *stage, _ *Options) { s.ws.FailNext("apps.connections.open", "missing_scope", 1) }, []string{"app token", "missing_scope", "connections:write"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.wantSentence(c.want, func(o *Options) { c.spoil(s, o) })
			}, setting{idle: true})
		})
	}
}

func TestTokens_thatLackAScopeGiveASentence(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.wantSentence([]string{"lacks the scope \"users:read\"", "OAuth & Permissions", "reinstall"}, func(*Options) {})
	}, setting{idle: true, workspace: func(o *workspace.Options) { o.Scopes = []string{"chat:write", "commands"} }})
}

// wantSentence makes a bot and runs it; one of the two must fail with these words.
func (s *stage) wantSentence(want []string, change func(*Options)) {
	s.tb.Helper()
	o := s.options()
	change(&o)
	b, err := New(o)
	if err == nil {
		err = b.Run(s.tb.Context())
	}
	if err == nil || !has(err.Error(), want...) || strings.Contains(err.Error(), "\n") {
		s.tb.Errorf("the error is %v, and should say %q", err, want)
	}
}

func TestStart_waitsForASlackThatIsAway(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.ws.BreakNext("auth.test", false, 4)
		s.ws.BreakNext("apps.connections.open", false, 2)
		s.start()
		s.book("b", "tasks: [{do: {name: one}}]")
		s.slash("ana", "#deploys", "run b")
		s.settle(s.newest())
	}, setting{idle: true})
}

// A process that is asked to end at once stops its bot before that has begun to run.
func TestStop_beforeRunMakesRunReturn(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		b, err := New(s.options())
		if err != nil {
			s.tb.Fatal(err)
		}
		b.Stop(s.tb.Context())
		ctx, cancel := context.WithTimeout(s.tb.Context(), time.Minute)
		defer cancel()
		if err := b.Run(ctx); err != nil || ctx.Err() != nil {
			s.tb.Errorf("Run returned %v, its context has %v; it should return at once", err, ctx.Err())
		}
	}, setting{idle: true})
}
