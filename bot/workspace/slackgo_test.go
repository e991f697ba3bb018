package workspace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/bot/workspace"
)

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func buttons(ids ...string) slack.Block {
	elements := make([]slack.BlockElement, 0, len(ids))
	for _, id := range ids {
		elements = append(elements, slack.NewButtonBlockElement(id, "value of "+id, plainText(id)))
	}
	return slack.NewActionBlock("", elements...)
}

func sectionOf(text string) slack.Block { return slack.NewSectionBlock(plainText(text), nil, nil) }

// form is a modal with one input, in block "who".
func form(title string) slack.ModalViewRequest {
	in := slack.NewInputBlock("who", plainText("Who"), nil, slack.NewPlainTextInputBlockElement(nil, "name"))
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText(title), Submit: plainText("Go"), CallbackID: "form", Blocks: slack.Blocks{BlockSet: []slack.Block{in}},
	}
}

func TestSlackGo_learnsWhoItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	who, err := w.api.AuthTestContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.UserID != "U0PLAYBOT" || who.BotID != "B0PLAYBOT" || who.TeamID != "T0PLAYBOT" || who.URL != w.URL()+"/" {
		t.Errorf("auth.test answered %+v", who)
	}
	team, err := w.api.GetTeamInfoContext(t.Context())
	if err != nil || team.Domain != "local" {
		t.Errorf("team.info: %+v, %v", team, err)
	}
	bot, err := w.api.GetBotInfoContext(t.Context(), slack.GetBotInfoParameters{Bot: who.BotID})
	if err != nil || bot.UserID != who.UserID {
		t.Errorf("bots.info: %+v, %v", bot, err)
	}
}

func TestSlackGo_isGreetedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	hello := w.next(socketmode.EventTypeHello)
	if r := hello.Request; r.NumConnections != 1 || r.ConnectionInfo.AppID != "A1" {
		t.Errorf("hello says %d connections of %q", r.NumConnections, r.ConnectionInfo.AppID)
	}
	if w.Connected() != 1 {
		t.Errorf("%d sockets are open", w.Connected())
	}
}

func TestSlash_returnsWhatTheAckSaid(t *testing.T) {
	t.Parallel()
	answers := map[string]any{
		"words":   map[string]any{"text": "hello *ana*"},
		"public":  map[string]any{"text": "look here", "response_type": "in_channel"},
		"blocks":  map[string]any{"text": "fallback", "blocks": []slack.Block{sectionOf("drawn")}},
		"silence": nil,
		"empty":   map[string]any{},
	}
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		if cmd, ok := e.Data.(slack.SlashCommand); ok && answers[cmd.Text] != nil {
			w.ack(e, answers[cmd.Text])
			return
		}
		w.ack(e)
	})
	for word, want := range map[string]string{"words": "hello ana", "public": "look here", "blocks": "drawn", "silence": "", "empty": ""} {
		m, err := w.Slash(t.Context(), "ana", channel, "/playbook "+word)
		if err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		switch {
		case want == "" && m != nil:
			t.Errorf("%s: the ack said nothing, Slash returned %+v", word, m)
		case want != "" && (m == nil || w.PlainText(*m) != want):
			t.Errorf("%s: Slash returned %+v, want %q", word, m, want)
		case want != "" && (m.Ephemeral == "") != (word == "public"):
			t.Errorf("%s: seen by %q", word, m.Ephemeral)
		}
	}
	if seen := len(w.Messages("ben", channel)); seen != 1 {
		t.Errorf("ben sees %d messages, want only the public one", seen)
	}
	w.noViolations()
}

func TestSlash_carriesWhoWhereAndWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	if _, err := w.Slash(t.Context(), "ana", "#"+channel, "/playbook run web_upgrade tier=bravo"); err != nil {
		t.Fatal(err)
	}
	cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
	if cmd.ResponseURL == "" || cmd.TriggerID == "" {
		t.Errorf("no way to answer: %+v", cmd)
	}
	cmd.ResponseURL, cmd.TriggerID = "", ""
	want := slack.SlashCommand{
		Token: "local", TeamID: "T0PLAYBOT", TeamDomain: "local", ChannelID: "C0DEPLOYS", ChannelName: channel,
		UserID: "U0ANA", UserName: "ana", Command: "/playbook", Text: "run web_upgrade tier=bravo", APIAppID: "A1",
	}
	if d := cmp.Diff(want, cmd); d != "" {
		t.Error(d)
	}
}

