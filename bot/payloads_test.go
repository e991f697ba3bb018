package bot

import (
	"os"
	"testing"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// checkPayloads holds everything that a test had Slack show against what Slack refuses and our own margins,
// and keeps it where the environment says: see the package typestest.
func checkPayloads(tb testing.TB, ws *workspace.Server) {
	tb.Helper()
	for _, p := range ws.Payloads() {
		switch body := p.Body.(type) {
		case []any:
			if bad := blockkit.Post(p.Text, body); bad != nil {
				tb.Errorf("Slack would refuse the message %q: %v", p.Text, bad)
			}
			if n := characters(body); n > maxCharacters+500 {
				tb.Errorf("the message %q has %d characters, and we keep to %d", p.Text, n, maxCharacters)
			}
			if p.Text == "" {
				tb.Errorf("a message has no text for notifications: %v", body)
			}
		case map[string]any:
			if p.Kind == "view" {
				checkView(tb, "a view", body)
			}
		}
	}
	if dir := os.Getenv("PLAYBOT_PAYLOADS"); dir != "" {
		if err := ws.SavePayloads(dir); err != nil {
			tb.Error(err)
		}
	}
}
