package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// carriedOut are the calls of a method since a time that Slack carried out.
func (s *stage) carriedOut(method string, since time.Time) []workspace.Traffic {
	return slices.DeleteFunc(s.calls(method), func(c workspace.Traffic) bool { return c.At.Before(since) })
}

// textOf is the text for notifications of a call.
func (s *stage) textOf(c workspace.Traffic) string {
	s.tb.Helper()
	var p struct{ Text, TS string }
	if err := json.Unmarshal([]byte(c.Body), &p); err != nil {
		s.tb.Fatal(err)
	}
	return p.Text
}

// F-32: when Slack takes edits again, the record of a decision is the first, before any card.
func TestLimits_decisionsGoFirst(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.book("b", fiveSteps)
		s.slowSteps(5 * time.Second)
		for range 8 {
			s.slash("ana", "#ops", "run b")
		}
		s.await("#ops", "✅ Step 1")
		s.ws.RateLimitNext("chat.update", 60, 1)
		time.Sleep(5 * time.Second) // a card meets it
		limited := time.Now()
		s.click("ben", gate, "approve")
		s.settle(run)
		edits := s.carriedOut("chat.update", limited)
		if len(edits) == 0 || !has(s.textOf(edits[0]), "approved by ben") {
			s.tb.Errorf("the first edit after the limit is %q, want the record of the decision", s.textOf(edits[0]))
		}
		s.wantLeftAlone(limited.Add(-10 * time.Second))
	})
}

// F-32: when Slack takes messages again, people are asked before others are told.
func TestLimits_questionsGoBeforeNews(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(5 * time.Second)
		for range 8 {
			s.slash("ana", "#deploys", "run b")
		}
		s.await("#deploys", "✅ Step 1")
		s.ws.RateLimitNext("chat.postMessage", 60, 1)
		time.Sleep(8 * time.Second)
		limited := time.Now()
		s.book("web", gatedBook)
		s.slash("ana", "#deploys", "run web rev=abc")
		s.await("#deploys", "Approval needed")
		posts := s.carriedOut("chat.postMessage", limited)
		at := slices.IndexFunc(posts, func(c workspace.Traffic) bool { return has(s.textOf(c), "Approval needed") })
		if at < 0 || at > 3 { // its card, and the step before it, come before the question
			s.tb.Errorf("the question is message %d after the limit", at)
		}
		s.until("every run has ended", func() bool { return s.succeeded() == 8 })
	})
}

// F-33: Slack is away for ten minutes. The runs go on, and afterwards every message is brought up to date
// once and not for every event.
func TestOutage_isMadeUpForWithOneCallForEachMessage(t *testing.T) {
	t.Parallel()
	const runs = 24
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(20 * time.Second)
		rooms := []string{"#deploys", "#ops", "#random"}
		for i := range runs {
			s.slash("ana", rooms[i%3], "run b")
		}
		s.until("every run has told of a step", func() bool { return strings.Count(s.everything(), "✅ Step 1 —") >= runs })
		s.net.down(true)
		began := time.Now()
		s.until("every run has ended", func() bool { return s.succeeded() == runs })
		if took := time.Since(began); took > 2*time.Minute {
			s.tb.Errorf("the runs took %s; they waited for Slack", took)
		}
		time.Sleep(10*time.Minute - time.Since(began))
		s.net.down(false)
		up := time.Now()
		s.drawn()
		if took := time.Since(up); took > 2*time.Minute {
			s.tb.Errorf("everything is drawn %s after Slack is back, want 2 minutes at most", took)
		}
		edited := map[string]int{}
		for _, c := range s.carriedOut("chat.update", up) {
			var p struct{ Channel, TS string }
			if err := json.Unmarshal([]byte(c.Body), &p); err != nil {
				s.tb.Fatal(err)
			}
			if edited[p.Channel+p.TS]++; edited[p.Channel+p.TS] > 1 {
				s.tb.Errorf("a message was edited %d times", edited[p.Channel+p.TS])
			}
		}
		posts := len(s.carriedOut("chat.postMessage", up))
		if n := len(edited) + posts; len(edited) != runs || n > 3*runs {
			s.tb.Errorf("%d calls, %d of them edits, for %d runs; want 3 for each at most", n, len(edited), runs)
		}
		found, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Limit: 100})
		if err != nil {
			s.tb.Fatal(err)
		}
		for _, one := range found {
			run, err := s.Engine.Load(s.tb.Context(), one.Run)
			if err != nil {
				s.tb.Fatal(err)
			}
			s.wantFiveSteps(run)
		}
	}, setting{workspace: func(o *workspace.Options) {
		for i := range o.Channels {
			o.Channels[i].Members = o.Channels[0].Members
		}
	}})
}

