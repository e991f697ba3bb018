package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
)

func TestGate_deniedIsRecorded(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.deny("ben", gate, "not on a Friday")
		s.settle(run)
		s.wantRecord(gate, "⛔ Denied by @ben at", "not on a Friday")
		s.wantThread(run, "❌ web — failed", "Check", "Denied", "⛔ Drain", "web failed")
		if s.Script.Calls("drain") != 0 {
			s.tb.Error("what was denied was done")
		}
	})
}

func TestGate_thatNobodyAnswersExpiresAndIsRecorded(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		time.Sleep(time.Hour)
		s.settle(run)
		s.wantRecord(gate, "⌛ Nobody approved in time; expired at 2000-01-01 01:00")
		s.wantThread(run, "❌ web — failed", "Check", "⌛", "⏰ Still waiting for @ben", "⛔ Drain", "web failed")
	})
}

func TestGate_approvedByTypingLosesItsButtonsToo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.slash("ben", "#ops", "approve "+run.ID.Short())
		s.settle(run)
		s.wantRecord(gate, "✅ Approved by @ben at")
	})
}

// F-39: of two presses one counts, and the other is told so.
func TestGate_pressedTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run, gate := s.atGate()
		s.ws.RateLimitNext("chat.update", 10, 1) // the buttons stay for a while
		s.click("ben", gate, "approve")
		time.Sleep(time.Millisecond) // a click is told from a copy of it by its time
		s.click("ben", gate, "approve")
		s.settle(run)
		if told := s.ephemerals("ben"); len(told) != 2 || !has(strings.Join(told, "\n"), "too late: approved by ben", "You approved") {
			t.Errorf("ben was told %q", told)
		}
		if n := s.Script.Calls("drain"); n != 1 {
			t.Errorf("the step ran %d times", n)
		}
	})
}

// F-40: a button of a run that is over decides nothing, and the message is repaired.
func TestClick_onAButtonThatIsOverDrawsTheMessageAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		for range 2 { // the record and the card never reach Slack: somebody sees old buttons
			s.ws.FailNext("chat.update", "external_channel_migrating", 1)
		}
		s.deny("ben", gate, "no")
		s.settle(run)
		if len(s.buttons(gate)) == 0 {
			s.tb.Fatal("the gate lost its buttons although no edit got through")
		}
		if said := s.click("ben", gate, "approve"); !has(said, "ended") && !has(said, "too late") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.until("the gate is a record", func() bool { return len(s.buttons(gate)) == 0 })
		s.wantRecord(gate, "Denied by @ben")
	})
}

// F-38, T-15: guests, bots, strangers, people of other teams and people who left open nothing.
func TestApproval_bySomebodyWhoBecameAGuestOrLeftIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, ben := range map[string]workspace.User{
		"is a guest here":            {ID: "UBEN", Name: "ben", IsGuest: true},
		"has left this workspace":    {ID: "UBEN", Name: "ben", Deleted: true},
		"belongs to another":         {ID: "UBEN", Name: "ben", Stranger: true},
		"is a bot, so only members ": {ID: "UBEN", Name: "ben", IsBot: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				_, gate := s.atGate()
				s.slash("ben", "#deploys", "whoami") // from here on he counts at the door for a minute
				time.Sleep(10 * time.Second)
				s.ws.SetUser(ben)
				s.click("ben", gate, "approve")
				s.until("the approval is taken back", func() bool { return has(s.now(gate), "Taken back at", strings.Fields(name)[0]) })
				s.wantRecord(gate, "ben cannot approve any more")
				s.until("the gate asks again", func() bool {
					m, ok := s.find("#deploys", "Approval needed", "Drain")
					return ok && m.TS != gate.TS
				})
				if s.Script.Calls("drain") != 0 {
					s.tb.Error("the step began on an approval that does not count")
				}
			})
		})
	}
}

// Somebody who speaks for another company is refused at the click, although they were a member a moment ago.
func TestApproval_clickedFromAnotherCompanyIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.slash("ben", "#deploys", "whoami")
		s.ws.SetUser(workspace.User{ID: "UBEN", Name: "ben", TeamID: "T2"})
		if said := s.click("ben", gate, "approve"); !has(said, "from another workspace") {
			s.tb.Errorf("ben was told %q", said)
		}
		if now := s.newest(); now.ID != run.ID || now.Pending() == nil || len(now.Pending().Given) > 0 {
			s.tb.Errorf("the click counted: %+v", now.Approvals)
		}
	})
}

// F-38: a look-up that fails refuses.
func TestApproval_isTakenBackWhenSlackCannotSayWhoItWas(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		_, gate := s.atGate()
		s.slash("ben", "#deploys", "whoami") // from here on he counts at the door for a minute
		time.Sleep(10 * time.Second)
		s.ws.FailNext("users.info", "user_lookup_broken", 1)
		s.click("ben", gate, "approve")
		s.until("the approval is taken back", func() bool { return has(s.now(gate), "Taken back", "could not say who ben is") })
	})
}

func TestClick_thatTheDiskTakesLateIsRealAndShown(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run, gate := s.atGate()
		s.drawn()
		free := s.log.block()
		if err := s.ws.Click(t.Context(), "ben", gate.Channel, gate.TS, "approve"); err == nil {
			t.Error("a click that is on no disk was acked")
		}
		free()
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
	})
}
