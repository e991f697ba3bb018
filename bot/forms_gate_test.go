package bot

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestForm_forAReasonThatSlackDoesNotOpenIsSaidInWords(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.ws.FailNext("views.open", "internal_error", 1)
		if said := s.click("ben", gate, "deny"); !has(said, "say why", "/playbook deny "+run.ID.Short()+".1 REASON", "[Deny]") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.slash("ben", "#deploys", "deny "+run.ID.Short()+" too late in the day")
		s.settle(run)
		s.wantRecord(gate, "Denied by @ben", "too late in the day")
	})
}

func TestForm_ofAQuestionThatWasAnsweredMeanwhileSaysSo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.press("ben", gate, "deny")
		s.form("ben", "Deny")
		s.slash("ben", "#ops", "approve "+run.ID.Short())
		s.settle(run)
		s.fill("ben", map[string]string{"reason": "no"})
		s.form("ben", "Not done")
		if text := s.formText("ben"); !has(text, "too late: approved by ben", "/playbook status "+run.ID.Short()) {
			s.tb.Errorf("ben reads\n%s", text)
		}
		if _, body := s.ws.Modal("ben"); body["submit"] != nil {
			s.tb.Error("what is over can be sent again")
		}
	})
}

// T-15, for forms: who may not decide is refused before they write anything down, and again when they send it.
func TestForm_isRefusedToWhoMayNotDecide(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		if said := s.click("gus", gate, "deny"); !has(said, "there is no run") { // he may not even look
			s.tb.Errorf("gus was told %q", said)
		}
		forged := commands.Submission{
			Key: "form/x", Actor: s.Gus, Kind: commands.FormDeny, State: string(run.ID) + "/" + run.Pending().Approval,
			Values: map[string][]string{"reason": {"no"}},
		}
		c := s.options().Commands
		if r := c.Submit(s.tb.Context(), forged); r.Code != engine.CodeNotFound || r.Form != nil {
			s.tb.Errorf("the form of gus: %+v", r)
		}
		forged.Kind, forged.State = commands.FormApprove, forged.State+"/approve_less"
		if r := c.Submit(s.tb.Context(), forged); r.Code == "" {
			s.tb.Errorf("the yes of gus: %+v", r)
		}
		if s.newest().Pending() == nil {
			s.tb.Error("the gate was decided")
		}
		s.deny("ana", gate, "my own") // the requester may take it back
		s.settle(run)
		s.slash("ben", "#deploys", "run web rev=abd")
		second := s.await("#deploys", "Approval needed", "Asked by @ben")
		if said := s.click("ana", second, "deny"); !has(said, "refused", "approve web") {
			s.tb.Errorf("ana was told %q", said)
		}
		forged.Actor, forged.Kind, forged.State = s.Ana, commands.FormDeny, string(s.newest().ID)+"/"+s.newest().Pending().Approval
		if r := c.Submit(s.tb.Context(), forged); r.Code != engine.CodeDenied || r.Form != nil {
			s.tb.Errorf("the form of ana: %+v", r)
		}
		if s.newest().Pending() == nil {
			s.tb.Error("the gate was decided")
		}
	})
}

func TestForm_approvesLessThanIsAsked(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("roll", strings.Replace(rollingBook, "waves: [1, 2]", "waves: [1, 2]\n      destructive: true", 1))
		s.slash("ana", "#deploys", "run roll")
		gate := s.await("#deploys", "Approval needed", "Restart kafka")
		s.press("ben", gate, "approve_less")
		s.form("ben", "Approve with less")
		wrong := s.fill("ben", nil)
		if !has(wrong["waves"], "Say for how much") {
			s.tb.Errorf("an empty form: %v", wrong)
		}
		wrong = s.fill("ben", map[string]string{"waves": "9", "until": "1999-12-31T00:00:00Z"})
		if !has(wrong["waves"], "1 to 3 waves") || !has(wrong["until"], "over already") {
			s.tb.Errorf("a form with nonsense: %v", wrong)
		}
		s.fill("ben", map[string]string{"nodes": "3", "until": "2000-01-01T02:00:00Z", "reason": "half of it"})
		s.noForm("ben")
		s.await("#deploys", "Approved by @ben", "for 3 nodes only, until 2000-01-01 02:00:00 UTC", "half of it")
		s.await("#deploys", "Approval needed", "wave by wave: 3", "touches 2: k4, k5")
		s.slash("ana", "#deploys", "cancel "+s.newest().ID.Short())
		s.settle(s.newest())
	})
}

func TestForm_ofAnUnknownKindIsAnswered(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no user":        `{"type":"view_submission"}`,
		"wrong shape":    `{"type":"view_submission","user":{"id":"U1"},"view":{"state":{"values":[]}}}`,
		"foreign view":   `{"type":"view_submission","user":{"id":"U1"},"trigger_id":"a","view":{"id":"V1","callback_id":"other"}}`,
		"broken data":    `{"type":"view_submission","user":{"id":"U1"},"trigger_id":"b","view":{"id":"V1","callback_id":"form/run","private_metadata":"{"}}`,
		"odd suggestion": `{"type":"block_suggestion","user":{"id":"U1"},"view":{"callback_id":"x"}}`,
		"closed":         `{"type":"view_closed","user":{"id":"U1"}}`,
		"odd shortcut":   `{"type":"shortcut","user":{"id":"U1"},"trigger_id":"c","callback_id":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := &acks{}
			lone(t, answers{}).handle(t.Context(), got, frame{Type: "interactive", EnvelopeID: "e", Payload: json.RawMessage(raw)})
			if len(got.list) != 1 {
				t.Fatalf("acked %d times", len(got.list))
			}
			if strings.Contains(raw, "view_submission") && !has(got.list[0], "I could not read that form", `"response_action":"update"`) {
				t.Errorf("acked with %s", got.list[0])
			}
		})
	}
}
