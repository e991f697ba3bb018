package workspace_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/bot/workspace"
)

// obj is a JSON object.
type obj = map[string]any

func plain(text string) obj { return obj{"type": "plain_text", "text": text} }

func section(text string) obj { return obj{"type": "section", "text": plain(text)} }

func list(items ...any) []any { return append([]any{}, items...) }

func modalOf(blocks ...any) obj {
	return obj{"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": blocks}
}

// refusal is a call that Slack refuses.
type refusal struct {
	what   string
	method string
	params obj
	name   string // Slack's name of the error
	says   string // a part of response_metadata.messages
	own    bool   // wrong in itself, and so a violation
}

func badMessages() []refusal {
	post := func(p obj) obj { p["channel"] = "C0DEPLOYS"; return p }
	many := make([]any, 101)
	for i := range many {
		many[i] = obj{"text": "x"}
	}
	return []refusal{
		{"nothing to say", "chat.postMessage", post(obj{}), "no_text", "", true},
		{"nothing to say, spelt out", "chat.postMessage", post(obj{"text": "", "blocks": "[]", "attachments": "[]"}), "no_text", "", true},
		{"too much to say", "chat.postMessage", post(obj{"text": strings.Repeat("x", 40001)}), "msg_too_long", "", true},
		{"too much for an edit", "chat.update", post(obj{"ts": "<own>", "text": strings.Repeat("x", 4001)}), "msg_too_long", "", true},
		{"an edit to nothing", "chat.update", post(obj{"ts": "<own>"}), "no_text", "", true},
		{"bad blocks", "chat.postMessage", post(obj{"blocks": list(obj{"type": "hologram"})}), "invalid_blocks", "json-pointer:/blocks/0/type", true},
		{"bad blocks in an edit", "chat.update", post(obj{"ts": "<own>", "blocks": list(section(""))}), "invalid_blocks", "json-pointer:/blocks/0/text/text", true},
		{"bad blocks for one person", "chat.postEphemeral", post(obj{"user": "U0ANA", "blocks": list(section(""))}), "invalid_blocks", "/blocks/0", true},
		{"too many blocks in all", "chat.postMessage", post(obj{"blocks": list(obj{"type": "markdown", "text": strings.Repeat("x", 12001)})}), "msg_blocks_too_long", "12001", true},
		{"blocks that are no JSON", "chat.postMessage", post(obj{"blocks": "[{"}), "invalid_blocks_format", "", true},
		{"blocks that are no list", "chat.postMessage", post(obj{"blocks": obj{"type": "divider"}}), "invalid_blocks_format", "", true},
		{"attachments that are no list", "chat.postMessage", post(obj{"text": "x", "attachments": `{"text":"x"}`}), "invalid_attachments", "", true},
		{"101 attachments", "chat.postMessage", post(obj{"text": "x", "attachments": many}), "too_many_attachments", "", true},
		{"metadata that are no JSON", "chat.postMessage", post(obj{"text": "x", "metadata": "{"}), "invalid_metadata_format", "", true},
		{"metadata without a type", "chat.postMessage", post(obj{"text": "x", "metadata": obj{"event_payload": obj{}}}), "invalid_metadata_schema", "", true},
		{"metadata without a payload", "chat.update", post(obj{"ts": "<own>", "text": "x", "metadata": obj{"event_type": "run"}}), "invalid_metadata_schema", "", true},
		{"metadata of 5 KB", "chat.postMessage", post(obj{"text": "x", "metadata": obj{"event_type": "run", "event_payload": obj{"x": strings.Repeat("x", 5000)}}}), "metadata_too_large", "", true},
		{"a thread that is no ts", "chat.postMessage", post(obj{"text": "x", "thread_ts": "yesterday"}), "invalid_thread_ts", "", true},
		{"a thread below a reply", "chat.postMessage", post(obj{"text": "x", "thread_ts": "<reply>"}), "invalid_thread_ts", "is a reply", true},
		{"a thread of one person that is no ts", "chat.postEphemeral", post(obj{"user": "U0ANA", "text": "x", "thread_ts": "1.2"}), "invalid_thread_ts", "", true},
		{"an edit of what is no ts", "chat.update", post(obj{"ts": "now", "text": "x"}), "message_not_found", "is no ts", true},
		{"an edit of nothing", "chat.update", post(obj{"ts": "1.000001", "text": "x"}), "message_not_found", "", false},
		{"an edit of what one person sees", "chat.update", post(obj{"ts": "<ephemeral>", "text": "x"}), "message_not_found", "", false},
		{"an edit of ana's words", "chat.update", post(obj{"ts": "<ana>", "text": "x"}), "cant_update_message", "", false},
		{"removing ana's words", "chat.delete", post(obj{"ts": "<ana>"}), "cant_delete_message", "", false},
		{"removing nothing", "chat.delete", post(obj{"ts": "1.000001"}), "message_not_found", "", false},
		{"a link to nothing", "chat.getPermalink", post(obj{"message_ts": "1.000001"}), "message_not_found", "", false},
		{"a reaction to nothing", "reactions.add", post(obj{"timestamp": "1.000001", "name": "ok"}), "message_not_found", "", false},
		{"a reaction to what is no ts", "reactions.add", post(obj{"timestamp": "now", "name": "ok"}), "bad_timestamp", "", true},
		{"taking back no reaction", "reactions.remove", post(obj{"timestamp": "<own>", "name": "ok"}), "no_reaction", "", false},
	}
}

