package bot

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

const formBook = `
inputs:
  tier: {description: Tier, type: String, validation: [alfa, bravo]}
  hosts: {description: Hosts, type: Array, default: [web1]}
  many: {description: How many, type: Integer, default: 2}
  now: {description: At once, type: Boolean, required: false}
  rev: {description: Revision, type: String, validation: ":shellsafe"}
tasks: [{do: {name: look, description: "Look at {{ inputs.tier }} {{ inputs.rev }}"}}]
`

// given are the inputs with which the latest run was asked for.
func (s *stage) given() map[string]any { return s.newest().Requested.Inputs }

func TestForm_startsTheRunThroughTheSameDoorAsALine(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		if said := s.slash("ana", "#deploys", "run web tier=gold hosts=a,b"); said != "" {
			s.tb.Errorf("beside the form ana was told %q", said)
		}
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "web 1.0.0", "1 task", `"gold" is not one of alfa, bravo`, "a\nb") {
			s.tb.Errorf("the form says\n%s", text)
		}
		s.fill("ana", map[string]string{"tier": "bravo", "rev": "a;b"}) // what was wrong is drawn, so that the form is drawn anew
		s.until("the form says what is wrong now", func() bool { return has(s.formText("ana"), "not text without") && !has(s.formText("ana"), "gold") })
		s.ws.DoubleEnvelopes(1)
		if wrong := s.fill("ana", map[string]string{"tier": "bravo", "rev": "abc", "hosts": "a\n\nc"}); len(wrong) > 0 {
			s.tb.Fatalf("complaints: %v", wrong)
		}
		s.noForm("ana")
		s.await("#deploys", "✅ web — success")
		run := s.newest()
		if got := run.Requested; got.Origin != engine.OriginForm || got.Actor.Channel != "C1" || got.Actor.User != "UANA" {
			s.tb.Errorf("the run was requested as %+v", got)
		}
		if in := s.given(); in["tier"] != "bravo" || in["rev"] != "abc" || in["many"] != 2.0 && in["many"] != 2 || len(in["hosts"].([]any)) != 2 {
			s.tb.Errorf("the run has %v", in)
		}
		s.until("ana was told so", func() bool { return has(strings.Join(s.ephemerals("ana"), "\n"), "Started web", run.ID.Short()) })
		if n := len(s.ephemerals("ana")); n != 1 {
			s.tb.Errorf("ana was told %q", s.ephemerals("ana"))
		}
	})
}

func TestForm_saysBesideTheFieldWhatIsWrong(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.slash("ana", "#deploys", "run web")
		s.form("ana", "Run web")
		wrong := s.fill("ana", map[string]string{"tier": "alfa", "rev": "`id`", "now": "true"})
		if len(wrong) != 1 || !has(wrong["rev"], "not text without") {
			s.tb.Errorf("complaints: %v", wrong)
		}
		if runs := s.waiting(); len(runs) > 0 || s.Script.Calls("look") > 0 {
			s.tb.Error("a run was started all the same")
		}
		if wrong := s.fill("ana", map[string]string{"tier": "alfa", "rev": "abc", "now": "true"}); len(wrong) > 0 {
			s.tb.Errorf("complaints: %v", wrong)
		}
		s.await("#deploys", "✅ web — success", "alfa abc")
		s.slash("ana", "#deploys", "run web tier=bravo")
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "is as in run "+s.newest().ID.Short(), "abc", "Yes") {
			s.tb.Errorf("the form does not begin with the last run:\n%s", text)
		}
	})
}

// F-28, F-39, for forms: sent twice, a form counts once; what came too late to be answered can be sent again.
func TestForm_sentTwiceStartsOneRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.slash("ana", "#deploys", "run web")
		id, body := s.form("ana", "Run web")
		values := s.filled(body, map[string]string{"tier": "alfa", "rev": "abc"})
		free := s.log.block()
		if _, err := s.ws.Submit(s.tb.Context(), "ana", id, values); err == nil {
			s.tb.Error("a form whose run is on no disk was acked")
		}
		if open, _ := s.ws.Modal("ana"); open != id {
			s.tb.Error("the form is gone, so that it cannot be sent again")
		}
		free()
		free = s.log.block()
		sent := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := s.ws.Submit(s.tb.Context(), "ana", id, values)
				sent <- err
			}()
		}
		synctest.Wait() // both are under way
		free()
		for range 2 {
			if err := <-sent; err != nil {
				s.tb.Error(err)
			}
		}
		s.await("#deploys", "✅ web — success")
		s.until("ana is told of both", func() bool {
			told := strings.Join(s.ephemerals("ana"), "\n")
			return has(told, "Started web", "nothing was started a second time", s.newest().ID.Short())
		})
		if n := s.Script.Calls("look"); n != 1 {
			s.tb.Errorf("%d runs were started", n)
		}
	})
}

