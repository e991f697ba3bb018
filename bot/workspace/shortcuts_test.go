package workspace_test

import (
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/bot/workspace"
)

func withShortcuts(o *workspace.Options) {
	o.Shortcuts = []workspace.Shortcut{{Name: "Run", Type: "global", CallbackID: "run"}, {Name: "Here", Type: "message", CallbackID: "here"}}
}

// what a shortcut tells the app opens a view, as a command does.
func TestShortcut_reachesTheAppWithATrigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withShortcuts).connect(ack)
	if err := w.Shortcut(t.Context(), "ana", "run"); err != nil {
		t.Fatal(err)
	}
	got, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if got.Type != slack.InteractionTypeShortcut || got.CallbackID != "run" || got.User.ID != "U0ANA" || got.Team.ID != "T0PLAYBOT" || got.Channel.ID != "" {
		t.Errorf("the app was told %+v", got)
	}
	if _, err := w.api.OpenViewContext(t.Context(), got.TriggerID, form("Form")); err != nil || w.title() != "Form" {
		t.Errorf("ana sees %q, %v", w.title(), err)
	}
	w.noViolations()
}

func TestMessageShortcut_tellsTheMessageAndItsThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withShortcuts).connect(ack)
	parent := w.post(slack.MsgOptionText("card", false))
	reply := w.post(slack.MsgOptionText("step", false), slack.MsgOptionTS(parent))
	if err := w.MessageShortcut(t.Context(), "ana", channel, reply, "here"); err != nil {
		t.Fatal(err)
	}
	got, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if got.Type != slack.InteractionTypeMessageAction || got.CallbackID != "here" || got.Channel.ID == "" ||
		got.Message.Timestamp != reply || got.Message.ThreadTimestamp != parent || got.ResponseURL == "" {
		t.Errorf("the app was told %+v", got)
	}
}

func TestShortcut_thatIsNotOfferedFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withShortcuts).connect(ack)
	ts := w.post(slack.MsgOptionText("card", false))
	for name, err := range map[string]error{
		"unknown":                   w.Shortcut(t.Context(), "ana", "walk"),
		"of a message":              w.Shortcut(t.Context(), "ana", "here"),
		"of nobody":                 w.Shortcut(t.Context(), "zoe", "run"),
		"global on a message":       w.MessageShortcut(t.Context(), "ana", channel, ts, "run"),
		"of a message that is gone": w.MessageShortcut(t.Context(), "ana", channel, "1.000001", "here"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	bare := newWorld(t, func(o *workspace.Options) { withShortcuts(o); o.Scopes = []string{"chat:write"} }).connect(ack)
	if bare.Shortcut(t.Context(), "ana", "run") == nil {
		t.Error("a shortcut works without the scope commands")
	}
}

// whereForm asks for a conversation, through which the app may answer.
func whereForm() slack.ModalViewRequest {
	f := form("Form")
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, "c")
	e.DefaultToCurrentConversation, e.ResponseURLEnabled = true, true
	f.Blocks.BlockSet = append(f.Blocks.BlockSet, slack.NewInputBlock("where", plainText("Where"), nil, e))
	return f
}

func TestSubmission_carriesAResponseURLOfTheChosenConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(), whereForm()); err != nil {
		t.Fatal(err)
	}
	w.drain()
	id, _ := w.Modal("ana")
	values := map[string]any{"where": map[string]any{"c": map[string]any{"type": "conversations_select", "selected_conversation": "C0RANDOM"}}}
	if _, err := w.Submit(t.Context(), "ana", id, values); err != nil {
		t.Fatal(err)
	}
	got, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if len(got.ResponseURLs) != 1 || got.ResponseURLs[0].ChannelID != "C0RANDOM" || got.ResponseURLs[0].BlockID != "where" {
		t.Fatalf("the app was told %+v", got.ResponseURLs)
	}
	if err := slack.PostWebhookContext(t.Context(), got.ResponseURLs[0].ResponseURL, &slack.WebhookMessage{Text: "hello", ResponseType: "ephemeral"}); err != nil {
		t.Fatal(err)
	}
	if m := w.Everything("random"); len(m) != 1 || m[0].Ephemeral != "U0ANA" {
		t.Errorf("#random shows %+v", m)
	}
}

func TestSuggest_carriesWhatStandsInTheView(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		data, _ := e.Data.(slack.InteractionCallback)
		if data.Type != slack.InteractionTypeBlockSuggestion {
			w.ack(e)
			return
		}
		name := data.View.State.Values["who"]["name"].Value
		label := slack.NewOptionGroupBlockElement(plainText("of "+name), slack.NewOptionBlockObject("a", plainText("a"), nil))
		if data.Value == "empty" {
			label.Options = nil
		}
		w.ack(e, slack.OptionGroupsResponse{OptionGroups: []*slack.OptionGroupBlockObject{label}})
	})
	f := form("Form")
	f.Blocks.BlockSet = append(f.Blocks.BlockSet, slack.NewInputBlock("pick", plainText("Pick"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, nil, "p")))
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(), f); err != nil {
		t.Fatal(err)
	}
	id, _ := w.Modal("ana")
	ask := workspace.Press{User: "ana", View: id, ActionID: "p", State: map[string]any{"who": map[string]any{"name": map[string]any{"type": "plain_text_input", "value": "ben"}}}}
	groups, err := w.SuggestGroups(t.Context(), ask, "")
	if err != nil || len(groups) != 1 || groups[0].Label != "of ben" || len(groups[0].Options) != 1 {
		t.Errorf("got %+v, %v", groups, err)
	}
	w.noViolations()
	if _, err := w.SuggestGroups(t.Context(), ask, "empty"); err == nil || len(w.Violations()) != 1 {
		t.Errorf("an empty group: %v", err)
	}
}