func badPlaces() []refusal {
	return []refusal{
		{"unknown channel", "chat.postMessage", obj{"channel": "C0NOWHERE", "text": "x"}, "channel_not_found", "", false},
		{"unknown channel by name", "chat.postMessage", obj{"channel": "#nowhere", "text": "x"}, "channel_not_found", "", false},
		{"a channel without the bot", "chat.postMessage", obj{"channel": "C0RANDOM", "text": "x"}, "not_in_channel", "", false},
		{"a private channel without the bot", "chat.postMessage", obj{"channel": "C0SECRET", "text": "x"}, "channel_not_found", "", false},
		{"an archived channel", "chat.postMessage", obj{"channel": "C0OLD", "text": "x"}, "is_archived", "", false},
		{"an edit in an archived channel", "chat.update", obj{"channel": "C0OLD", "ts": "1.000001", "text": "x"}, "is_inactive", "", false},
		{"somebody who is not there", "chat.postEphemeral", obj{"channel": "C0OPS", "user": "U0NOBODY", "text": "x"}, "user_not_in_channel", "", false},
		{"somebody who is elsewhere", "chat.postEphemeral", obj{"channel": "C0SMALL", "user": "U0ANA", "text": "x"}, "user_not_in_channel", "", false},
		{"looking up no channel", "conversations.info", obj{"channel": "C0NOWHERE"}, "channel_not_found", "", false},
		{"looking up a private channel", "conversations.info", obj{"channel": "C0SECRET"}, "channel_not_found", "", false},
		{"members of no channel", "conversations.members", obj{"channel": "C0NOWHERE"}, "channel_not_found", "", false},
		{"reading where the bot is not", "conversations.history", obj{"channel": "C0RANDOM"}, "not_in_channel", "", false},
		{"reading from a word on", "conversations.history", obj{"channel": "C0OPS", "oldest": "monday"}, "invalid_ts_oldest", "", true},
		{"reading up to a word", "conversations.history", obj{"channel": "C0OPS", "latest": "monday"}, "invalid_ts_latest", "", true},
		{"a thread of nothing", "conversations.replies", obj{"channel": "C0OPS", "ts": "1.000001"}, "thread_not_found", "", false},
		{"a made-up cursor", "users.list", obj{"cursor": "page2"}, "invalid_cursor", "", true},
		{"a page of -1", "users.list", obj{"limit": "-1"}, "invalid_limit", "", true},
		{"looking up nobody", "users.info", obj{"user": "U0NOBODY"}, "user_not_found", "", false},
		{"talking to nobody", "conversations.open", obj{"users": "U0NOBODY"}, "user_not_found", "", false},
		{"talking to itself", "conversations.open", obj{"users": "U0PLAYBOT"}, "cannot_dm_bot", "", false},
		{"talking to who has left", "conversations.open", obj{"users": "U0OLD"}, "user_disabled", "", false},
		{"unknown group", "usergroups.users.list", obj{"usergroup": "S0"}, "no_such_subteam", "", false},
		{"a reaction nowhere", "reactions.add", obj{"channel": "C0NOWHERE", "timestamp": "1.000001", "name": "x"}, "channel_not_found", "", false},
		{"a link nowhere", "chat.getPermalink", obj{"channel": "C0NOWHERE", "message_ts": "1.000001"}, "channel_not_found", "", false},
	}
}

