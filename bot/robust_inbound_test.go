package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

// twoSockets waits until both connections are open and work.
func (s *stage) twoSockets() {
	s.tb.Helper()
	s.until("both connections are open", func() bool { return s.ws.Connected() == sockets && s.ws.Frozen() == 0 })
}

// F-27: whatever happens to one connection, the other answers meanwhile, and within ten seconds there are
// two again. One that is dead without a word is found out within 30 seconds.
func TestSockets_dropsLoseNoCommand(t *testing.T) {
	t.Parallel()
	rounds := 125
	if testing.Short() {
		rounds = 10
	}
	onStage(t, func(s *stage) {
		for i := range rounds {
			for name, spoil := range map[string]func(){
				"idle":      func() { s.ws.CutSocket(false) },
				"mid-frame": func() { s.ws.CutSocket(true) },
				"refresh":   func() { s.ws.ReplaceSocket("refresh_requested") },
				"warning":   func() { s.ws.ReplaceSocket("warning") },
			} {
				s.twoSockets()
				spoil()
				if told := s.slash("ana", "#deploys", "whoami"); !has(told, "ana") {
					s.tb.Fatalf("round %d, %s: the answer is %q", i, name, told)
				}
				began := time.Now()
				if s.twoSockets(); time.Since(began) > 10*time.Second {
					s.tb.Errorf("round %d, %s: the second connection was back after %s", i, name, time.Since(began))
				}
			}
		}
	})
}

// F-27: a half-open connection, which nobody is told of, is found out within 30 seconds.
func TestSockets_aHalfOpenOneIsFoundOut(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		for range 20 {
			s.twoSockets()
			began := time.Now()
			s.ws.FreezeSocket()
			if s.twoSockets(); time.Since(began) > silence+2*time.Second {
				s.tb.Fatalf("it took %s until both connections worked again", time.Since(began))
			}
			s.slash("ana", "#deploys", "whoami")
		}
	})
}

// F-27: both connections are told to come back at once, and the app token does not work for a while.
func TestSockets_allGoneComeBackWhenSlackTakesThem(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.twoSockets()
		s.ws.FailNext("apps.connections.open", "invalid_auth", 6)
		s.ws.CutSockets()
		s.until("the bot says what is wrong", func() bool { return len(s.current().Health().Problems) == 1 })
		if p := s.current().Health().Problems[0]; !has(p, "app token", "invalid_auth", "playbot doctor") {
			s.tb.Errorf("the problem is %q", p)
		}
		s.twoSockets()
		s.until("the bot says that all is well", func() bool {
			h := s.current().Health()
			return len(h.Problems) == 0 && h.Sockets == sockets
		})
	})
}

// F-28: one request is one effect, whichever way its copy comes, and each copy is acknowledged.
func TestEnvelopes_copiesHaveOneEffectAndAreAcknowledged(t *testing.T) {
	t.Parallel()
	for name, double := range map[string]func(s *stage){
		"the same envelope":                      func(s *stage) { s.ws.DoubleEnvelopes(1) },
		"another envelope on another connection": func(s *stage) { s.ws.CopyEnvelopes(1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.twoSockets()
				s.book("web", gatedBook)
				double(s)
				if ack := s.slash("ana", "#deploys", "run web rev=abc"); has(ack, "asked before") {
					s.tb.Errorf("the ack is that of the copy: %q", ack)
				}
				s.wantAcks(2)
				gate := s.await("#deploys", "Approval needed", "Drain")
				double(s)
				s.click("ben", gate, "approve")
				s.settle(s.newest())
				double(s)
				if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run web rev=abd"); err != nil {
					s.tb.Fatal(err)
				}
				s.await("#deploys", "✅ Check abd —")
				s.wantAcks(6)
				if runs, _ := s.store.Find(s.tb.Context(), engine.HistoryQuery{}); len(runs) != 2 {
					s.tb.Errorf("there are %d runs, want 2", len(runs))
				}
				if told := s.ephemerals("ben"); len(told) != 1 {
					s.tb.Errorf("one click was answered %d times: %q", len(told), told)
				}
			})
		})
	}
}

// wantAcks waits until so many envelopes were acknowledged.
func (s *stage) wantAcks(n int) {
	s.tb.Helper()
	s.until(fmt.Sprintf("%d envelopes are acknowledged", n), func() bool { return len(s.calls("ack")) == n })
}

// F-28: a copy that comes while the first is not on disk yet waits for it; one of a request that was
// dropped is carried out.
func TestEnvelopes_aCopyIsNotAcknowledgedBeforeTheFirstIsOnDisk(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.twoSockets()
		s.book("b", "tasks: [{do: {name: one}}]")
		free := s.log.block()
		s.ws.CopyEnvelopes(1)
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
			s.tb.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if acks := s.calls("ack"); len(acks) != 0 {
			s.tb.Errorf("%d envelopes were acknowledged, and nothing is on disk", len(acks))
		}
		free()
		s.await("#deploys", "b — success") // Slack sends it again
		s.settle(s.newest())
		if n := s.succeeded(); n != 1 {
			s.tb.Errorf("there are %d runs", n)
		}
	})
}

