package workspace_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// Everything at once, for the race detector: people type and click, the app posts and edits, a page
// looks on, connections come and go.
func TestServer_isSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		if cmd, ok := e.Data.(slack.SlashCommand); ok {
			w.ack(e, map[string]any{"text": "got " + cmd.Text})
			return
		}
		w.ack(e)
	})
	ts := w.post(slack.MsgOptionText("card", false), slack.MsgOptionBlocks(buttons("go")))
	const each = 15
	var all sync.WaitGroup
	crowd := func(do func(i int) error) {
		all.Go(func() {
			for i := range each {
				if err := do(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	crowd(func(i int) error {
		m, err := w.Slash(t.Context(), "ana", channel, fmt.Sprintf("/playbook %d", i))
		if err == nil && m.Text != fmt.Sprintf("got %d", i) {
			t.Errorf("command %d was answered %q", i, m.Text)
		}
		return err
	})
	crowd(func(int) error { return w.Click(t.Context(), "ben", channel, ts, "go") })
	crowd(func(i int) error {
		_, _, err := w.api.PostMessageContext(t.Context(), "C0DEPLOYS", slack.MsgOptionText(fmt.Sprint(i), false), slack.MsgOptionTS(ts))
		return err
	})
	crowd(func(i int) error {
		_, _, _, err := w.api.UpdateMessageContext(t.Context(), "C0DEPLOYS", ts, slack.MsgOptionText(fmt.Sprint(i), false))
		return err
	})
	crowd(func(int) error { _, err := w.Say("ana", channel, ts, "@playbot hello"); return err })
	crowd(func(int) error {
		for _, m := range w.Everything(channel) {
			_ = w.PlainText(m)
		}
		w.page("GET", "messages?as=U0ANA&channel=C0DEPLOYS", nil)
		w.page("GET", "state?as=U0ANA", nil)
		return w.OpenHome("ana")
	})
	all.Wait()
	w.CutSockets()
	w.until("the app to come back", func() bool { return w.Connected() == 1 })
	if n := len(w.Thread("ana", channel, ts)); n != 1+2*each {
		t.Errorf("the thread has %d messages, want %d", n, 1+2*each)
	}
	seen := map[string]bool{}
	for _, m := range w.Everything(channel) {
		if seen[m.TS] {
			t.Errorf("two messages have the ts %s", m.TS)
		}
		seen[m.TS] = true
	}
	w.noViolations()
}