func badCalls() []refusal {
	cases := []refusal{
		{"unknown method", "chat.shout", obj{}, "unknown_method", "", true},
		{"an upload of nothing", "files.getUploadURLExternal", obj{"filename": "a.txt", "length": "0"}, "invalid_arguments", "length", true},
		{"an upload of words", "files.getUploadURLExternal", obj{"filename": "a.txt", "length": "much"}, "invalid_arguments", "length", true},
		{"a snippet of 2 MB", "files.getUploadURLExternal", obj{"filename": "a.txt", "length": 2 << 20, "snippet_type": "text"}, "snippet_too_large", "", true},
		{"a file of 9 MB", "files.getUploadURLExternal", obj{"filename": "a.txt", "length": 9 << 20}, "file_upload_size_restricted", "", true},
		{"sharing no list", "files.completeUploadExternal", obj{"files": "F1"}, "invalid_arguments", "list of objects", true},
		{"sharing what was never sent", "files.completeUploadExternal", obj{"files": `[{"id":"F1"}]`}, "file_not_found", "", false},
		{"looking up no file", "files.info", obj{"file": "F1"}, "file_not_found", "", false},
	}
	needs := map[string]string{
		"chat.postMessage": "channel", "chat.postEphemeral": "channel,user", "chat.update": "channel,ts", "chat.delete": "channel,ts",
		"chat.getPermalink": "channel,message_ts", "conversations.info": "channel", "conversations.members": "channel",
		"conversations.open": "users", "conversations.history": "channel", "conversations.replies": "channel,ts", "users.info": "user",
		"usergroups.users.list": "usergroup", "views.open": "trigger_id,view", "views.push": "trigger_id,view", "views.update": "view",
		"views.publish": "user_id,view", "files.getUploadURLExternal": "filename,length", "files.completeUploadExternal": "files",
		"files.info": "file", "reactions.add": "channel,timestamp,name", "reactions.remove": "channel,timestamp,name",
	}
	for method, fields := range needs {
		for f := range strings.SplitSeq(fields, ",") {
			cases = append(cases, refusal{"without " + f, method, obj{}, "invalid_arguments", "missing required field: " + f, true})
		}
	}
	return cases
}

func badViews() []refusal {
	input := obj{"type": "input", "label": plain("l"), "element": obj{"type": "plain_text_input", "action_id": "a"}}
	return []refusal{
		{"no trigger", "views.open", obj{"trigger_id": "t", "view": modalOf(section("s"))}, "invalid_trigger_id", "", false},
		{"a Home tab as a modal", "views.open", obj{"trigger_id": "t", "view": obj{"type": "home", "blocks": list()}}, "invalid_arguments", "must be modal", true},
		{"a modal as a Home tab", "views.publish", obj{"user_id": "U0ANA", "view": modalOf(section("s"))}, "invalid_arguments", "must be home", true},
		{"a Home tab for nobody", "views.publish", obj{"user_id": "U0NOBODY", "view": obj{"type": "home", "blocks": list()}}, "user_not_found", "", false},
		{"a view that is no object", "views.open", obj{"trigger_id": "t", "view": "words"}, "invalid_arguments", "must be an object", true},
		{"a long title", "views.open", obj{"trigger_id": "t", "view": obj{"type": "modal", "title": plain(strings.Repeat("x", 25)), "blocks": list(section("s"))}}, "invalid_arguments", "/title/text", true},
		{"an input without a submit button", "views.open", obj{"trigger_id": "t", "view": obj{"type": "modal", "title": plain("t"), "blocks": list(input)}}, "invalid_arguments", "/submit", true},
		{"a view of 300 KB", "views.open", obj{"trigger_id": "t", "view": modalOf(section(strings.Repeat("x", 300_000)))}, "view_too_large", "", true},
		{"an update that changes the type", "views.update", obj{"external_id": "form", "view": modalOf(section("s"))}, "invalid_arguments", "cannot change its type", true},
		{"an own id that is taken", "views.publish", obj{"user_id": "U0BEN", "view": obj{"type": "home", "external_id": "form", "blocks": list()}}, "duplicate_external_id", "", true},
		{"an update of no view", "views.update", obj{"view_id": "V0", "view": modalOf(section("s"))}, "not_found", "", false},
		{"an update of which view", "views.update", obj{"view": modalOf(section("s"))}, "invalid_arguments", "view_id", true},
		{"a bad update", "views.update", obj{"view_id": "V0", "view": modalOf(section(""))}, "invalid_arguments", "/blocks/0", true},
	}
}

