//go:build integration

package bolttest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
)

const (
	channel = "deploys"
	patient = time.Minute // bounds every wait; nothing takes so long
)

// world is a workspace and the app.
type world struct {
	*workspace.Server

	t       *testing.T
	app     *node
	changed chan struct{} // at every line of the app; closed at its end
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := install(t)
	w := &world{Server: workspace.New(workspace.Options{Shortcuts: []workspace.Shortcut{
		{Name: "Run", Type: "global", CallbackID: "run"}, {Name: "Here", Type: "message", CallbackID: "here"},
	}}), t: t, app: &node{}, changed: make(chan struct{}, 1000)}
	if err := w.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "app.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SLACK_API_URL="+w.APIURL(), "SLACK_BOT_TOKEN="+w.BotToken(), "SLACK_APP_TOKEN="+w.AppToken())
	cmd.Stderr = w.app
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start node: %v", err)
	}
	go w.app.read(out, w.changed)
	t.Cleanup(func() {
		cancel()
		for range w.changed { // until its output ends
		}
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("the app said:\n%s", w.app.log())
		}
	})
	return w
}

// hears waits until the app has said something.
func (w *world) hears(line string) {
	w.t.Helper()
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	for !w.app.said(line) {
		select {
		case _, running := <-w.changed:
			if !running && !w.app.said(line) {
				w.t.Fatalf("the app ended without saying %q", line)
			}
		case <-timeout.C:
			w.t.Fatalf("the app did not say %q", line)
		}
	}
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patient)
	defer cancel()
	if err := w.Until(ctx, ok); err != nil {
		w.t.Fatalf("waited for %s in vain; #%s shows:\n%s", what, channel, strings.Join(w.shown("ana"), "\n---\n"))
	}
}

// shown is what a person reads in the channel.
func (w *world) shown(who string) []string {
	var out []string
	for _, m := range w.Messages(who, channel) {
		out = append(out, w.PlainText(m))
	}
	return out
}

// sees waits until a person reads something, and returns the message.
func (w *world) sees(who, text string) workspace.Message {
	w.t.Helper()
	var found workspace.Message
	w.until(who+" to read "+text, func() bool {
		i := slices.IndexFunc(w.Messages(who, channel), func(m workspace.Message) bool { return w.PlainText(m) == text })
		if i >= 0 {
			found = w.Messages(who, channel)[i]
		}
		return i >= 0
	})
	return found
}

func (w *world) slash(who, word string) *workspace.Message {
	w.t.Helper()
	m, err := w.Slash(w.t.Context(), who, channel, "/playbook "+word)
	if err != nil {
		w.t.Fatalf("%s: %v", word, err)
	}
	return m
}

// form waits for a form and returns its id.
func (w *world) form(who, title string) string {
	w.t.Helper()
	var id string
	w.until("the form "+title, func() bool {
		var body map[string]any
		id, body = w.Modal(who)
		text, _ := body["title"].(map[string]any)
		return text["text"] == title
	})
	return id
}

// The steps share one app, since an install and a start take seconds; each is an outcome of its own.
func TestBolt_worksAgainstTheWorkspace(t *testing.T) { //nolint:tparallel // the steps share one app
	t.Parallel()
	w := newWorld(t)
	w.hears("started B0PLAYBOT")
	w.until("the socket", func() bool { return w.Connected() == 1 })
	for _, step := range []struct {
		name string
		do   func(*world)
	}{
		{"a command is answered in its ack", (*world).command},
		{"a click reaches the app and its card changes", (*world).click},
		{"a form opens, complains and is submitted", (*world).modal},
		{"a click opens a form that is filled later", (*world).update},
		{"a shortcut opens a form whose menu is looked up, and which leads to another", (*world).shortcut},
		{"a shortcut of a message knows it", (*world).messageShortcut},
		{"a response_url answers after the ack", (*world).later},
		{"the Home tab is published", (*world).home},
		{"a mention is answered in its thread", (*world).mention},
		{"the app comes back after a disconnect", (*world).disconnect},
		{"the app comes back after its socket is cut", (*world).cut},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			start := time.Now()
			inner := *w
			inner.t = t
			step.do(&inner)
			t.Logf("took %v", time.Since(start).Round(time.Millisecond))
		})
		if !ok {
			break // the app is in a state that nobody expects
		}
	}
	for _, v := range w.Violations() {
		t.Errorf("the workspace refused what the official SDK sent: %s %s %v", v.Method, v.Error, v.Details)
	}
}

func (w *world) command() {
	if m := w.slash("ana", "hello"); m == nil || w.PlainText(*m) != "hello @ana" || m.Ephemeral != "U0ANA" {
		w.t.Errorf("the ack said %+v", m)
	}
	if m := w.slash("ana", "dance"); m == nil || m.Text != "unknown: dance" {
		w.t.Errorf("the ack said %+v", m)
	}
}

