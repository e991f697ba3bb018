package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

func TestMention_isAnsweredWhereItWasSaid(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
			t.Fatal(err)
		}
		s.await("#deploys", "b — success")
		if run := s.newest(); run.Requested.Actor.User != "UANA" || run.Requested.Actor.Channel != "C1" {
			t.Errorf("the run was asked for by %+v", run.Requested.Actor)
		}
		s.until("ana is told", func() bool { return len(s.ephemerals("ana")) == 1 })
		s.settle(s.newest())
	})
}

func TestMention_thatSlackSendsAgainStartsOneRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		s.ws.RefuseAcks(1)
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
			t.Fatal(err)
		}
		s.await("#deploys", "b — success")
		time.Sleep(10 * time.Minute)
		if n := s.succeeded(); n != 1 {
			t.Errorf("there are %d runs", n)
		}
		s.drawn()
	})
}

func TestMention_thatTheStoreDoesNotTakeInTimeComesAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		free := s.log.block()
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		free()
		s.await("#deploys", "b — success")
		s.settle(s.newest())
		if n := s.succeeded(); n != 1 {
			t.Errorf("there are %d runs", n)
		}
	})
}

func TestDirectMessage_isAnsweredThere(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		if _, err := s.ws.Say("ana", "DANA", "", "list"); err != nil {
			t.Fatal(err)
		}
		s.until("the bot answers", func() bool { return len(s.ws.Everything("DANA")) == 2 })
		if text := s.texts("DANA")[1]; !has(text, "b") {
			t.Errorf("the answer is %q", text)
		}
		if _, err := s.ws.Say("ana", "DANA", "", "run b"); err != nil {
			t.Fatal(err)
		}
		s.await("DANA", "b — success")
		s.settle(s.newest())
	}, setting{workspace: func(o *workspace.Options) {
		o.Channels = append(o.Channels, workspace.Channel{ID: "DANA", IM: "UANA", Members: []string{"UANA", "UBOT"}})
		o.Scopes = append(o.Scopes, "im:history") // of those who want it; see the guide
	}})
}

func TestThread_ofARunKnowsWhichRunIsMeantAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]bool{"while it goes on": false, "when it is over": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				t := s.tb
				run, _ := s.atGate()
				if over {
					s.slash("ana", "#ops", "cancel "+run.ID.Short())
					s.settle(run)
				}
				s.drawn()
				s.stop()
				s.start()
				run, err := s.Engine.Load(t.Context(), run.ID)
				if err != nil {
					t.Fatal(err)
				}
				card, _ := run.Place()
				if _, err := s.ws.Say("ben", "#deploys", card.TS, "@playbot show"); err != nil {
					t.Fatal(err)
				}
				s.until("ben is told of the run", func() bool {
					told := s.ephemerals("ben")
					return len(told) > 0 && has(told[len(told)-1], run.ID.Short(), "web")
				})
			})
		})
	}
}

func TestHome_showsAGateToWhoMayDecideItWithButtons(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run, gate := s.atGate()
		home := func(user string) string { return s.ws.PlainView(s.ws.Home(user)) }
		for _, user := range []string{"ana", "ben"} {
			if err := s.ws.OpenHome(user); err != nil {
				t.Fatal(err)
			}
			s.until(user+"'s Home shows the gate", func() bool { return has(home(user), run.ID.Short(), "Drain") })
		}
		if has(home("ana"), "[Approve]") {
			t.Errorf("ana may approve what she asked for: %s", home("ana"))
		}
		if !has(home("ben"), "task: do", "touches 2: web1, web2", `name: "drain"`, "[Approve] [Deny]", "This playbot is called test.") {
			t.Errorf("ben does not see what he decides: %s", home("ben"))
		}
		s.pressHome("ben", "approve")
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
		s.sees("ben", "You approved")
		s.until("ben's Home has nothing to press any more", func() bool { return !has(home("ben"), "[Approve]") })
	})
}