// F-33: a question that was asked and answered while Slack was away is posted once, as its record.
func TestOutage_aDecisionOfMeanwhileIsPostedAsItsRecord(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", gatedBook)
		for _, method := range []string{"chat.postMessage", "chat.update"} {
			s.ws.BreakNext(method, false, 1000)
		}
		s.slash("ana", "#deploys", "run web rev=abc")
		s.until("the run waits", func() bool { return len(s.waiting()) == 1 })
		run := s.newest()
		s.slash("ana", "#deploys", "deny "+run.ID.Short()+" not today")
		s.until("the run has ended", func() bool { return s.newest().Status.Final() })
		time.Sleep(10 * time.Minute)
		s.ws.Heal()
		up := time.Now()
		s.drawn()
		s.await("#deploys", "⛔ Denied by @ana")
		if n := len(s.carriedOut("chat.update", up)); n != 0 {
			s.tb.Errorf("there were %d edits of messages that were posted as they are", n)
		}
		s.wantThread(run, "❌ web — failed", "Check abc", "Denied by @ana", "⛔ Drain", "web failed after")
	})
}

// F-34: Slack stores a message and does not say so. It is found by its metadata, and posted once.
func TestAmbiguousPost_isPostedOnce(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *stage){
		"answered with 500": func(s *stage) { s.ws.BreakNext("chat.postMessage", true, 1) },
		"answer lost":       func(s *stage) { s.net.lose(1) },
		"refused with 500":  func(s *stage) { s.ws.BreakNext("chat.postMessage", false, 1) }, // and not stored
	} {
		for _, at := range []string{"card", "step", "question", "end"} {
			t.Run(name+", "+at, func(t *testing.T) {
				t.Parallel()
				onStage(t, func(s *stage) {
					s.book("web", gatedBook)
					s.Script.On("check", s.slowly)
					s.Script.On("upgrade", s.slowly)
					spoilAt := func(here string) {
						if at == here {
							spoil(s)
						}
					}
					spoilAt("card")
					s.slash("ana", "#deploys", "run web rev=abc")
					run := s.newest()
					s.await("#deploys", "⏳ web — running")
					time.Sleep(3500 * time.Millisecond) // its card is edited once
					spoilAt("step")
					if at == "question" {
						s.await("#deploys", "✅ Check abc —")
						spoil(s)
					}
					gate := s.await("#deploys", "Approval needed", "Drain")
					s.click("ben", gate, "approve")
					s.await("#deploys", "✅ Drain —")
					time.Sleep(4 * time.Second)
					spoilAt("end")
					s.settle(run)
					s.wantRecord(gate, "Approved by @ben")
					s.wantOnce(run, "✅ Check abc —", "Approved by @ben", "✅ Drain —", "✅ Upgrade —", "web success after")
				})
			})
		}
	}
}

// slowly takes five seconds.
func (s *stage) slowly(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
	select {
	case <-time.After(5 * time.Second):
		return engine.Result{Message: "done"}, nil
	case <-ctx.Done():
		return engine.Result{}, context.Cause(ctx)
	}
}

// wantOnce checks that there is one card, and that its thread says each of these once.
func (s *stage) wantOnce(run *engine.Run, words ...string) {
	s.tb.Helper()
	if n := len(s.ws.Messages("", "#deploys")); n != 1 {
		s.tb.Errorf("the channel has %d messages, want the card alone:\n%s", n, strings.Join(s.texts("#deploys"), "\n--\n"))
	}
	told := strings.Join(s.thread(run)[1:], "\n")
	for _, w := range words {
		if n := strings.Count(told, w); n != 1 {
			s.tb.Errorf("the thread says %q %d times:\n%s", w, n, told)
		}
	}
}