// F-29: the ack is lost, and what it was for happens once.
func TestEnvelopes_aLostAckRepeatsNothing(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.ws.RefuseAcks(1)
		if err := s.ws.Click(s.tb.Context(), "ben", gate.Channel, gate.TS, "approve"); err == nil {
			s.tb.Error("the click was acknowledged all the same")
		}
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
		s.ws.RefuseAcks(1)
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run web rev=abd"); err != nil {
			s.tb.Fatal(err)
		}
		s.await("#deploys", "✅ Check abd —")
		time.Sleep(10 * time.Minute)
		if runs, _ := s.store.Find(s.tb.Context(), engine.HistoryQuery{}); len(runs) != 2 {
			s.tb.Errorf("there are %d runs, want 2", len(runs))
		}
	})
}

// F-30: the first envelopes are lost, and the one that says it is a repetition is carried out.
func TestEnvelopes_onlyTheRetryArrives(t *testing.T) {
	t.Parallel()
	for _, lost := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d lost", lost), func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", "tasks: [{do: {name: one}}]")
				s.ws.DropEnvelopes(lost)
				if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
					s.tb.Fatal(err)
				}
				s.await("#deploys", "b — success")
				s.settle(s.newest())
				if n := s.succeeded(); n != 1 {
					s.tb.Errorf("there are %d runs", n)
				}
			})
		})
	}
}

// F-31: a command that comes eight minutes late is not run, and its sender is asked.
func TestStale_aMentionIsNotRunAndMayBeRunAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		s.ws.HoldEnvelopes(8*time.Minute, 4) // with the three repetitions of Slack
		if _, err := s.ws.Say("ana", "#deploys", "", "@playbot run b"); err != nil {
			s.tb.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		s.until("ana is asked", func() bool { return len(s.ephemerals("ana")) == 1 })
		if told := s.ephemerals("ana")[0]; !has(told, "8m", "was not run", "run b", "[Run it now]") {
			s.tb.Errorf("ana is told %q", told)
		}
		if runs, _ := s.store.Find(s.tb.Context(), engine.HistoryQuery{}); len(runs) != 0 {
			s.tb.Errorf("it was run all the same: %v", runs)
		}
		m, _ := s.find("#deploys", "was not run")
		s.click("ana", m, "again")
		s.settle(s.newest())
		if n := s.succeeded(); n != 1 {
			s.tb.Errorf("there are %d runs", n)
		}
	})
}

// sleeper is a connection of a machine that can be suspended: what comes meanwhile is read when it wakes,
// and no clock of the machine has moved but the one on the wall.
type sleeper struct {
	net.Conn
	asleep *bool
}

func (c sleeper) SetReadDeadline(t time.Time) error {
	if *c.asleep {
		t = time.Time{}
	}
	return c.Conn.SetReadDeadline(t)
}

// F-31: what a machine reads when it wakes may be as old as its sleep.
func TestStale_aCommandOfBeforeTheMachineSleptIsNotRun(t *testing.T) {
	t.Parallel()
	asleep := true
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		s.twoSockets()
		s.ws.FreezeSocket()
		s.ws.FreezeSocket()
		time.Sleep(8 * time.Minute)
		s.ws.Thaw()
		ack := s.slash("ana", "#deploys", "run b")
		if !has(ack, "was not run", "run b", "[Run it now]") {
			s.tb.Errorf("the answer is %q", ack)
		}
		time.Sleep(time.Minute)
		if ack = s.slash("ana", "#deploys", "run b"); !has(ack, "Started b") {
			s.tb.Errorf("a fresh command is answered with %q", ack)
		}
		s.settle(s.newest())
		asleep = false
	}, setting{bot: func(o *Options) {
		dial := o.Dialer.NetDialContext
		o.Dialer.NetDialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			return sleeper{c, &asleep}, err
		}
	}})
}

// F-31: a click is judged at its arrival: it counts while the gate is open, and not after.
func TestStale_aClickIsJudgedWhenItArrives(t *testing.T) {
	t.Parallel()
	for late, want := range map[time.Duration]string{8 * time.Minute: "✅ web — success", 2 * time.Hour: "❌ web — failed"} {
		t.Run(late.String(), func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				run, gate := s.atGate()
				s.ws.HoldEnvelopes(late, 1)
				if err := s.ws.Click(s.tb.Context(), "ben", gate.Channel, gate.TS, "approve"); err == nil {
					s.tb.Error("the click was acknowledged all the same")
				}
				time.Sleep(late)
				s.settle(run)
				s.await("#deploys", want)
			})
		})
	}
}

