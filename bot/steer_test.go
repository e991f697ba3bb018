package bot

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

const rollingBook = `
nodes: {kafka: {type: list, nodes: [k1, k2, k3, k4, k5]}}
tasks:
  - rolling:
      description: Restart kafka
      nodes: "{{ nodes.kafka }}"
      waves: [1, 2]
      tasks:
        - do: {name: restart, description: "Restart {{ wave.nodes }}", nodes: "{{ wave.nodes }}"}
  - do: {name: after, description: After}
`

// atWave starts the rolling playbook, each of whose waves takes a minute, and waits for its card.
func (s *stage) atWave() *engine.Run {
	s.tb.Helper()
	s.book("roll", rollingBook)
	s.Script.On("restart", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
		select {
		case <-time.After(time.Minute):
			return engine.Result{Message: "done"}, nil
		case <-ctx.Done():
			return engine.Result{}, context.Cause(ctx)
		}
	})
	s.slash("ana", "#deploys", "run roll")
	s.await("#deploys", "Restart kafka (wave 1 of 3)")
	return s.newest()
}

func TestSteer_fromTheCardAndTheThread(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		run := s.atWave()
		card := s.await("#deploys", "⏳ roll — running")
		s.wantButtons(card, "pause", "stop", "log", "cancel")
		if said := s.click("ana", card, "pause"); !has(said, "Paused: no further task or wave begins") {
			t.Errorf("ana was told %q", said)
		}
		pause := s.await("#deploys", "⏸️ Paused by @ana at", "What is under way ends first.")
		s.wantButtons(pause, "resume", "next", "stop")
		s.until("the run is held", func() bool { return has(s.now(pause), "Held before wave 2 of 3.") })
		s.await("#deploys", "✋ roll — waiting", "⏸️ Paused by ana — held before wave 2 of 3")
		s.wantButtons(card, "resume", "next", "stop", "log", "cancel")
		if said := s.click("gus", pause, "resume"); !has(said, "no run") {
			t.Errorf("gus was told %q", said)
		}
		if said := s.click("ben", pause, "next"); !has(said, "The next wave starts") {
			t.Errorf("ben was told %q", said)
		}
		s.await("#deploys", "⏭️ @ben sent wave 2 on")
		s.until("wave 3 can be started", func() bool { return has(s.now(pause), "Held before wave 3 of 3.") })
		s.slash("ana", "#deploys", "slow "+run.ID.Short()+` every=2m size=1 "one at a time"`)
		s.await("#deploys", "🐢 @ana set the pace: a wave starts 2m after the one before has ended, or later, and a wave has 1 node at most", "one at a time")
		s.crash()
		s.until("the pause is that of before", func() bool { return has(s.now(pause), "Held before wave 3 of 4.") })
		if _, err := s.ws.Say("ben", "#deploys", s.cardOf(run), "@playbot resume all is well"); err != nil {
			t.Fatal(err)
		}
		s.until("the pause is a record", func() bool { return len(s.buttons(pause)) == 0 })
		s.wantRecord(pause, "⏸️ Paused by @ana at", "▶️ Resumed by @ben at", "all is well")
		s.await("#deploys", "⏳ roll — running", "🐢 ana set the pace")
		s.settle(run)
		s.wantThread(run, "✅ roll — success", "⏸️ Paused by @ana", "✅ Restart kafka", "wave 4: k5", "⏭️ @ben sent wave 2 on", "🐢 @ana", "✅ After", "roll success after")
	})
}

func TestSteer_stopFromTheCard(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run := s.atWave()
		card := s.await("#deploys", "⏳ roll — running")
		s.click("ana", card, "stop")
		s.await("#deploys", "⏹️ @ana stopped the waves")
		s.until("it cannot be stopped twice", func() bool { return strings.Join(s.buttons(card), " ") == "pause log cancel" })
		s.settle(run)
		s.wantThread(run, "❌ roll — failed", "⏹️ @ana stopped the waves", "❌ Restart kafka", "4 nodes of later waves were not touched: k2, k3, k4, k5", "roll failed after")
	})
}

func TestPause_ofARunThatIsCancelledHasNoButtonsLeft(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run := s.atWave()
		s.slash("ana", "#deploys", "pause "+run.ID.Short()+" errors rise")
		pause := s.await("#deploys", "⏸️ Paused by @ana", "errors rise", "Held before wave 2")
		s.slash("ana", "#deploys", "cancel "+run.ID.Short())
		s.settle(run)
		s.wantRecord(pause, "⏸️ Paused by @ana at", "errors rise", "It was not resumed")
	})
}

func TestPause_takesTheQuestionBackAndAsksAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.slash("ana", "#deploys", "pause "+run.ID.Short())
		s.until("the question is taken back", func() bool { return len(s.buttons(gate)) == 0 })
		s.wantRecord(gate, "🚫 Taken back at", "the run was paused by ana")
		pause := s.await("#deploys", "⏸️ Paused by @ana", `Held before "Drain".`)
		s.wantButtons(pause, "resume")
		s.click("ana", pause, "resume")
		s.until("it asks again", func() bool { a := s.newest().Pending(); return a != nil && a.Number == 2 })
		s.slash("ben", "#deploys", "approve "+run.ID.Short())
		s.settle(run)
	})
}

