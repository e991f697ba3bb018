package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestHome_showsWhatWaitsAndAnswersItsButtons(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run, q := s.cutOff()
		home := func() string { return s.ws.PlainView(s.ws.Home("ana")) }
		if err := s.ws.OpenHome("ana"); err != nil {
			t.Fatal(err)
		}
		s.until("ana's Home shows the question", func() bool { return has(home(), run.ID.Short(), "One", "[Mark done]") })
		id, _ := s.ws.Home("ana")["id"].(string)
		if err := s.ws.Press(t.Context(), workspace.Press{User: "ana", View: id, ActionID: "mark_done"}); err != nil {
			t.Fatal(err)
		}
		s.settle(run)
		s.wantRecord(q, "@ana chose done")
		s.until("ana is answered there", func() bool { return has(home(), "You chose done") })
		if n := len(s.ws.Everything("DANA")); n != 0 {
			t.Errorf("ana was told %d messages besides", n)
		}
		s.until("ana's Home has nothing to press any more", func() bool { return !has(home(), "[Mark done]") })
	})
}

// looks has somebody open their Home tab, and waits until it says something.
func (s *stage) looks(user string, words ...string) {
	s.tb.Helper()
	if err := s.ws.OpenHome(user); err != nil {
		s.tb.Fatal(err)
	}
	s.sees(user, words...)
}

// sees waits until the Home tab of somebody says something, without their doing.
func (s *stage) sees(user string, words ...string) {
	s.tb.Helper()
	s.until(fmt.Sprintf("%s's Home says %q:\n%s", user, words, s.ws.PlainView(s.ws.Home(user))), func() bool {
		return has(s.ws.PlainView(s.ws.Home(user)), words...)
	})
}

// pressHome presses a button of somebody's Home tab.
func (s *stage) pressHome(user, action string) {
	s.tb.Helper()
	id, _ := s.ws.Home(user)["id"].(string)
	if err := s.ws.Press(s.tb.Context(), workspace.Press{User: user, View: id, ActionID: action}); err != nil {
		s.tb.Fatal(err)
	}
}

func TestHome_followsARunForThoseWhoLook(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.looks("ben", "Nothing waits for you.", "Nothing is under way.", "No run has ended yet.")
		s.looks("ana", "Nothing waits for you.")
		run, gate := s.atGate()
		s.sees("ben", "Waiting for you (1)", "✋ web "+run.ID.Short(), `Approve "Drain"?`, "touches 2: web1, web2", "[Open thread] [Approve] [Deny]")
		s.sees("ana", "Nothing waits for you.", "Running (1)", `waits for somebody else to approve "Drain"`, "[Open thread] [Log] [Cancel]")
		s.pressHome("ben", "open")
		s.pressHome("ben", "approve")
		s.sees("ben", "You approved")
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
		s.sees("ben", "Nothing waits for you.", "Recent (1)", "✅ web "+run.ID.Short(), "3 of 3 tasks done")
		s.sees("ana", "Recent (1)")
		if n := len(s.ephemerals("ben")); n != 0 {
			t.Errorf("ben was told %q besides", s.ephemerals("ben"))
		}
	})
}

func TestHome_publishesNothingThatIsThereAlreadyAndForgetsWhoLookedLongAgo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		s.looks("ana", "Nothing waits for you.")
		before := len(s.calls("views.publish"))
		for range 20 {
			s.slash("ana", "#deploys", "run b")
			time.Sleep(time.Second)
		}
		s.sees("ana", "Recent (5)")
		time.Sleep(time.Minute)
		if n := len(s.calls("views.publish")) - before; n < 2 || n > 7 {
			t.Errorf("20 runs in 20 seconds were %d views", n)
		}
		time.Sleep(homeLife)
		before = len(s.calls("views.publish"))
		s.slash("ana", "#deploys", "run b")
		time.Sleep(time.Minute)
		if n := len(s.calls("views.publish")) - before; n != 0 {
			t.Errorf("a tab that was opened long ago was published %d times", n)
		}
	})
}

func TestHome_thatSomebodyElseHasPublishedIsDrawnAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.looks("ben", "Nothing waits for you.")
		s.ws.FailNext("views.publish", "hash_conflict", 1)
		run, _ := s.atGate()
		s.sees("ben", "Waiting for you (1)", run.ID.Short())
		var hashes []string
		for _, c := range s.ws.Traffic() {
			if c.Method == "views.publish" {
				hashes = append(hashes, fmt.Sprint(strings.Contains(c.Body, `"hash"`), c.Error))
			}
		}
		if got := strings.Join(hashes, " "); !strings.HasPrefix(got, "false true") || !strings.Contains(got, "truefault false") {
			s.tb.Errorf("hashes were given and refused like this: %s", got)
		}
	})
}

func TestHome_isKeptWhileSlackIsAway(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.looks("ben", "Nothing waits for you.")
		s.ws.RateLimitNext("views.publish", 30, 2)
		run, _ := s.atGate()
		s.sees("ben", "Waiting for you (1)", run.ID.Short())
		s.ws.BreakNext("views.publish", false, 50)
		s.pressHome("ben", "approve")
		s.until("ben hears of it directly", func() bool { return len(s.ws.Everything("DBEN")) == 1 && has(s.texts("DBEN")[0], "You approved") })
	})
}

func TestHome_startsAPlaybook(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: one}}]")
		s.looks("ana", "[Run a playbook]", "Nothing is under way.")
		s.pressHome("ana", "form")
		s.form("ana", "Run a playbook")
		if n := len(s.ephemerals("ana")) + len(s.ws.Everything("DANA")); n != 0 {
			t.Errorf("ana was told %d messages besides", n)
		}
		s.fill("ana", map[string]string{"playbook": "b", "where": "C2"})
		s.form("ana", "Run b")
		s.fill("ana", nil)
		s.await("#ops", "✅ b — success")
		s.sees("ana", "Recent (1)", "✅ b "+s.newest().ID.Short())
	})
}

func TestHome_offersNothingToRunToWhoMayRunNothing(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		s.looks("eve", "lets you run no playbook")
		if text := s.ws.PlainView(s.ws.Home("eve")); has(text, "[") {
			s.tb.Errorf("eve sees\n%s", text)
		}
	}, setting{workspace: func(o *workspace.Options) { o.Users = append(o.Users, workspace.User{ID: "UEVE", Name: "eve"}) }})
}

func TestHome_ofAGuestSaysWhyItIsEmpty(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.atGate()
		s.looks("gus", "is a guest here", "only members of this workspace count")
		if text := s.ws.PlainView(s.ws.Home("gus")); has(text, "web") || has(text, "[") {
			s.tb.Errorf("a guest sees\n%s", text)
		}
	})
}

func TestHomeView_isWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a long line of what is covered; ", 100)
	var h commands.Home
	for i := range 40 {
		a := &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Approval: fmt.Sprint("a", i), Waves: []int{1, 2}, Scope: "run"}}
		one := commands.HomeRun{Run: longEnd(nil), Lines: []string{long, long}, Buttons: commands.ApprovalButtons(sampleID, a)}
		one.Run.Places = []engine.Place{{Channel: "C1", TS: "1.2"}}
		h.Waiting, h.Running, h.Recent = append(h.Waiting, one), append(h.Running, one), append(h.Recent, one)
	}
	f := homeFrame{label: "staging", answer: message{text: fallback(long + "<!channel>")}, link: func(engine.Place) string { return "https://test.slack.com/archives/C1/p12" }}
	checkView(t, "huge", homeView(h, f))
	checkView(t, "empty", homeView(commands.Home{}, f))
	checkView(t, "refused", homeRefused(long))
}