// refusing is a world with channels of every kind.
func refusing(t *testing.T) *world {
	t.Helper()
	return newWorld(t, func(o *workspace.Options) {
		o.Scopes = append(workspace.DefaultScopes(), "channels:history", "files:read")
		o.Users = []workspace.User{{ID: "U0ANA", Name: "ana"}, {ID: "U0BEN", Name: "ben"}, {ID: "U0OLD", Name: "old", Deleted: true}}
		o.Channels = []workspace.Channel{
			{ID: "C0DEPLOYS", Name: channel, Members: []string{"U0ANA", "U0BEN", "U0PLAYBOT"}},
			{ID: "C0OPS", Name: "ops", Members: []string{"U0ANA", "U0PLAYBOT"}},
			{ID: "C0SMALL", Name: "small", Members: []string{"U0BEN", "U0PLAYBOT"}},
			{ID: "C0RANDOM", Name: "random", Members: []string{"U0ANA"}},
			{ID: "C0SECRET", Name: "secret", Members: []string{"U0ANA"}, Private: true},
			{ID: "C0OLD", Name: "old", Members: []string{"U0PLAYBOT"}, Archived: true},
		}
	})
}

// The workspace refuses what Slack refuses, under Slack's own names, and remembers what was wrong in
// itself, so that every test of the house can ask whether the bot ever sent such a thing.
func TestAPI_refusesWhatSlackRefuses(t *testing.T) {
	t.Parallel()
	for group, cases := range map[string][]refusal{"message": badMessages(), "place": badPlaces(), "call": badCalls(), "view": badViews()} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			w := refusing(t)
			known := w.messagesOfEachKind()
			for _, c := range cases {
				t.Run(c.method+" "+c.what, func(t *testing.T) {
					for key, v := range c.params {
						if ts := known[fmt.Sprint(v)]; ts != "" {
							c.params[key] = ts
						}
					}
					before, shown := len(w.Violations()), len(w.Everything(channel))
					a := w.call(c.method, w.BotToken(), c.params)
					if a.problem() != c.name || a.body["ok"] != false || !strings.Contains(a.messages(), c.says) {
						t.Errorf("answered %q %s, want %q %s", a.problem(), a.messages(), c.name, c.says)
					}
					w.checkViolation(t, c, before)
					if after := len(w.Everything(channel)); after != shown {
						t.Errorf("the refused call left %d messages, there were %d", after, shown)
					}
				})
			}
		})
	}
}

func (w *world) checkViolation(t *testing.T, c refusal, before int) {
	t.Helper()
	after := w.Violations()
	switch {
	case c.own && len(after) != before+1:
		t.Errorf("%d violations were remembered, want 1", len(after)-before)
	case c.own && (after[before].Error != c.name || after[before].Method != c.method):
		t.Errorf("remembered %+v, want %s %s", after[before], c.method, c.name)
	case !c.own && len(after) != before:
		t.Errorf("remembered %+v, but a bot has to live with %s", after[before:], c.name)
	}
	last := w.Traffic()[len(w.Traffic())-1]
	if last.Method != c.method || last.Error != c.name {
		t.Errorf("the traffic says %s %s, want %s %s", last.Method, last.Error, c.method, c.name)
	}
}

// messagesOfEachKind says the ts behind the words that the table uses.
func (w *world) messagesOfEachKind() map[string]string {
	w.t.Helper()
	ana, err := w.Say("ana", channel, "", "hello")
	if err != nil {
		w.t.Fatal(err)
	}
	post := func(method string, p obj) string {
		p["channel"], p["text"] = "C0DEPLOYS", "x"
		a := w.call(method, w.BotToken(), p)
		for _, key := range []string{"ts", "message_ts"} {
			if ts, ok := a.body[key].(string); ok {
				return ts
			}
		}
		w.t.Fatalf("%s answered %v", method, a.body)
		return ""
	}
	own := post("chat.postMessage", obj{})
	published := w.call("views.publish", w.BotToken(), obj{"user_id": "U0ANA", "view": obj{"type": "home", "external_id": "form", "blocks": list()}})
	if published.body["ok"] != true {
		w.t.Fatal(published.body)
	}
	return map[string]string{
		"<ana>": ana.TS, "<own>": own, "<reply>": post("chat.postMessage", obj{"thread_ts": own}),
		"<ephemeral>": post("chat.postEphemeral", obj{"user": "U0ANA"}),
	}
}