func TestApproval_ofOneWaveAsksAgainForTheRest(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("roll", strings.Replace(rollingBook, "waves: [1, 2]", "waves: [1, 2]\n      destructive: true", 1))
		s.slash("ana", "#deploys", "run roll")
		gate := s.await("#deploys", "Approval needed", "wave by wave: 1 (1 node), 2 (2 nodes), 3 (2 nodes)", "nodes=1 or until=15:00 grants less")
		s.wantButtons(gate, "approve", "approve_first", "approve_less", "deny")
		if said := s.click("ben", gate, "approve_first"); !has(said, "You approved for one wave only") {
			s.tb.Errorf("ben was told %q", said)
		}
		run := s.newest()
		s.until("the gate is a record", func() bool { return len(s.buttons(gate)) == 0 })
		s.wantRecord(gate, "✅ Approved by @ben at", "for one wave only")
		rest := s.await("#deploys", "Approval needed", "“Restart kafka”, waves 2 to 3", "touches 4: k2, k3, k4, k5")
		s.slash("ben", "#deploys", "approve "+run.ID.Short()+` nodes=3 until=00:30 "not all of them"`)
		s.until("the second is a record", func() bool { return len(s.buttons(rest)) == 0 })
		s.wantRecord(rest, "✅ Approved by @ben at", "for 3 nodes only, until 2000-01-01 00:30:00 UTC", "not all of them")
		last := s.await("#deploys", "Approval needed", "“Restart kafka”, wave 4", "touches 1: k5")
		s.click("ben", last, "approve")
		s.settle(run)
		s.wantThread(run, "✅ roll — success", "for one wave only", "for 3 nodes only", "“Restart kafka”, wave 4", "✅ Restart kafka", "wave 4: k5", "✅ After", "roll success after")
	})
}

// The thread of a rollout that people steered, as a person reads it.
func TestThread_ofASteeredRollout(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("roll", strings.Replace(rollingBook, "waves: [1, 2]", "waves: [1, 2]\n      approval: {each_wave: true}", 1))
		s.Script.On("restart", func(context.Context, int, *engine.Call) (engine.Result, error) {
			time.Sleep(time.Minute)
			return engine.Result{Message: "done"}, nil
		})
		s.slash("ana", "#deploys", "run roll")
		run := s.newest()
		say := func(who, line string) {
			s.drawn()
			s.slash(who, "#deploys", strings.Replace(line, " ", " "+run.ID.Short()+" ", 1))
			time.Sleep(10 * time.Second)
		}
		say("ben", "approve one after the other")
		say("ana", `pause "k1 is slow"`)
		time.Sleep(2 * time.Minute)
		say("ben", "resume k1 is well")
		say("ben", `approve nodes=1 "half of it"`)
		say("ana", `slow every=3m "let them catch up"`)
		time.Sleep(2 * time.Minute)
		say("ana", `next "they did"`)
		say("ben", "approve go on")
		say("ana", `stop "enough for tonight"`)
		s.settle(run)
		text := strings.ReplaceAll(strings.Join(s.thread(run), "\n--\n"), run.ID.Short(), "r-000001")
		text = regexp.MustCompile(`\d\d:\d\d:\d\d`).ReplaceAllString(text, "HH:MM:SS")
		text = regexp.MustCompile(`seal [0-9a-f]{12}`).ReplaceAllString(text, "seal 0123456789ab")
		golden(s.tb, filepath.Join("threads", "steered.txt"), text+"\n")
	})
}

func (s *stage) wantButtons(m workspace.Message, want ...string) {
	s.tb.Helper()
	s.until(fmt.Sprintf("the message has the buttons %q", want), func() bool { return slices.Equal(s.buttons(m), want) })
}

// cardOf is where the card of a run stands.
func (s *stage) cardOf(run *engine.Run) string {
	s.tb.Helper()
	now, err := s.Engine.Load(s.tb.Context(), run.ID)
	if err != nil {
		s.tb.Fatal(err)
	}
	at, _ := now.Place()
	return at.TS
}

// Whom the policy still knows, and the workspace does not, is refused in the thread, after the answer.
func TestSteer_byAGuestDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *stage){
		"is a guest here":         func(s *stage) { s.ws.SetUser(workspace.User{ID: "UBEN", Name: "ben", IsGuest: true}) },
		"has left this workspace": func(s *stage) { s.ws.SetUser(workspace.User{ID: "UBEN", Name: "ben", Deleted: true}) },
		"could not say who":       func(s *stage) { s.ws.FailNext("users.info", "user_lookup_broken", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				run := s.atWave()
				card := s.await("#deploys", "⏳ roll — running")
				s.slash("ben", "#deploys", "whoami") // from here on he counts at the door for a minute
				time.Sleep(10 * time.Second)
				spoil(s)
				s.click("ben", card, "cancel")
				s.await("#deploys", "🚫 ", "wanted to cancel the run, and that does not count", name)
				s.settle(run)
				if run = s.newest(); run.Status != engine.RunSuccess || run.Cancel != nil {
					s.tb.Errorf("the run is %s, cancelled by %v", run.Status, run.Cancel)
				}
			})
		})
	}
}