// F-34: the process dies between a post and the note that it was posted.
func TestAmbiguousPost_ofAProcessThatDiedIsNotRepeated(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 1")
		s.feed.freeze(true)
		s.await("#deploys", "✅ Step 3")
		s.kill()
		s.start()
		s.settle(run)
		s.wantFiveSteps(run)
	})
}

// F-34: without the scope to look, one message more is the worst.
func TestAmbiguousPost_withoutTheScopeIsAtMostOneMessageMore(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 1")
		s.ws.BreakNext("chat.postMessage", true, 1)
		s.settle(run)
		told := strings.Join(s.thread(run), "\n")
		if n := strings.Count(told, "✅ Step"); n > 5+6 { // five on the card, and one of the five twice
			s.tb.Errorf("the thread says too much:\n%s", told)
		}
		if !has(told, "✅ Step 1 —", "✅ Step 2 —", "✅ Step 3 —", "✅ Step 4 —", "✅ Step 5 —", "success after") {
			s.tb.Errorf("the thread says too little:\n%s", told)
		}
	}, setting{workspace: func(o *workspace.Options) { o.Scopes = ScopeNames(true) }})
}

// F-34: the same for what a playbook says in a channel.
func TestAmbiguousPost_ofAPlaybookIsPostedOnce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.ws.BreakNext("chat.postMessage", true, 1)
		if err := s.current().Post(s.tb.Context(), Announcement{Channel: "C1", Text: "hello", Run: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Task: "Say"}); err != nil {
			s.tb.Fatal(err)
		}
		if got := s.texts("#deploys"); len(got) != 1 {
			s.tb.Errorf("the channel says %q", got)
		}
	})
}

// F-35: a card that cannot be edited any more gets a successor, which links it; so do its thread and its
// questions.
func TestLost_aCardThatCannotBeEditedIsPostedAnew(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"message_not_found", "cant_update_message", "edit_window_closed"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				run, gate := s.atPair("count: 2")
				first := s.await("#deploys", "web — waiting")
				value := s.valueOf(gate, "approve")
				time.Sleep(5 * time.Second)
				if code == "message_not_found" {
					s.ws.DeleteMessage("#deploys", first.TS)
				} else {
					s.ws.FailNext("chat.update", "external_channel_migrating", 1) // the question stays as it is
					s.ws.FailNext("chat.update", code, 1)
				}
				s.slash("ben", "#ops", "approve "+run.ID.Short()) // the card is to say so
				s.until("the run has another card", func() bool { return len(s.newest().Places) == 2 })
				run = s.newest()
				card, _ := run.Place()
				ref := approvalRef(run.Pending().Approval)
				s.until("the question is below it", func() bool { return s.newest().Posts[ref].TS > card.TS })
				if text := s.thread(run)[0]; !has(text, "takes the place of an earlier card", "Approved so far: 1 of 2") {
					s.tb.Errorf("the new card says\n%s", text)
				}
				s.wantOldButtonDead(gate, value)
				second, _ := s.ws.Message("#deploys", s.newest().Posts[ref].TS)
				s.click("cat", second, "approve")
				s.until("the question is a record", func() bool { return len(s.buttons(second)) == 0 })
				s.wantRecord(second, "Approved by @ben and @cat")
				s.slash("ana", "#deploys", "cancel "+run.ID.Short())
				s.settle(run)
				if text := s.thread(run)[0]; !has(text, "web — cancelled", "takes the place of an earlier card") {
					s.tb.Errorf("in the end the new card says\n%s", text)
				}
			}, setting{engine: bench, workspace: withCat})
		})
	}
}

// wantOldButtonDead presses a button of a message that another one took the place of, as a client that has
// not seen that does.
func (s *stage) wantOldButtonDead(m workspace.Message, value string) {
	s.tb.Helper()
	reply := s.current().opts.Commands.Press(s.tb.Context(), commands.Press{
		Key: "old/" + m.TS, Actor: engine.Actor{Team: "T1", User: "UBEN", Name: "ben"}, Action: commands.ActionApprove, Value: value,
	})
	if reply.Code != engine.CodeConflict || !has(reply.Text(), "asked again in another message") {
		s.tb.Errorf("an old button is answered with %s %q", reply.Code, reply.Text())
	}
	if s.newest().Pending() == nil {
		s.tb.Error("an old button decided")
	}
}

