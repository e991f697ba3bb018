package workspace_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/bot/workspace"
)

func TestPost_goesIntoThreadsAndChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	parent := w.post(slack.MsgOptionText("card", false), slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "run", EventPayload: map[string]any{"id": "r1"}}))
	reply := w.post(slack.MsgOptionText("step 1", false), slack.MsgOptionTS(parent))
	loud := w.post(slack.MsgOptionText("failed", false), slack.MsgOptionTS(parent), slack.MsgOptionBroadcast())
	if parent >= reply || reply >= loud {
		t.Errorf("ts do not grow: %s %s %s", parent, reply, loud)
	}
	if got := texts(w.Messages("ana", channel)); !slices.Equal(got, []string{"card", "failed"}) {
		t.Errorf("the channel shows %q", got)
	}
	if got := texts(w.Thread("ana", channel, parent)); !slices.Equal(got, []string{"card", "step 1", "failed"}) {
		t.Errorf("the thread shows %q", got)
	}
	if m, _ := w.Message(channel, parent); m.Metadata["event_type"] != "run" {
		t.Errorf("metadata: %v", m.Metadata)
	}
	w.DeleteMessage(channel, parent)
	orphan := w.post(slack.MsgOptionText("step 2", false), slack.MsgOptionTS(parent))
	if m, _ := w.Message(channel, orphan); m.ThreadTS != "" {
		t.Error("a reply to a parent that is gone stayed in its thread")
	}
	at, _, err := w.api.PostMessageContext(t.Context(), "U0ANA", slack.MsgOptionText("psst", false))
	if err != nil || at != "D0ANA" {
		t.Errorf("a message to a person went to %q, %v", at, err)
	}
}

func texts(list []workspace.Message) []string {
	out := make([]string, 0, len(list))
	for _, m := range list {
		out = append(out, m.Text)
	}
	return out
}

func TestPost_goesWhereTheBotIsNotOnlyWithTheScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) { o.Scopes = append(workspace.DefaultScopes(), "chat:write.public") })
	if _, _, err := w.api.PostMessageContext(t.Context(), "#random", slack.MsgOptionText("hello", false)); err != nil {
		t.Error(err)
	}
}

func TestUpdate_replacesOnlyWhatIsPassed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	meta := slack.SlackMetadata{EventType: "run", EventPayload: map[string]any{"id": "r1"}}
	ts := w.post(slack.MsgOptionText("one", false), slack.MsgOptionBlocks(sectionOf("first"), buttons("go")), slack.MsgOptionMetadata(meta))
	edit := func(options ...slack.MsgOption) workspace.Message {
		t.Helper()
		if _, _, _, err := w.api.UpdateMessageContext(t.Context(), "C0DEPLOYS", ts, options...); err != nil {
			t.Fatal(err)
		}
		m, _ := w.Message(channel, ts)
		return m
	}
	if m := edit(slack.MsgOptionText("two", false)); m.Text != "two" || len(m.Blocks) != 2 || !m.Edited || m.Metadata == nil {
		t.Errorf("text alone: %+v", m)
	}
	if m := edit(slack.MsgOptionBlocks(sectionOf("second"))); m.Text != "two" || w.PlainText(m) != "second" {
		t.Errorf("blocks alone: %+v", m)
	}
	if m := edit(slack.MsgOptionText("three", false), slack.MsgOptionBlocks()); len(m.Blocks) != 0 || w.PlainText(m) != "three" {
		t.Errorf("an empty list of blocks: %+v", m)
	}
	m, _ := w.Message(channel, ts)
	var was []string
	for _, v := range m.Versions {
		was = append(was, v.Text)
	}
	if !slices.Equal(was, []string{"one", "two", "two"}) {
		t.Errorf("it was %q before", was)
	}
	if a := w.call("chat.update", w.BotToken(), obj{"channel": "C0DEPLOYS", "ts": ts, "text": "x", "metadata": obj{}}); a.body["ok"] != true {
		t.Error(a.body)
	}
	if m, _ := w.Message(channel, ts); m.Metadata != nil {
		t.Errorf("an empty object left %v", m.Metadata)
	}
	if _, _, err := w.api.DeleteMessageContext(t.Context(), "C0DEPLOYS", ts); err != nil {
		t.Fatal(err)
	}
	if _, there := w.Message(channel, ts); there {
		t.Error("a deleted message is still there")
	}
	w.noViolations()
}