func (w *world) click() {
	if m := w.slash("ana", "card"); m != nil {
		w.t.Errorf("an ack without words left %+v", m)
	}
	card := w.sees("ana", "Deploy?\n[Approve] [Edit]")
	if err := w.Click(w.t.Context(), "ben", channel, card.TS, "approve"); err != nil {
		w.t.Fatal(err)
	}
	changed := w.sees("ana", "Approved by @ben")
	if changed.TS != card.TS || !changed.Edited {
		w.t.Errorf("the card became %+v", changed)
	}
	thread := w.Thread("ana", channel, card.TS)
	if len(thread) != 2 || w.PlainText(thread[1]) != "approved v1 by @ben" {
		w.t.Errorf("the thread is %+v", thread)
	}
}

func (w *world) modal() {
	w.slash("ana", "form")
	id := w.form("ana", "Run")
	fill := func(tier string) map[string]string {
		value := map[string]any{"type": "plain_text_input", "value": tier}
		complaints, err := w.Submit(w.t.Context(), "ana", id, map[string]any{"tier": map[string]any{"value": value}})
		if err != nil {
			w.t.Fatal(err)
		}
		return complaints
	}
	if got := fill("zulu"); got["tier"] != "no tier zulu" {
		w.t.Errorf("the complaints are %v", got)
	}
	if open, _ := w.Modal("ana"); open != id {
		w.t.Error("the form is gone although there was a complaint")
	}
	if got := fill("bravo"); len(got) != 0 {
		w.t.Errorf("the complaints are %v", got)
	}
	if open, _ := w.Modal("ana"); open != "" {
		w.t.Error("the form is still open")
	}
	w.sees("ben", "@ana runs bravo")
}

func (w *world) update() {
	w.slash("ben", "card")
	card := w.sees("ben", "Deploy?\n[Approve] [Edit]")
	if err := w.Click(w.t.Context(), "ben", channel, card.TS, "edit"); err != nil {
		w.t.Fatal(err)
	}
	id := w.form("ben", "Edit")
	if err := w.Close(w.t.Context(), "ben", id); err != nil {
		w.t.Fatal(err)
	}
	w.hears("closed U0BEN")
}

func (w *world) shortcut() {
	if err := w.Shortcut(w.t.Context(), "ana", "run"); err != nil {
		w.t.Fatal(err)
	}
	id := w.form("ana", "Pick")
	groups, err := w.SuggestGroups(w.t.Context(), workspace.Press{User: "ana", View: id, ActionID: "book"}, "web")
	if err != nil || len(groups) != 1 || groups[0].Label != "as of now" || len(groups[0].Options) != 1 {
		w.t.Fatalf("the menu offers %+v, %v", groups, err)
	}
	state := map[string]any{"type": "external_select", "selected_option": groups[0].Options[0]}
	if wrong, err := w.Submit(w.t.Context(), "ana", id, map[string]any{"book": map[string]any{"book": state}}); err != nil || len(wrong) > 0 {
		w.t.Fatalf("the choice was answered with %v, %v", wrong, err)
	}
	next := w.form("ana", "Run b")
	for _, view := range []string{next, id} {
		if err := w.Close(w.t.Context(), "ana", view); err != nil {
			w.t.Fatal(err)
		}
	}
	w.hears("closed U0ANA")
}

func (w *world) messageShortcut() {
	said, err := w.Say("ben", channel, "", "look at this")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.MessageShortcut(w.t.Context(), "ana", channel, said.TS, "here"); err != nil {
		w.t.Fatal(err)
	}
	w.sees("ana", "here: look at this")
}

func (w *world) later() {
	w.slash("ana", "later")
	w.sees("ana", "two")
	if !slices.Contains(w.shown("ana"), "one") || slices.Contains(w.shown("ben"), "one") || !slices.Contains(w.shown("ben"), "two") {
		w.t.Errorf("ana reads %q, ben %q", w.shown("ana"), w.shown("ben"))
	}
}

func (w *world) home() {
	if err := w.OpenHome("ana"); err != nil {
		w.t.Fatal(err)
	}
	w.until("the Home tab", func() bool { return w.Home("ana") != nil })
	if text := w.PlainView(w.Home("ana")); text != "Welcome home" {
		w.t.Errorf("ana reads %q", text)
	}
}

func (w *world) mention() {
	m, err := w.Say("ana", channel, "", "@playbot help")
	if err != nil {
		w.t.Fatal(err)
	}
	w.until("an answer", func() bool { return len(w.Thread("ana", channel, m.TS)) == 2 })
	if text := w.PlainText(w.Thread("ana", channel, m.TS)[1]); text != "Ana said @playbot help" {
		w.t.Errorf("the answer is %q", text)
	}
}

func (w *world) disconnect() {
	w.Disconnect("refresh_requested")
	w.until("the app to come back", func() bool { return w.Connected() == 1 })
	w.command()
}

func (w *world) cut() {
	w.CutSockets()
	w.until("the app to come back", func() bool { return w.Connected() == 1 })
	w.command()
}
