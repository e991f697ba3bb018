package workspace_test

import (
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

func TestHome_isPublishedForOnePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		w.ack(e)
		opened, ok := inner(e).(*slackevents.AppHomeOpenedEvent)
		if !ok || opened.Tab != "home" {
			return
		}
		view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{sectionOf("Waiting for you"), buttons("show")}}}
		if _, err := w.api.PublishViewContext(w.t.Context(), slack.PublishViewContextRequest{UserID: opened.User, View: view}); err != nil {
			w.t.Errorf("views.publish: %v", err)
		}
	})
	if w.Home("ana") != nil {
		t.Error("ana has a Home tab before she looked")
	}
	if err := w.OpenHome("ana"); err != nil {
		t.Fatal(err)
	}
	w.until("the Home tab", func() bool { return w.Home("ana") != nil })
	view := w.Home("ana")
	if text := w.PlainView(view); text != "Waiting for you\n[show]" || w.Home("ben") != nil {
		t.Errorf("ana sees %q, ben %v", text, w.Home("ben"))
	}
	id, _ := view["id"].(string)
	if err := w.OpenHome("ana"); err != nil {
		t.Fatal(err)
	}
	w.until("the Home tab again", func() bool { return w.Home("ana")["hash"] != view["hash"] })
	if w.Home("ana")["id"] != id {
		t.Error("a Home tab that is published again has another id")
	}
	a := w.call("views.publish", w.BotToken(), obj{"user_id": "U0ANA", "hash": view["hash"], "view": obj{"type": "home", "blocks": list(section("s"))}})
	if a.problem() != "hash_conflict" {
		t.Errorf("an old hash: %v", a.body)
	}
	w.drain()
	if err := w.Press(t.Context(), press("ana", id, "show")); err != nil {
		t.Fatal(err)
	}
	click, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if click.View.ID != id || click.ActionCallback.BlockActions[0].Value != "value of show" || click.ResponseURL != "" {
		t.Errorf("the click is %+v", click)
	}
}

func TestSuggest_asksTheApp(t *testing.T) {
	t.Parallel()
	option := func(text string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(text, plainText(text), nil)
	}
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		data, _ := e.Data.(slack.InteractionCallback)
		switch {
		case data.Type != slack.InteractionTypeBlockSuggestion:
			w.ack(e)
		case data.Value == "web" && data.ActionID == "target" && data.BlockID == "b0":
			w.ack(e, slack.OptionsResponse{Options: []*slack.OptionBlockObject{option("web1"), option("web2")}})
		case data.Value == "group":
			w.ack(e, slack.OptionGroupsResponse{OptionGroups: []*slack.OptionGroupBlockObject{slack.NewOptionGroupBlockElement(plainText("g"), option("db1"))}})
		default:
			w.ack(e, slack.OptionsResponse{Options: []*slack.OptionBlockObject{option(strings.Repeat("x", 76))}})
		}
	})
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, plainText("Target"), "target")
	ts := w.post(slack.MsgOptionBlocks(slack.NewActionBlock("", menu)))
	ask := press("ana", "", "target")
	ask.Channel, ask.TS = channel, ts
	for typed, want := range map[string]int{"web": 2, "group": 1} {
		if options, err := w.Suggest(t.Context(), ask, typed); err != nil || len(options) != want {
			t.Errorf("%s: %v, %v", typed, options, err)
		}
	}
	w.noViolations()
	if _, err := w.Suggest(t.Context(), ask, "long"); err == nil || !strings.Contains(err.Error(), "options were refused") || len(w.Violations()) != 1 {
		t.Errorf("an option that is too long: %v, %+v", err, w.Violations())
	}
	w.drain()
	ask.Value = map[string]any{"selected_option": obj{"text": plain("web1"), "value": "web1"}}
	if err := w.Press(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	click, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if a := click.ActionCallback.BlockActions[0]; a.SelectedOption.Value != "web1" || a.Type != "external_select" {
		t.Errorf("the choice is %+v", a)
	}
}
