package bot

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
)

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