// F-35: a reply whose thread is gone does not stand in the channel; the run gets a new card.
func TestLost_aThreadThatIsGoneGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 1 —")
		at, _ := s.newest().Place()
		time.Sleep(3500 * time.Millisecond)
		s.ws.RateLimitNext("chat.update", 30, 1) // it is a reply that finds out
		s.ws.DeleteMessage("#deploys", at.TS)
		s.settle(run)
		run = s.newest()
		told := strings.Join(s.thread(run), "\n")
		if !has(told, "b — success", "✅ Step 3 —", "✅ Step 5 —", "success after") || len(run.Places) != 2 {
			s.tb.Errorf("the new thread of %d says\n%s", len(run.Places), told)
		}
		if shown := s.ws.Messages("", "#deploys"); len(shown) != 1 {
			s.tb.Errorf("the channel shows %d messages, want the new card alone:\n%s", len(shown), strings.Join(s.texts("#deploys"), "\n--\n"))
		}
	})
}

// F-35: a question that somebody deletes is asked again with other buttons, and those of the first are dead.
func TestLost_aQuestionThatIsDeletedIsAskedAgainWithANewNonce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atPair("count: 2")
		value := s.valueOf(gate, "approve")
		s.ws.DeleteMessage("#deploys", gate.TS)
		s.slash("ben", "#ops", "approve "+run.ID.Short()) // the question is to say so
		second := s.awaitOther(gate, "1 more approval needed")
		s.wantOldButtonDead(gate, value)
		if s.valueOf(second, "approve") == value {
			s.tb.Error("the new question has the old buttons")
		}
		s.click("cat", second, "approve")
		s.until("the question is a record", func() bool { return len(s.buttons(second)) == 0 })
		s.wantRecord(second, "Approved by @ben and @cat")
		s.slash("ana", "#deploys", "cancel "+run.ID.Short())
		s.settle(run)
	}, setting{engine: bench, workspace: withCat})
}

// F-35: a question that is deleted is missed also when nothing about it changes.
func TestLost_aQuestionThatNobodyTouchesIsMissed(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		value := s.valueOf(gate, "approve")
		s.ws.DeleteMessage("#deploys", gate.TS)
		second := s.awaitOther(gate, "Approval needed", "Drain")
		s.wantOldButtonDead(gate, value)
		s.click("ben", second, "approve")
		s.settle(run)
		s.wantRecord(second, "Approved by @ben")
	})
}

// awaitOther waits for another message than this one.
func (s *stage) awaitOther(than workspace.Message, words ...string) workspace.Message {
	s.tb.Helper()
	var out workspace.Message
	s.until(fmt.Sprintf("another message says %q", words), func() bool {
		m, ok := s.find("#deploys", words...)
		out = m
		return ok && m.TS != than.TS
	})
	return out
}

// F-36: the channel is archived, or the bot is removed from it, in the middle: the run goes on in the ops
// room, and without one in the conversation with whoever asked. What was asked is asked there.
func TestClosed_aRunGoesOnWhereTheBotMayPost(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *stage){
		"archived": func(s *stage) { s.ws.ArchiveChannel("#deploys") },
		"removed":  func(s *stage) { s.ws.SetMembers("#deploys", "UANA", "UBEN", "UCAT") },
	} {
		for _, ops := range []string{"#ops", ""} {
			t.Run(name+", ops "+ops, func(t *testing.T) {
				t.Parallel()
				home := "#ops"
				if ops == "" {
					home = "DANA"
				}
				onStage(t, func(s *stage) {
					run, gate := s.atPair("count: 2")
					time.Sleep(5 * time.Second)
					value := s.valueOf(gate, "approve")
					spoil(s)
					s.slash("ben", "#ops", "approve "+run.ID.Short())
					s.await(home, "web — waiting", "Asked for in #deploys, where I may not post")
					second := s.await(home, "1 more approval needed", "Drain")
					s.wantOldButtonDead(gate, value)
					if err := s.ws.Click(s.tb.Context(), "cat", second.Channel, second.TS, "approve"); err != nil {
						s.tb.Fatal(err)
					}
					s.await(home, "✅ Drain —")
					s.wantRecord(second, "Approved by @ben and @cat")
					s.slash("ana", "#ops", "cancel "+run.ID.Short())
					s.settle(run)
					s.await(home, "🚫 web — cancelled")
					s.await(home, "web cancelled after")
				}, setting{engine: bench, workspace: withCat, bot: func(o *Options) { o.OpsChannel = ops }})
			})
		}
	}
}

