package bot

import (
	"testing"

	"github.com/playbot/playbot/engine"
)

func TestSecretLost_isToldOnceAndTheCardSaysSo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		const secret = "hunter2hunter2"
		s.book("web", `
inputs: {token: {description: Token, type: Secret}}
tasks: [{do: {name: drain, description: "Drain with {{ inputs.token }}", destructive: true, any: "{{ inputs.token }}"}}]
`)
		if said := s.slash("ana", "#deploys", "run web token="+secret); !has(said, "is a secret, and chat keeps what is typed", "run web asks for it in a form") || has(said, secret) {
			s.tb.Errorf("ana was told %q", said)
		}
		ana := s.Ana
		ana.Channel = "C1"
		id, err := s.Engine.Start(s.tb.Context(), engine.StartRequest{Key: "k", Actor: ana, Playbook: "web", Inputs: map[string]any{"token": secret}})
		if err != nil {
			s.tb.Fatal(err)
		}
		s.await("#deploys", "Drain with ***", "[Approve]")
		s.crash()
		s.await("#deploys", "✋ web — waiting", `✋ It waits for the secret "token"`)
		s.await("#deploys", `It waits for the secret "token"`, "run "+id.Short())
		s.crash() // what it said already is not said again
		s.drawn()
		if err := s.Engine.GiveSecrets(s.tb.Context(), engine.Secrets{Run: id, Actor: ana, Values: map[string]string{"token": secret}}); err != nil {
			s.tb.Fatal(err)
		}
		gate, _ := s.find("#deploys", "Drain with ***", "[Approve]")
		s.click("ben", gate, "approve")
		s.await("#deploys", "✅ web — success")
		s.drawn()
		told := 0
		for _, text := range s.thread(s.newest())[1:] {
			if has(text, "It waits for the secret") {
				told++
			}
		}
		if told != 1 {
			s.tb.Errorf("the thread says %d times that the secret is lost", told)
		}
		if all := s.everything(); has(all, secret) {
			s.tb.Errorf("the workspace shows the secret:\n%s", all)
		}
		s.Secrets(secret)
	})
}