func TestForm_asksWhichPlaybookAndOffersOnlyWhatTheAskerMayRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		s.slash("ana", "#deploys", "run")
		s.form("ana", "Run a playbook")
		if got := s.suggested("ana", "playbook", ""); !slices.Equal(got, []string{"bare — bare", "web — web"}) && len(got) != 2 {
			s.tb.Errorf("ana is offered %q", got)
		}
		if got := s.suggested("ana", "playbook", "we"); len(got) != 1 {
			s.tb.Errorf("after we ana is offered %q", got)
		}
		s.fill("ana", map[string]string{"playbook": "web"})
		id, _ := s.form("ana", "Run web")
		if err := s.ws.Close(s.tb.Context(), "ana", id); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook") // below it, to choose another
		s.fill("ana", map[string]string{"playbook": "bare"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.noForm("ana")
		s.await("#deploys", "✅ bare — success")
		if said := s.slash("gus", "#deploys", "run"); !has(said, "no playbook that you may run") {
			s.tb.Errorf("gus was told %q", said)
		}
	})
}

func TestShortcut_asksForTheChannelOrKnowsIt(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		if err := s.ws.Shortcut(s.tb.Context(), "ana", runShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook")
		s.fill("ana", map[string]string{"playbook": "bare", "where": "C2"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.await("#ops", "✅ bare — success")
		s.until("ana was told in the channel that she chose", func() bool { return has(strings.Join(s.ephemerals("ana"), "\n"), "Started bare") })
		card, _ := s.find("#ops", "bare — success")
		if err := s.ws.MessageShortcut(s.tb.Context(), "ana", "#ops", card.TS, runHereShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook")
		s.fill("ana", map[string]string{"playbook": "bare"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.until("a second run has its card there", func() bool {
			n := 0
			for _, text := range s.texts("#ops") {
				if has(text, "bare — success") {
					n++
				}
			}
			return n == 2
		})
		if err := s.ws.Shortcut(s.tb.Context(), "gus", runShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.until("gus is told why", func() bool { return has(strings.Join(s.texts("DGUS"), "\n"), "no playbook that you may run") })
	})
}

func TestMention_inAThreadOffersTheFormByAButton(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		s.slash("ana", "#deploys", "run bare")
		card := s.await("#deploys", "✅ bare — success")
		if _, err := s.ws.Say("ana", "#deploys", card.TS, "@playbot run web tier=bravo hosts=x"); err != nil {
			s.tb.Fatal(err)
		}
		answer := s.await("#deploys", "Nothing was started", "[Fill in the form]")
		if answer.ThreadTS != card.TS || answer.Ephemeral != "UANA" {
			s.tb.Errorf("the answer stands at %q for %q", answer.ThreadTS, answer.Ephemeral)
		}
		s.press("ana", answer, "form")
		s.form("ana", "Run web")
		s.fill("ana", map[string]string{"rev": "abc"})
		s.await("#deploys", "✅ web — success", "bravo abc")
		s.until("the answer stands in the thread", func() bool {
			m, ok := s.find("#deploys", "Started web")
			return ok && m.ThreadTS == card.TS && m.Ephemeral == "UANA"
		})
	})
}

func TestForm_thatSlackDoesNotOpenIsOfferedAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.ws.FailNext("views.open", "expired_trigger_id", 1)
		s.slash("ana", "#deploys", "run web tier=bravo")
		answer := s.await("#deploys", "Nothing was started", `"rev" is missing`, "[Fill in the form]")
		s.press("ana", answer, "form")
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "bravo") {
			s.tb.Errorf("the form forgot what was typed:\n%s", text)
		}
	})
}

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
		second := s.await("#deploys", "Approval needed", "asked by ben")
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
		s.await("#deploys", "Approval needed", "Restart kafka, wave 3", "touches 2: k4, k5")
		s.slash("ana", "#deploys", "cancel "+s.newest().ID.Short())
		s.settle(s.newest())
	})
}

const secretFormBook = `
inputs:
  token: {description: Token, type: Secret}
  pin: {description: Pin, type: Secret, required: false, validation: "/^[0-9]+$/"}
  note: {description: Note, type: String}
tasks: [{do: {name: drain, description: "Drain with {{ inputs.token }}", destructive: true, any: "{{ inputs.token }} {{ inputs.pin }}"}}]
`