func TestEphemeral_isSeenByOnePersonAndChangedOnlyThroughItsClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	ts, err := w.api.PostEphemeralContext(t.Context(), "C0DEPLOYS", "U0ANA", slack.MsgOptionBlocks(buttons("go")))
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Messages("ana", channel)) != 1 || len(w.Messages("ben", channel)) != 0 || len(w.Messages("", channel)) != 0 {
		t.Error("the wrong people see it")
	}
	if err := w.Click(t.Context(), "ana", channel, ts, "go"); err != nil {
		t.Fatal(err)
	}
	click, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	if click.Message.Timestamp != "" || !click.Container.IsEphemeral {
		t.Errorf("the click of an ephemeral message echoes %+v", click.Message)
	}
	w.respond(click.ResponseURL, &slack.WebhookMessage{Text: "gone ahead", ReplaceOriginal: true})
	if m, _ := w.Message(channel, ts); m.Text != "gone ahead" || m.Ephemeral != "U0ANA" {
		t.Errorf("it reads %+v", m)
	}
	w.respond(click.ResponseURL, &slack.WebhookMessage{DeleteOriginal: true})
	if len(w.Messages("ana", channel)) != 0 {
		t.Error("it was not removed")
	}
	w.noViolations()
}

// respond answers a response_url.
func (w *world) respond(url string, m *slack.WebhookMessage) {
	w.t.Helper()
	if err := slack.PostWebhookCustomHTTPContext(w.t.Context(), url, w.http, m); err != nil {
		w.t.Fatal(err)
	}
}

func TestResponseURL_isGoodForFiveAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	if _, err := w.Slash(t.Context(), "ana", "random", "/playbook list"); err != nil { // where the bot is no member
		t.Fatal(err)
	}
	cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	w.respond(cmd.ResponseURL, &slack.WebhookMessage{Text: "only for ana"})
	w.respond(cmd.ResponseURL, &slack.WebhookMessage{Text: "for all", ResponseType: slack.ResponseTypeInChannel})
	if len(w.Messages("ana", "random")) != 2 || len(w.Messages("ben", "random")) != 1 {
		t.Errorf("ana sees %q, ben %q", texts(w.Messages("ana", "random")), texts(w.Messages("ben", "random")))
	}
	status, _, text := w.send(cmd.ResponseURL, "", "application/json", `{"blocks":[{"type":"hologram"}]}`)
	if status != 400 || text != "invalid_blocks" {
		t.Errorf("a bad answer got %d %q", status, text)
	}
	status, _, text = w.send(cmd.ResponseURL, "", "application/json", `{`)
	if v := w.Violations(); status != 400 || text != "invalid_payload" || len(v) != 2 || v[0].Method != "response_url" {
		t.Errorf("a broken answer got %d %q; violations %+v", status, text, v)
	}
	w.respond(cmd.ResponseURL, &slack.WebhookMessage{Text: "four"})
	w.respond(cmd.ResponseURL, &slack.WebhookMessage{Text: "five"})
	if status, _, text = w.send(cmd.ResponseURL, "", "application/json", `{"text":"six"}`); status != 404 || text != "used_url" {
		t.Errorf("the sixth answer got %d %q", status, text)
	}
	if status, _, text = w.send(w.URL()+"/hooks/made-up", "", "application/json", `{"text":"x"}`); status != 404 || text != "no_hook" {
		t.Errorf("a made-up url got %d %q", status, text)
	}
}

func TestReactions_comeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := slack.NewRefToMessage("C0DEPLOYS", w.post(slack.MsgOptionText("x", false)))
	if err := w.api.AddReactionContext(t.Context(), "eyes", at); err != nil {
		t.Fatal(err)
	}
	err := w.api.AddReactionContext(t.Context(), "eyes", at)
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); !ok || answer.Err != "already_reacted" {
		t.Errorf("the same reaction again: %v", err)
	}
	if m, _ := w.Message(channel, at.Timestamp); len(m.Reactions) != 1 || m.Reactions[0].Name != "eyes" {
		t.Errorf("reactions: %+v", m.Reactions)
	}
	if err := w.api.RemoveReactionContext(t.Context(), "eyes", at); err != nil {
		t.Fatal(err)
	}
	if m, _ := w.Message(channel, at.Timestamp); len(m.Reactions) != 0 {
		t.Errorf("reactions: %+v", m.Reactions)
	}
	link, err := w.api.GetPermalinkContext(t.Context(), &slack.PermalinkParameters{Channel: "C0DEPLOYS", Ts: at.Timestamp})
	if want := w.URL() + "/archives/C0DEPLOYS/p" + strings.ReplaceAll(at.Timestamp, ".", ""); err != nil || link != want {
		t.Errorf("the link is %q, %v, want %q", link, err, want)
	}
}
