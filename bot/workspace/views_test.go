package workspace_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// formApp opens a form at every command, and answers a submission as the submitted name says.
func formApp(w *world, e socketmode.Event) {
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		if _, err := w.api.OpenViewContext(w.t.Context(), data.TriggerID, form("Form")); err != nil {
			w.t.Errorf("views.open: %v", err)
		}
		w.ack(e)
	case slack.InteractionCallback:
		formAnswer(w, e, data)
	default:
		w.ack(e)
	}
}

func formAnswer(w *world, e socketmode.Event, data slack.InteractionCallback) {
	next := form("Next")
	bad := form(strings.Repeat("x", 25))
	name := ""
	if data.View.State != nil {
		name = data.View.State.Values["who"]["name"].Value
	}
	switch name {
	case "wrong":
		w.ack(e, slack.NewErrorsViewSubmissionResponse(map[string]string{"who": "nobody of that name"}))
	case "elsewhere":
		w.ack(e, slack.NewErrorsViewSubmissionResponse(map[string]string{"where": "no such block"}))
	case "update":
		w.ack(e, slack.NewUpdateViewSubmissionResponse(&next))
	case "push":
		w.ack(e, slack.NewPushViewSubmissionResponse(&next))
	case "bad":
		w.ack(e, slack.NewPushViewSubmissionResponse(&bad))
	case "clear":
		w.ack(e, slack.NewClearViewSubmissionResponse())
	default:
		w.ack(e)
	}
}

// fill submits the top form of ana with a name in its field.
func (w *world) fill(name string) (map[string]string, error) {
	w.t.Helper()
	id, body := w.Modal("ana")
	if body == nil {
		w.t.Fatal("ana has no form before her")
	}
	return w.Submit(w.t.Context(), "ana", id, map[string]any{"who": map[string]any{"name": map[string]any{"type": "plain_text_input", "value": name}}})
}

// title is what the top form of ana says above; "" when there is none.
func (w *world) title() string {
	_, body := w.Modal("ana")
	text, _ := body["title"].(map[string]any)
	title, _ := text["text"].(string)
	return title
}

func (w *world) open() {
	w.t.Helper()
	if m, err := w.Slash(w.t.Context(), "ana", channel, "/playbook run"); err != nil || m != nil {
		w.t.Fatalf("the command answered %v, %v", m, err)
	}
	if w.title() != "Form" {
		w.t.Fatalf("ana sees the form %q", w.title())
	}
}

func TestModal_followsTheAnswerToItsSubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(formApp)
	for _, c := range []struct{ name, complaint, title string }{
		{"ben", "", ""},
		{"wrong", "nobody of that name", "Form"},
		{"update", "", "Next"},
		{"push", "", "Next"},
		{"clear", "", ""},
	} {
		w.open()
		complaints, err := w.fill(c.name)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if complaints["who"] != c.complaint || w.title() != c.title {
			t.Errorf("%s: complaints %v, ana sees %q, want %q and %q", c.name, complaints, w.title(), c.complaint, c.title)
		}
	}
	if id, _ := w.Modal("ben"); id != "" {
		t.Error("ben sees ana's form")
	}
	w.noViolations()
}

func TestModal_refusesWhatNobodyWouldSee(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(formApp)
	w.open()
	for i, c := range []struct{ name, says, violation string }{
		{"elsewhere", `complains about "where"`, "invalid_errors"},
		{"bad", "refused: invalid_arguments", "invalid_arguments"},
	} {
		if _, err := w.fill(c.name); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
		if v := w.Violations(); len(v) != i+1 || v[i].Error != c.violation || v[i].Method != "view_submission" {
			t.Errorf("%s: violations %+v", c.name, v)
		}
		if w.title() != "Form" {
			t.Errorf("%s: ana sees %q", c.name, w.title())
		}
	}
}