// homeValue is the value of the first button with an action of somebody's Home.
func (s *stage) homeValue(user, action string) (string, bool) {
	blocks, _ := s.ws.Home(user)["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		elements, _ := block["elements"].([]any)
		for _, e := range elements {
			if one, _ := e.(map[string]any); one["action_id"] == action {
				value, ok := one["value"].(string)
				return value, ok
			}
		}
	}
	return "", false
}

func TestHome_aButtonOfAnOldViewIsAnsweredAndTheViewDrawnAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		first, _ := s.atGate()
		time.Sleep(time.Second)                   // so that it waits longer
		s.book("web", "leases: none\n"+gatedBook) // a second run over the same nodes
		s.slash("ana", "#deploys", "run web rev=abd")
		second := s.newest()
		s.until("both runs wait", func() bool { return len(s.waiting()) == 2 })
		home := func() string { return s.ws.PlainView(s.ws.Home("ben")) }
		if err := s.ws.OpenHome("ben"); err != nil {
			t.Fatal(err)
		}
		s.until("ben's Home shows both gates", func() bool { return strings.Count(home(), "[Approve] [Deny]") == 2 })
		old, _ := s.homeValue("ben", "deny") // of the gate that waits longest, which stands first
		s.slash("ben", "#ops", "approve "+first.ID.Short())
		s.settle(first)
		id, _ := s.ws.Home("ben")["id"].(string)
		if err := s.ws.Press(t.Context(), workspace.Press{User: "ben", View: id, ActionID: "deny", Value: map[string]any{"value": old}}); err != nil {
			t.Fatal(err)
		}
		s.sees("ben", "too late: approved by ben")
		s.until("ben's Home has the other gate only", func() bool { return strings.Count(home(), "[Approve] [Deny]") == 1 })
		if !has(home(), second.ID.Short()) || s.Script.Calls("drain") != 1 {
			t.Errorf("ben's Home is %s", home())
		}
		time.Sleep(time.Millisecond) // a click is told from a copy of it by its time
		s.pressHome("ben", "deny")
		s.form("ben", "Deny")
		s.fill("ben", map[string]string{"reason": "not this one"})
		s.settle(second)
		s.until("ben's Home has no gate", func() bool { return !has(home(), "[Approve]") })
	})
}

// waiting are the runs that wait for a person.
func (s *stage) waiting() []engine.Summary {
	s.tb.Helper()
	runs, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Status: engine.RunWaiting, Limit: 10})
	if err != nil {
		s.tb.Fatal(err)
	}
	return runs
}

func TestHome_ofSomebodyWithoutARoleIsPublishedToo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		if err := s.ws.OpenHome("gus"); err != nil {
			t.Fatal(err)
		}
		s.until("gus has a Home", func() bool { return s.ws.Home("gus") != nil })
	})
}

func TestVouch_refusesWhoIsNoMember(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		for user, want := range map[string]engine.Code{"UANA": "", "UGUS": engine.CodeDenied, "UNOBODY": engine.CodeDenied, "UBOT": engine.CodeDenied} {
			err := s.current().Vouch(t.Context(), engine.Actor{Team: "T1", User: user})
			if want == "" && err != nil || want != "" && engine.CodeOf(err) != want {
				t.Errorf("%s: %v, want code %q", user, err, want)
			}
		}
		if err := s.current().Vouch(t.Context(), engine.Actor{User: "root"}); err != nil {
			t.Errorf("somebody who is not in Slack: %v", err)
		}
	})
}

func TestPost_saysItLetterByLetter(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		for _, text := range []string{"<!channel> *done* \x1b[31mred\x1b[0m", ""} {
			if err := s.current().Post(t.Context(), Announcement{Channel: "#ops", Text: text, Color: "danger", Run: "01ABC", Task: "Tell ops"}); err != nil {
				t.Error(err)
			}
		}
		if got := s.texts("#ops"); len(got) != 2 || !has(got[0], "🔴 <!channel> *done* red", "Tell ops · r-01abc") {
			t.Errorf("the channel shows %q", got)
		}
	})
}
