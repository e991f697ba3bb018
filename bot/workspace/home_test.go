package workspace_test

import (
	"os"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/bot/workspace"
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

func TestPayloads_areWhatTheAppHadSlackShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.post(slack.MsgOptionText("words", false), slack.MsgOptionBlocks(sectionOf("a section"))) // a form, in which blocks are text
	w.call("views.publish", w.BotToken(), obj{"user_id": "U0ANA", "view": obj{"type": "home", "blocks": list(section("at home"))}})
	w.call("views.publish", w.BotToken(), obj{"user_id": "U0ANA", "view": obj{"type": "house"}}) // refused
	got := w.Payloads()
	if len(got) != 2 || got[0].Kind != "message" || got[0].Text != "words" || got[1].Kind != "view" {
		t.Fatalf("got %+v", got)
	}
	if text := w.PlainText(workspace.Message{Blocks: got[0].Body.([]any)}); text != "a section" {
		t.Errorf("the message is %q", text)
	}
	dir := t.TempDir()
	for range 2 {
		w.post(slack.MsgOptionText("other words", false), slack.MsgOptionBlocks(sectionOf("another section")))
		if err := w.SavePayloads(dir); err != nil {
			t.Fatal(err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("two shapes are %d files", len(files))
	}
}

func TestHome_openedAgainTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	opened := make(chan string, 2)
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		w.ack(e)
		if home, ok := inner(e).(*slackevents.AppHomeOpenedEvent); ok {
			hash := ""
			if home.View != nil {
				hash = home.View.Hash
			}
			opened <- hash
		}
	})
	for _, publish := range []bool{true, false} {
		if err := w.OpenHome("ana"); err != nil {
			t.Fatal(err)
		}
		want := ""
		if hash, ok := w.Home("ana")["hash"].(string); ok {
			want = hash
		}
		if got := <-opened; got != want {
			t.Errorf("the event tells of the hash %q, want %q", got, want)
		}
		if publish {
			w.call("views.publish", w.BotToken(), obj{"user_id": "U0ANA", "view": obj{"type": "home", "blocks": list(section("s"))}})
		}
	}
}
