package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

const (
	channel = "deploys"
	patient = 60 * time.Second // bounds every wait; nothing takes so long
)

// world is a playbot with everything that it talks to: the real Slack client, the real wire, a real file.
type world struct {
	*app.Local

	t   *testing.T
	app *app.App
}

// quick makes the scenario take a second: what it waits for is read from the settings store.
func quick() map[string]any {
	return map[string]any{"check_interval": 0.05, "puppet_interval": 0.05, "batch_pause": 0.05}
}

// newWorld starts a world; change and configure may spoil it before playbot starts.
func newWorld(t *testing.T, change func(*app.LocalOptions), configure func(*app.Local)) *world {
	t.Helper()
	o := app.LocalOptions{Dir: t.TempDir(), Nodes: fleetsim.WebFleet(3, 100*time.Millisecond), Settings: quick()}
	if change != nil {
		change(&o)
	}
	local, err := app.StartLocal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, local.Stop) })
	local.Config.NATS.Timeout = 2 * time.Second // a node that is to be silent is not waited for longer
	if configure != nil {
		configure(local)
	}
	w := &world{t: t, Local: local}
	w.app, err = app.New(t.Context(), app.Options{Config: local.Config, Slack: true, Grace: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, w.app.Stop) })
	running, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.app.Run(running) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		for _, v := range local.Workspace.Violations() {
			t.Errorf("the workspace refused a message as Slack would: %s %s %v", v.Method, v.Error, v.Details)
		}
	})
	w.until("the bot to connect", func() bool { return local.Workspace.Connected() > 0 })
	return w
}

func stop(t *testing.T, end func(context.Context) error) {
	t.Helper()
	if err := end(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patient)
	defer cancel()
	if err := w.Workspace.Until(ctx, ok); err != nil {
		w.t.Fatalf("waited for %s in vain; the channel shows:\n%s", what, w.transcript())
	}
}

func (w *world) transcript() string {
	var b strings.Builder
	for _, m := range w.Workspace.Everything(channel) {
		b.WriteString(w.Workspace.PlainText(m) + "\n---\n")
	}
	return b.String()
}

// say types a command as somebody and returns the answer as they read it.
func (w *world) say(who, line string) string {
	w.t.Helper()
	m, err := w.Workspace.Slash(w.t.Context(), who, channel, line)
	if err != nil {
		w.t.Fatalf("%s said %q: %v", who, line, err)
	}
	if m == nil {
		return ""
	}
	return w.Workspace.PlainText(*m)
}

// gate waits for the message that asks for an approval.
func (w *world) gate() workspace.Message {
	w.t.Helper()
	var found workspace.Message
	w.until("an approval", func() bool {
		for _, m := range w.Workspace.Everything(channel) {
			if strings.Contains(w.Workspace.PlainText(m), "[Approve]") {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func (w *world) click(who string, m workspace.Message, action string) {
	w.t.Helper()
	if err := w.Workspace.Click(w.t.Context(), who, m.Channel, m.TS, action); err != nil {
		w.t.Fatalf("%s clicked %s: %v", who, action, err)
	}
}

// form waits for the form that somebody has before them, and returns it as they read it.
func (w *world) form(who string) string {
	w.t.Helper()
	var text string
	w.until("a form", func() bool {
		_, body := w.Workspace.Modal(who)
		text = w.Workspace.PlainView(body)
		return body != nil
	})
	return text
}

// fill sends the form that somebody has before them, with text in one field.
func (w *world) fill(who, field, value string) {
	w.t.Helper()
	id, _ := w.Workspace.Modal(who)
	state := map[string]any{field: map[string]any{field: map[string]any{"type": "plain_text_input", "value": value}}}
	if wrong, err := w.Workspace.Submit(w.t.Context(), who, id, state); err != nil || len(wrong) > 0 {
		w.t.Fatalf("%s sent the form: %v, %v", who, wrong, err)
	}
}

// newest is the latest run of a playbook, once it has ended.
func (w *world) newest(playbook string) *engine.Run {
	w.t.Helper()
	runs, err := w.app.Store.Find(w.t.Context(), engine.HistoryQuery{Playbook: playbook, Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(runs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patient)
	defer cancel()
	run, err := w.app.Engine.Wait(ctx, runs[0].Run)
	if err != nil {
		w.t.Fatalf("wait for the end: %v; the channel shows:\n%s", err, w.transcript())
	}
	return run
}

// executed lists the tasks that were attempted, in order, with the number of attempts when there
// were several and the status when it is not ok.
func executed(run *engine.Run) string {
	var out []string
	for _, p := range run.Order {
		s := run.Steps[p]
		if len(s.Attempts) == 0 && s.Status == engine.TaskSkippedOver {
			continue
		}
		word := string(p)
		if n := len(s.Attempts); n > 1 {
			word += " ×" + string(rune('0'+n/10)) + string(rune('0'+n%10))
		}
		if s.Status != engine.TaskOK {
			word += " " + string(s.Status)
		}
		out = append(out, word)
	}
	return strings.Join(out, ", ")
}

// edit changes a playbook of the world before playbot reads it.
func edit(t *testing.T, local *app.Local, name, old, replacement string) {
	t.Helper()
	path := filepath.Join(local.Config.Playbooks, name+".yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), old, replacement, 1)
	if text == string(data) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