// T-14: a secret that is an input comes from a private field, and its bytes are in no store, message, view,
// log line or anything else that leaves the bot.
func TestForm_keepsTheSecretOfAPrivateField(t *testing.T) {
	t.Parallel()
	const secret, pin = "hunter2hunter2", "4711471147"
	coded := base64.StdEncoding.EncodeToString([]byte(secret))
	var log bytes.Buffer
	var path string
	onStage(t, func(s *stage) {
		path = s.path
		s.book("web", secretFormBook)
		s.slash("ana", "#deploys", "run web")
		id, body := s.form("ana", "Run web")
		values := s.filled(body, map[string]string{"token": secret, "pin": "not " + pin, "note": "x"})
		if _, err := s.ws.Suggest(s.tb.Context(), workspace.Press{User: "ana", View: id, ActionID: openField + "note", State: values}, secret); err != nil {
			s.tb.Fatal(err)
		}
		wrong := s.fill("ana", map[string]string{"token": secret, "pin": "not " + pin, "note": "x"})
		if len(wrong) != 1 || wrong["pin"] == "" {
			s.tb.Errorf("complaints: %v", wrong)
		}
		s.fill("ana", map[string]string{"token": secret, "pin": pin, "note": "with " + secret}) // written down, it would show
		s.until("ana is asked again", func() bool { return has(s.formText("ana"), "holds the value of a secret") })
		s.fill("ana", map[string]string{"token": secret, "pin": pin, "note": coded})
		s.until("ana is asked again", func() bool { return has(s.formText("ana"), "holds the value of a secret") })
		s.fill("ana", map[string]string{"token": secret, "pin": pin, "note": "x"})
		s.noForm("ana")
		gate := s.await("#deploys", "Drain with ***", "[Approve]")
		s.crash()
		lost := s.await("#deploys", `It waits for the secrets "pin", "token"`, "[Give secrets]")
		s.press("ana", lost, "secrets")
		s.form("ana", "Give secrets")
		s.fill("ana", map[string]string{"token": "hunter3hunter3", "pin": pin})
		s.until("ana is told that it is another", func() bool { return has(s.formText("ana"), "not the value of token") })
		s.fill("ana", map[string]string{"token": secret, "pin": pin})
		s.noForm("ana")
		time.Sleep(time.Millisecond) // a click is told from a copy of it by its time
		s.press("ana", lost, "secrets")
		s.until("ana is told that nothing is asked", func() bool { return has(strings.Join(s.ephemerals("ana"), "\n"), "asks for no secrets now") })
		s.click("ben", gate, "approve")
		s.await("#deploys", "✅ web — success")
		s.drawn()
		for _, line := range s.ws.Traffic() {
			leaks := slices.ContainsFunc([]string{secret, pin, coded}, func(one string) bool { return strings.Contains(line.Body, one) })
			if line.Method != "envelope" && leaks {
				s.tb.Errorf("%s carries a secret: %s", line.Method, line.Body)
			}
		}
		if all := s.everything(); has(all, secret) || has(all, pin) {
			s.tb.Errorf("the workspace shows a secret:\n%s", all)
		}
		s.Secrets(secret, pin)
	}, setting{bot: func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}})
	file, err := os.ReadFile(path)
	if err != nil || len(file) == 0 {
		t.Fatal(err)
	}
	for _, s := range []string{secret, pin, coded, "hunter3hunter3"} {
		if bytes.Contains(file, []byte(s)) || bytes.Contains(log.Bytes(), []byte(s)) {
			t.Errorf("the store or the log holds %q", s)
		}
	}
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

func TestForm_aMenuNeverWaitsForItsSource(t *testing.T) {
	t.Parallel()
	const body = `
inputs:
  rev: {description: Revision, type: String, choices: {command: [revisions]}}
tasks: [{do: {name: look, description: "Look at {{ inputs.rev }}"}}]
`
	var answer chan string // of the bubble
	onStage(t, func(s *stage) {
		s.book("web", body)
		s.slash("ana", "#deploys", "run web")
		s.form("ana", "Run web")
		began := time.Now()
		if got := s.suggested("ana", "rev", ""); len(got) != 1 || !has(got[0], "being looked up", "type a value") {
			s.tb.Errorf("before the source answers: %q", got)
		}
		if got := s.suggested("ana", "rev", "main"); !slices.Equal(got, []string{"main (as typed)"}) {
			s.tb.Errorf("before the source answers: %q", got)
		}
		if d := time.Since(began); d > 0 {
			s.tb.Errorf("ana waited for %s", d)
		}
		answer <- "main\nmaint\n"
		s.until("the menu has the values", func() bool {
			return slices.Equal(s.suggested("ana", "rev", "ma"), []string{"main", "maint", "ma (as typed)"})
		})
		s.fill("ana", map[string]string{"rev": "maint"})
		s.await("#deploys", "✅ web — success", "Look at maint")
	}, setting{engine: func(o *engine.Options) {
		answer = make(chan string)
		o.Types.Program = func(ctx context.Context, _ []string) ([]byte, error) {
			select {
			case text := <-answer:
				return []byte(text), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}})
}
