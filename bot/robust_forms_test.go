package bot

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// F-28, for forms: one form that is sent is one effect, and each copy is acknowledged as the first was.
func TestForm_copiesHaveOneEffectAndAreAcknowledged(t *testing.T) {
	t.Parallel()
	for name, double := range map[string]func(s *stage){
		"the same envelope":                      func(s *stage) { s.ws.DoubleEnvelopes(1) },
		"another envelope on another connection": func(s *stage) { s.ws.CopyEnvelopes(1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.twoSockets()
				run, gate := s.atGate()
				double(s)
				s.press("ben", gate, "deny")
				s.form("ben", "Deny")
				double(s)
				if wrong := s.fill("ben", map[string]string{"reason": "not on a Friday"}); len(wrong) > 0 {
					s.tb.Fatalf("complaints: %v", wrong)
				}
				s.noForm("ben")
				s.settle(run)
				s.wantRecord(gate, "Denied by @ben", "not on a Friday")
				if told := s.ephemerals("ben"); len(told) != 1 {
					s.tb.Errorf("one form was answered %d times: %q", len(told), told)
				}
			})
		})
	}
}

// A form that would start a run and comes too late starts none; whoever sent it is told.
func TestForm_thatComesLateRunsNothing(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", gatedBook)
		raw := `{"type":"view_submission","user":{"id":"UANA","team_id":"T1"},"trigger_id":"%s",` +
			`"view":{"id":"V%[1]s","callback_id":"form/run","private_metadata":"{\"s\":\"web/1\"}"}}`
		send := func(trigger string, age time.Duration) string {
			got := &acks{}
			s.current().handle(s.tb.Context(), got, frame{
				Type: "interactive", EnvelopeID: trigger, Payload: json.RawMessage(fmt.Sprintf(raw, trigger)), at: time.Now().Add(-age),
			})
			if len(got.list) != 1 {
				s.tb.Fatalf("acked %d times", len(got.list))
			}
			return got.list[0]
		}
		if said := send("soon", time.Minute); has(said, "after it was sent") {
			s.tb.Errorf("one that comes in time is answered %s", said)
		}
		if said := send("late", 6*time.Minute); !has(said, "Not done", "6m after it was sent", "nothing was run") {
			s.tb.Errorf("one that comes late is answered %s", said)
		}
		s.until("ana is told", func() bool { return len(s.ws.Everything("DANA")) == 1 })
		if runs, _ := s.store.Find(s.tb.Context(), engine.HistoryQuery{}); len(runs) != 0 {
			s.tb.Errorf("there are %d runs", len(runs))
		}
	})
}

// A form of a question that was asked anew meanwhile decides nothing, as the old buttons do.
func TestForm_ofAQuestionThatWasAskedAnewDoesNotCount(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.press("ben", gate, "deny")
		s.form("ben", "Deny")
		s.ws.DeleteMessage("#deploys", gate.TS)
		time.Sleep(vigilEvery)
		anew := s.await("#deploys", "Approval needed", "Drain")
		if anew.TS == gate.TS {
			s.tb.Fatal("the question was not asked anew")
		}
		s.fill("ben", map[string]string{"reason": "no"})
		s.form("ben", "Not done")
		if text := s.formText("ben"); !has(text, "asked again in another message") {
			s.tb.Errorf("ben reads\n%s", text)
		}
		if s.newest().Pending() == nil {
			s.tb.Fatal("the old form decided")
		}
		s.deny("ben", anew, "still no")
		s.settle(run)
		s.wantRecord(anew, "Denied by @ben", "still no")
	})
}

// The reply of a step that takes long is posted anew when somebody deletes it, and once when Slack does not
// confirm it.
func TestBar_thatIsLostIsPostedAnew(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *stage){
		"deleted":       func(s *stage) { s.ws.DeleteMessage("#deploys", s.await("#deploys", "⏳ Ask all", "batch 1 of 10").TS) },
		"not confirmed": func(s *stage) { s.await("#deploys", "⏳ b — running"); s.net.lose(1) },
		"limited":       func(s *stage) { s.await("#deploys", "⏳ Ask all"); s.ws.RateLimitNext("chat.update", 60, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", longBook())
				s.longAsk(30 * time.Second)
				s.slash("ana", "#deploys", "run b")
				run := s.newest()
				spoil(s)
				s.await("#deploys", "⏳ Ask all", "batch 8 of 10")
				s.settle(run)
				s.wantThread(run, "✅ b — success", "⚠️ Ask all — 5m", "✅ After", "b success after")
			})
		})
	}
}
