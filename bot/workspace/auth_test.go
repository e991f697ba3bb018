package workspace_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/bot/workspace"
)

func TestAPI_refusesTokensAndMissingScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) { o.Scopes = []string{"chat:write"} })
	cases := []struct{ what, method, token, name string }{
		{"no token", "auth.test", "", "not_authed"},
		{"no token for a view", "views.open", "", "not_authed"},
		{"a made-up token", "auth.test", "xoxb-other", "invalid_auth"},
		{"a made-up app token", "apps.connections.open", "xapp-other", "invalid_auth"},
		{"the bot token for a socket", "apps.connections.open", w.BotToken(), "not_allowed_token_type"},
		{"the app token for a message", "chat.postMessage", w.AppToken(), "not_allowed_token_type"},
		{"a scope that was not granted", "users.info", w.BotToken(), "missing_scope"},
		{"another", "reactions.add", w.BotToken(), "missing_scope"},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			a := w.call(c.method, c.token, obj{"user": "U0ANA", "channel": "C0DEPLOYS", "text": "x"})
			if a.problem() != c.name {
				t.Errorf("answered %v, want %s", a.body, c.name)
			}
			if c.name == "missing_scope" && (a.body["provided"] != "chat:write" || a.header.Get("X-Oauth-Scopes") != "chat:write" || a.body["needed"] == nil) {
				t.Errorf("the answer does not name the scopes: %v %v", a.body, a.header)
			}
		})
	}
	if a := w.call("api.test", "", obj{}); a.body["ok"] != true {
		t.Errorf("api.test needs no token, but answered %v", a.body)
	}
}

func TestAPI_refusesBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct{ what, kind, body, name string }{
		{"JSON that is none", "application/json", `{"channel":`, "invalid_json"},
		{"JSON that is a list", "application/json", `["x"]`, "json_not_object"},
		{"a broken form", "application/x-www-form-urlencoded", "a=%zz", "invalid_form_data"},
		{"a form without parts", "multipart/form-data; boundary=x", "nothing", "invalid_form_data"},
		{"a picture", "image/png", "\x89PNG", "invalid_post_type"},
		{"something without a name", "", "text=x", "missing_post_type"},
	} {
		before := len(w.Violations())
		if a := w.callRaw("chat.postMessage", w.BotToken(), c.kind, c.body); a.problem() != c.name {
			t.Errorf("%s: answered %v, want %s", c.what, a.body, c.name)
		}
		if len(w.Violations()) != before+1 {
			t.Errorf("%s: violations %+v", c.what, w.Violations())
		}
	}
	if a := w.callRaw("chat.postMessage", w.BotToken(), "application/json", `{"text":"`+strings.Repeat("x", 5<<20)+`"}`); a.problem() != "request_timeout" {
		t.Errorf("5 MB: answered %v", a.body)
	}
	if v := w.Violations(); !slices.Contains(v[len(v)-1].Details, (&http.MaxBytesError{}).Error()) {
		t.Errorf("5 MB: the violation does not say so: %+v", v[len(v)-1])
	}
}

func TestAPI_knowsNoUserGroupsOnFreePlans(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) { o.NoUserGroup = true })
	for _, method := range []string{"usergroups.list", "usergroups.users.list"} {
		if a := w.call(method, w.BotToken(), obj{"usergroup": "S1"}); a.problem() != "plan_upgrade_required" {
			t.Errorf("%s answered %v", method, a.body)
		}
	}
}

func TestAPI_wantsAScopeForEachKindOfChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) {
		o.Scopes = []string{"channels:read"}
		o.Channels = []workspace.Channel{
			{ID: "C1", Name: "open", Members: []string{"U0PLAYBOT"}},
			{ID: "C2", Name: "closed", Private: true, Members: []string{"U0PLAYBOT"}},
			{ID: "C3", Name: "elsewhere", Private: true},
			{ID: "D1", IM: "U0ANA", Members: []string{"U0ANA", "U0PLAYBOT"}},
		}
	})
	for _, c := range []struct {
		method, key, value, name, needed string
	}{
		{"conversations.info", "channel", "C1", "", ""},
		{"conversations.info", "channel", "C2", "missing_scope", "groups:read"},
		{"conversations.info", "channel", "C3", "channel_not_found", ""},
		{"conversations.members", "channel", "D1", "missing_scope", "im:read"},
		{"conversations.list", "types", "", "", ""},
		{"conversations.list", "types", "public_channel,private_channel", "missing_scope", "groups:read"},
		{"conversations.list", "types", "mpim", "missing_scope", "mpim:read"},
		{"conversations.list", "types", "all", "invalid_types", ""},
	} {
		a := w.call(c.method, w.BotToken(), obj{c.key: c.value})
		if needed, _ := a.body["needed"].(string); a.problem() != c.name || needed != c.needed {
			t.Errorf("%s %s: %v, want %q %q", c.method, c.value, a.body, c.name, c.needed)
		}
	}
}

func TestPeople_cannotReachAnAppThatLacksTheScope(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]int{"chat:write": 0, "app_mentions:read": 1} {
		synctest.Test(t, func(t *testing.T) {
			w := pipedWorld(t, func(o *workspace.Options) { o.Scopes = []string{scope} }).connect(ack)
			if _, err := w.Slash(t.Context(), "ana", channel, "/playbook list"); err == nil || !strings.Contains(err.Error(), "is not a command") {
				t.Errorf("%s: a command without the scope commands: %v", scope, err)
			}
			if _, err := w.Say("ana", channel, "", "@playbot list"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := len(w.envelopes()); n != want {
				t.Errorf("%s: %d mentions reached the app, want %d", scope, n, want)
			}
		})
	}
}