func TestModal_stacksThreeHigh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(formApp)
	w.open()
	root, _ := w.Modal("ana")
	for range 2 {
		if _, err := w.fill("push"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.fill("push"); err == nil || !strings.Contains(err.Error(), "push_limit_reached") {
		t.Errorf("the fourth form: %v", err)
	}
	top, _ := w.Modal("ana")
	updated, err := w.api.UpdateViewContext(t.Context(), form("Top"), "", "", top)
	if err != nil || updated.RootViewID != root || updated.PreviousViewID == "" || w.title() != "Top" {
		t.Errorf("the top is %+v, %v; ana sees %q", updated, err, w.title())
	}
	if err := w.Close(t.Context(), "ana", top); err != nil || w.title() != "Next" {
		t.Errorf("below the top ana sees %q, %v", w.title(), err)
	}
}

func TestModal_tellsOfItsEndOnlyOnRequest(t *testing.T) {
	t.Parallel()
	for _, wanted := range []bool{false, true} {
		w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
			if cmd, ok := e.Data.(slack.SlashCommand); ok {
				f := form("Form")
				f.NotifyOnClose, f.ExternalID = wanted, "run-form"
				if _, err := w.api.OpenViewContext(w.t.Context(), cmd.TriggerID, f); err != nil {
					w.t.Errorf("views.open: %v", err)
				}
			}
			w.ack(e)
		})
		w.open()
		w.next(socketmode.EventTypeSlashCommand)
		if _, err := w.api.UpdateViewContext(t.Context(), form("By its own id"), "run-form", "", ""); err != nil || w.title() != "By its own id" {
			t.Errorf("ana sees %q, %v", w.title(), err)
		}
		w.open()
		w.next(socketmode.EventTypeSlashCommand)
		id, body := w.Modal("ana")
		if _, err := w.api.UpdateViewContext(t.Context(), form("Too late"), "", "stale", id); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("an update with an old hash: %v", err)
		}
		if body["external_id"] != "run-form" {
			t.Errorf("the form is %v", body)
		}
		if err := w.Close(t.Context(), "ana", id); err != nil {
			t.Fatal(err)
		}
		if !wanted {
			if slices.ContainsFunc(w.envelopes(), func(s string) bool { return strings.Contains(s, "view_closed") }) {
				t.Error("the app was told of a close that it did not ask for")
			}
			continue
		}
		closed, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
		if closed.Type != slack.InteractionTypeViewClosed || closed.View.ID != id {
			t.Errorf("the app was told %+v", closed)
		}
	}
}

// envelopes lists what was sent to the app.
func (w *world) envelopes() []string {
	var out []string
	for _, line := range w.Traffic() {
		if line.Method == "envelope" {
			out = append(out, line.Body)
		}
	}
	return out
}

func TestTrigger_opensOneView(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err != nil {
		t.Fatal(err)
	}
	cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	if a := w.call("views.open", w.BotToken(), obj{"trigger_id": cmd.TriggerID, "view": modalOf(section(""))}); a.problem() != "invalid_arguments" {
		t.Errorf("a bad view: %v", a.body)
	}
	if a := w.call("views.open", w.BotToken(), obj{"trigger_id": cmd.TriggerID, "view": modalOf(section("s"))}); a.body["ok"] != true {
		t.Errorf("a good view: %v", a.body)
	}
	if a := w.call("views.push", w.BotToken(), obj{"trigger_id": cmd.TriggerID, "view": modalOf(section("s"))}); a.problem() != "exchanged_trigger_id" {
		t.Errorf("the same trigger again: %v", a.body)
	}
}

// trigger has ana type a command, and returns what may open a view then.
func (w *world) trigger() string {
	w.t.Helper()
	if _, err := w.Slash(w.t.Context(), "ana", channel, "/playbook"); err != nil {
		w.t.Fatal(err)
	}
	cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	return cmd.TriggerID
}

func TestModal_isPushedThreeHighByTheApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(), form("1")); err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"2", "3"} {
		if _, err := w.api.PushViewContext(t.Context(), w.trigger(), form(title)); err != nil || w.title() != title {
			t.Errorf("ana sees %q, %v, want %q", w.title(), err, title)
		}
	}
	if _, err := w.api.PushViewContext(t.Context(), w.trigger(), form("4")); err == nil || err.Error() != "push_limit_reached" || w.title() != "3" {
		t.Errorf("the fourth: %v; ana sees %q", err, w.title())
	}
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(), form("anew")); err != nil {
		t.Fatal(err)
	}
	id, _ := w.Modal("ana")
	if err := w.Close(t.Context(), "ana", id); err != nil || w.title() != "" {
		t.Errorf("below a form that was opened anew lies %q, %v", w.title(), err)
	}
}
