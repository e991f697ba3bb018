package bot

import (
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

// F-38: whoever is not who they were between the question and the click, or between the click and the step, opens
// nothing; neither does somebody whom Slack cannot look up. F-40: the buttons of a question that another one has
// taken the place of decide nothing, and the message becomes a record.
func TestApproval_ofAGateThatWasAskedAgainIsRefusedAtTheOldMessage(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, old := s.atGate()
		s.slash("ben", "#deploys", "whoami") // from here on he counts at the door for a minute
		time.Sleep(10 * time.Second)
		s.ws.SetUser(workspace.User{ID: "UBEN", Name: "ben", IsGuest: true})
		for range 3 { // the record does not get through: somebody sees the old buttons
			s.ws.FailNext("chat.update", "cant_update_message", 1)
		}
		s.click("ben", old, "approve")
		s.until("the gate asks again", func() bool { a := s.reload(run).Pending(); return a != nil && a.Number == 2 })
		s.ws.SetUser(workspace.User{ID: "UBEN", Name: "ben"})
		time.Sleep(time.Minute)
		_, now := s.posed(run)
		if said := s.click("ben", old, "approve"); !has(said, "nothing was done", "asked in another message") { // the record is one of its own
			s.tb.Errorf("ben was told %q", said)
		}
		if a := s.reload(run).Pending(); a == nil || len(a.Given) > 0 || s.Script.Calls("drain") > 0 {
			s.tb.Error("the old button has opened something")
		}
		time.Sleep(time.Millisecond) // a click is told from a copy of it by its time
		s.click("ben", now, "approve")
		s.settle(run)
	})
}

// F-40: a question that the history does not know, such as one of before a restore, says so itself.
func TestPress_onAQuestionThatTheHistoryDoesNotKnow(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		stranger := engine.NewRunID(time.Now())
		other := *run
		other.ID = stranger
		m, err := s.current().postAs(s.tb.Context(), engine.Place{Channel: gate.Channel}, tag{}, mustQuestion(s, &other))
		if err != nil {
			s.tb.Fatal(err)
		}
		msg, _ := s.ws.Message(m.Channel, m.TS)
		if err := s.ws.Click(s.tb.Context(), "ben", msg.Channel, msg.TS, "approve"); err != nil {
			s.tb.Fatal(err)
		}
		s.until("the message says that it is over", func() bool { return len(s.buttons(msg)) == 0 && has(s.now(msg), "not in playbot's history") })
		s.deny("ben", gate, "no")
		s.settle(run)
	})
}

func mustQuestion(s *stage, run *engine.Run) message {
	s.tb.Helper()
	q, ok := s.current().question(run, run.Pending().Ref())
	if !ok {
		s.tb.Fatal("there is no question")
	}
	return q.message
}

// A question whose message somebody deleted is asked again by `/playbook approvals`, and what is there is left alone.
func TestApprovals_asksAgainWhatIsLost(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.posed(run)
		s.slash("ben", "#ops", "approvals")
		s.drawn()
		if _, now := s.posed(run); now.TS != gate.TS {
			s.tb.Error("a question that was there was asked again")
		}
		s.ws.DeleteMessage(gate.Channel, gate.TS)
		if said := s.slash("ben", "#ops", "approvals --mine"); !has(said, "1 run waiting", "touches 2: web1, web2") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.until("the question is asked in another message", func() bool {
			at := s.reload(run).Posts[run.Approvals[0].Ref()]
			return at.TS != gate.TS
		})
		_, now := s.posed(run)
		s.click("ben", now, "approve")
		s.settle(run)
		s.wantRecord(now, "Approved by @ben")
	})
}

// F-33: while Slack is down nobody has seen the question, so its time does not run; afterwards people have all of it.
func TestGate_whileSlackIsDownHasItsTimeAfterwards(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", "tasks: [{do: {name: drain, description: Drain, destructive: true, pre_sleep: 60}}]")
		s.slash("ana", "#deploys", "run web")
		time.Sleep(30 * time.Second) // who asks was looked up
		s.net.down(true)
		run := s.newest()
		time.Sleep(2 * time.Hour)
		if s.reload(run).Pending() == nil {
			s.tb.Fatalf("the gate that nobody could see is over: %s", s.reload(run).Message)
		}
		s.net.down(false)
		_, gate := s.posed(run)
		a := s.reload(run).Pending()
		if left := time.Until(a.Deadline()); left < 59*time.Minute || !has(s.now(gate), "expires "+a.Deadline().UTC().Format("15:04")) {
			s.tb.Errorf("%s are left, and the question says\n%s", left, s.now(gate))
		}
		s.click("ben", gate, "approve")
		s.settle(run)
	})
}