func TestActing_saysWhyItCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ts := w.post(slack.MsgOptionBlocks(buttons("go")))
	hidden, err := w.api.PostEphemeralContext(t.Context(), "C0DEPLOYS", "U0ANA", slack.MsgOptionBlocks(buttons("go")))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	slash := func(user, where, line string) error { _, err := w.Slash(ctx, user, where, line); return err }
	submit := func() error { _, err := w.Submit(ctx, "ana", "V1", nil); return err }
	say := func(user, where string) error { _, err := w.Say(user, where, "", "x"); return err }
	w.ArchiveChannel("ops")
	for what, c := range map[string]struct {
		err  error
		says string
	}{
		"another command":        {slash("ana", channel, "/giphy cat"), "/giphy is not a command of this workspace; /playbook is"},
		"nobody":                 {slash("eve", channel, "/playbook"), `there is no user "eve"`},
		"nowhere":                {slash("ana", "nowhere", "/playbook"), `there is no channel "nowhere"`},
		"no app":                 {slash("ana", channel, "/playbook"), "dispatch_failed"},
		"no message":             {w.Click(ctx, "ana", channel, "1.000001", "go"), "there is no message 1.000001"},
		"no button":              {w.Click(ctx, "ana", channel, ts, "stop"), `no button "stop"`},
		"nobody's click":         {w.Click(ctx, "eve", channel, ts, "go"), `no user "eve"`},
		"a click nowhere":        {w.Click(ctx, "ana", "nowhere", ts, "go"), `no channel "nowhere"`},
		"somebody else's":        {w.Click(ctx, "ben", channel, hidden, "go"), "there is no message"},
		"no app for a click":     {w.Click(ctx, "ana", channel, ts, "go"), "dispatch_failed"},
		"no such view":           {w.Press(ctx, workspace.Press{User: "ana", View: "V1", ActionID: "go"}), `no view "V1"`},
		"submitting none":        {submit(), `no view "V1" open`},
		"closing none":           {w.Close(ctx, "ana", "V1"), `no view "V1" open`},
		"words of nobody":        {say("eve", channel), `no user "eve"`},
		"an archived channel":    {say("ana", "ops"), "#ops is archived"},
		"the Home tab of no one": {w.OpenHome("eve"), `no user "eve"`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", what, c.err, c.says)
		}
	}
	if m := w.Messages("ana", "nowhere"); m != nil {
		t.Errorf("nowhere shows %v", m)
	}
}

func TestClick_echoesTheMessageAndItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	parent := w.post(slack.MsgOptionText("card", false))
	ts := w.post(slack.MsgOptionTS(parent), slack.MsgOptionText("fallback", false), slack.MsgOptionBlocks(sectionOf("ready?"), buttons("approve", "deny")))
	if err := w.Click(t.Context(), "ben", channel, ts, "deny"); err != nil {
		t.Fatal(err)
	}
	click, _ := w.next(socketmode.EventTypeInteractive).Data.(slack.InteractionCallback)
	a := click.ActionCallback.BlockActions
	if len(a) != 1 || a[0].ActionID != "deny" || a[0].Value != "value of deny" || a[0].BlockID != "b1" || a[0].ActionTs == "" {
		t.Errorf("the action is %+v", a[0])
	}
	if click.User.ID != "U0BEN" || click.Team.ID != "T0PLAYBOT" || click.Channel.ID != "C0DEPLOYS" || click.TriggerID == "" || click.ResponseURL == "" {
		t.Errorf("the click is %+v", click)
	}
	if m := click.Message; m.Timestamp != ts || m.ThreadTimestamp != parent || len(m.Blocks.BlockSet) != 2 || m.Blocks.BlockSet[1].ID() != "b1" {
		t.Errorf("the echo is %+v", m)
	}
	if c := click.Container; c.MessageTs != ts || c.ThreadTs != parent || c.IsEphemeral {
		t.Errorf("the container is %+v", c)
	}
}

func TestSay_reachesTheBotOnlyWhenMeantForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(ack)
	dm, _, _, err := w.api.OpenConversationContext(t.Context(), &slack.OpenConversationParameters{Users: []string{"U0ANA"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{channel, "random"} { // nobody asked the bot; the bot is not there
		text := map[string]string{channel: "hello all", "random": "@playbot help"}[where]
		if _, err := w.Say("ana", where, "", text); err != nil {
			t.Fatal(err)
		}
	}
	parent := w.post(slack.MsgOptionText("card", false))
	if _, err := w.Say("ana", channel, parent, "@playbot status"); err != nil {
		t.Fatal(err)
	}
	mention, _ := inner(w.next(socketmode.EventTypeEventsAPI)).(*slackevents.AppMentionEvent)
	if mention == nil || mention.Text != "<@U0PLAYBOT> status" || mention.User != "U0ANA" || mention.ThreadTimeStamp != parent {
		t.Fatalf("the first event is %+v", mention)
	}
	if _, err := w.Say("ana", dm.ID, "", "psst"); err != nil {
		t.Fatal(err)
	}
	message, _ := inner(w.next(socketmode.EventTypeEventsAPI)).(*slackevents.MessageEvent)
	if message == nil || message.Text != "psst" || message.ChannelType != "im" {
		t.Fatalf("the second event is %+v", message)
	}
}