// A payload with what no client library of today knows is acknowledged and carried out.
func TestInteraction_withBlocksThatNobodyKnowsIsCarriedOut(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		value := s.valueOf(gate, "approve")
		if _, err := s.ws.Deliver(s.tb.Context(), "interactive", map[string]any{
			"type": "block_actions", "api_app_id": "A0PLAYBOT", "user": map[string]any{"id": "UBEN", "username": 7, "team_id": "T1"}, "team": map[string]any{"id": "T1", "domain": 7},
			"message":   map[string]any{"blocks": []any{map[string]any{"type": "hologram", "title": map[string]any{"text": []any{1}}}}, "ts": 7},
			"container": map[string]any{"type": "message", "channel_id": gate.Channel, "message_ts": gate.TS, "is_ephemeral": "no"}, "channel": map[string]any{"id": "C1"},
			"actions": []any{map[string]any{"action_id": "approve", "value": value, "action_ts": 12.5, "confirm": 1}},
		}); err != nil {
			s.tb.Fatal(err)
		}
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben")
		s.until("ben is told", func() bool { return len(s.ws.Everything("DBEN")) == 1 })
	})
}

// An interaction of an unknown kind is acknowledged, and whoever did it is told.
func TestInteraction_ofAnUnknownKindIsAcknowledgedAndAnswered(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]map[string]any{
		"a gesture":           {"type": "gesture", "user": map[string]any{"id": "UANA"}},
		"a user that is text": {"type": "wave_hand", "user": "UANA", "channel": "C1"},
		"actions of numbers":  {"type": "block_actions", "user": map[string]any{"id": "UANA"}, "actions": []any{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				if _, err := s.ws.Deliver(s.tb.Context(), "interactive", payload); err != nil {
					s.tb.Fatalf("it was not acknowledged: %v", err)
				}
				s.until("ana is told", func() bool { return len(s.ws.Everything("DANA")) == 1 })
				if told := s.texts("DANA")[0]; !has(told, "could not read", "nothing was done") {
					s.tb.Errorf("ana is told %q", told)
				}
			})
		})
	}
}

// valueOf is what a button of a message carries.
func (s *stage) valueOf(m workspace.Message, action string) string {
	s.tb.Helper()
	raw, err := json.Marshal(m.Blocks)
	if err != nil {
		s.tb.Fatal(err)
	}
	_, after, ok := strings.Cut(string(raw), fmt.Sprintf(`"action_id":%q`, action))
	_, after, found := strings.Cut(after, `"value":"`)
	value, _, _ := strings.Cut(after, `"`)
	if !ok || !found {
		s.tb.Fatalf("there is no %s in %s", action, raw)
	}
	return value
}

// F-32: 429 with and without a time: nobody calls the method before it is over, and nothing is lost.
func TestThrottle_leavesAMethodAloneAsLongAsSlackWants(t *testing.T) {
	t.Parallel()
	for _, seconds := range []int{0, 1, 45, 90} {
		t.Run(fmt.Sprintf("%d s", seconds), func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", fiveSteps)
				s.slowSteps(4 * time.Second)
				s.slash("ana", "#deploys", "run b")
				s.slash("ana", "#ops", "run b")
				s.await("#deploys", "✅ Step 1")
				limited := time.Now()
				s.ws.RateLimitNext("chat.postMessage", seconds, 1)
				s.ws.RateLimitNext("chat.update", seconds, 1)
				s.until("every run has ended", func() bool { return s.succeeded() == 2 })
				s.drawn()
				s.wantLeftAlone(limited)
				for _, c := range []string{"#deploys", "#ops"} {
					card := s.await(c, "✅ b — success")
					if n := len(s.ws.Thread("", card.Channel, card.TS)); n < 3 {
						s.tb.Errorf("the thread in %s has %d messages", c, n)
					}
				}
			})
		})
	}
}

// wantLeftAlone checks that no method was called again before the time that Slack gave with a 429 was over.
func (s *stage) wantLeftAlone(since time.Time) {
	s.tb.Helper()
	from, until := map[string]time.Time{}, map[string]time.Time{}
	limits := 0
	for _, c := range s.ws.Traffic() {
		if c.At.Before(since) {
			continue
		}
		if end := until[c.Method]; c.At.Before(end) && c.At.After(from[c.Method]) { // what was under way could not know
			s.tb.Errorf("%s was called at %s, %s before the time was over", c.Method, c.At, end.Sub(c.At))
		}
		if c.Wait > 0 {
			from[c.Method], until[c.Method] = c.At, c.At.Add(c.Wait)
		}
		if c.Error == "fault" || c.Error == "ratelimited" {
			limits++
		}
	}
	if limits == 0 {
		s.tb.Error("nothing was limited, so nothing was tested")
	}
}