// F-36: the channel is archived while steps are told: none is lost.
func TestClosed_stepsAreToldElsewhere(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 2 —")
		s.ws.ArchiveChannel("#deploys")
		s.settle(run)
		told := strings.Join(s.thread(run), "\n")
		if !has(told, "b — success", "✅ Step 3 —", "✅ Step 4 —", "✅ Step 5 —", "success after") {
			s.tb.Errorf("in #ops the thread says\n%s", told)
		}
		if at, _ := s.newest().Place(); at.Channel != "C2" {
			s.tb.Errorf("the card is in %s", at.Channel)
		}
	})
}

// F-36: the token is revoked: runs go on, the bot says what is wrong, and everything is told later.
func TestRevoked_runsGoOnAndTheBotSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", fiveSteps)
		s.slowSteps(4 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "✅ Step 1 —")
		for _, method := range []string{"chat.postMessage", "chat.update", "apps.connections.open"} {
			s.ws.FailNext(method, "token_revoked", 1000)
		}
		s.ws.CutSockets()
		s.until("the run has ended", func() bool { return s.newest().Status.Final() })
		h := s.current().Health()
		if len(h.Problems) != 2 || !has(strings.Join(h.Problems, " "), "bot token", "app token", "token_revoked", "playbot doctor") || h.Sockets != 0 {
			s.tb.Errorf("the health is %+v", h)
		}
		time.Sleep(time.Hour)
		s.ws.Heal()
		s.twoSockets()
		s.settle(run)
		s.wantFiveSteps(run)
		if h := s.current().Health(); len(h.Problems) != 0 {
			s.tb.Errorf("the health is %+v", h)
		}
	})
}

// F-37: Slack refuses what we have drawn: a plain line takes its place, and the run goes on.
func TestUnsound_drawingsAreShownPlainly(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"invalid_blocks", "msg_too_long", "msg_blocks_too_long", "invalid_blocks_format"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", fiveSteps)
				s.slowSteps(4 * time.Second)
				s.slash("ana", "#deploys", "run b")
				run := s.newest()
				s.await("#deploys", "✅ Step 1 —")
				s.ws.FailNext("chat.postMessage", code, 1)
				s.ws.FailNext("chat.update", code, 1)
				s.await("#deploys", "could not be drawn", "playbot history show "+run.ID.Short())
				s.settle(run)
				if told := strings.Join(s.thread(run), "\n"); !has(told, "b — success", "✅ Step 5 —", "success after") {
					s.tb.Errorf("the thread says\n%s", told)
				}
			})
		})
	}
}

// F-37: a mistake in a drawing costs that drawing: the run goes on, and whoever is asked learns how to answer.
func TestUnsound_aPanicWhileDrawingCostsThatDrawing(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", gatedBook)
		s.slash("ana", "#deploys", "run web rev=abc")
		run := s.newest()
		s.await("#deploys", "could not be drawn", "/playbook approve "+run.ID.Short()+".1")
		s.slash("ben", "#deploys", "approve "+run.ID.Short()+".1")
		s.settle(run)
		if told := strings.Join(s.thread(run), "\n"); !has(told, "web — success", "✅ Check abc —", "Approved by @ben", "✅ Upgrade —", "success after") {
			s.tb.Errorf("the thread says\n%s", told)
		}
	}, setting{bot: func(o *Options) {
		o.Approvers = func(string, ...string) []string { panic("scripted") } // who is asked is on the question and on the card
	}})
}
