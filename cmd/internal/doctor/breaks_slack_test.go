package doctor

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/cmd/internal/app"
)

// broken is an installation of which one thing is spoilt, and everything that is to be said about that.
type broken struct {
	fleet bool // the network is looked at too, which takes seconds
	limit time.Duration
	local func(*app.LocalOptions)
	spoil func(c *clinic)
	want  []want
}

func (b broken) play(t *testing.T) {
	t.Helper()
	c := open(t, nil, b.local)
	c.limit = b.limit
	if !b.fleet {
		c.Config.NATS.Servers = nil
	}
	if b.spoil != nil {
		b.spoil(c)
	}
	c.examine().wants(t, b.want...)
}

// together runs cases side by side that wait most of the time: more at once than there are processors,
// which is what t.Parallel allows, and not so many that they are in each other's way.
func together(t *testing.T, cases map[string]broken, test func(*testing.T, broken)) {
	t.Helper()
	const atOnce = 4
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, atOnce)
	for name, b := range cases {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			t.Run(name, func(t *testing.T) { test(t, b) })
		})
	}
}

// lacking grants all scopes but some.
func lacking(scopes ...string) func(*app.LocalOptions) {
	return func(o *app.LocalOptions) {
		for _, name := range bot.ScopeNames(false) {
			granted := true
			for _, s := range scopes {
				granted = granted && s != name
			}
			if granted {
				o.Scopes = append(o.Scopes, name)
			}
		}
	}
}

func TestExamine_saysWhatIsWrongWithSlack(t *testing.T) {
	t.Parallel()
	const token, socket = "slack bot token", "slack app token"
	for name, b := range map[string]broken{
		"a bot token that Slack does not know": {
			spoil: func(c *clinic) { c.write("bot_token", "xoxb-other") },
			want:  []want{{token, Broken, "Slack refuses the bot token: invalid_auth", "reinstall the app and copy the Bot User OAuth Token"}},
		},
		"the token of a person": {
			spoil: func(c *clinic) { c.write("bot_token", "xoxp-1") },
			want:  []want{{token, Broken, `must begin with "xoxb-"`, "OAuth & Permissions"}},
		},
		"an app token that Slack does not know": {
			spoil: func(c *clinic) { c.write("app_token", "xapp-other") },
			want:  []want{{socket, Broken, "Slack refuses the app token: invalid_auth", "create an App-Level Token with connections:write"}},
		},
		"the bot token as the app token": {
			spoil: func(c *clinic) { c.write("app_token", c.Workspace.BotToken()) },
			want:  []want{{socket, Broken, `must begin with "xapp-"`, "Basic Information"}},
		},
		"an app token without its scope": {
			spoil: func(c *clinic) { c.Workspace.FailNext("apps.connections.open", "missing_scope", 1) },
			want:  []want{{socket, Broken, "Slack refuses the app token: missing_scope", "connections:write"}},
		},
		"tokens that others can read (T-27)": {
			spoil: func(c *clinic) { c.chmod(c.path("bot_token"), 0o644) },
			want: []want{
				{"secrets", Broken, "slack.bot_token: ", "run chmod 600 "},
				{token, Broken, "there is no bot token", "set slack.bot_token"},
			},
		},
		"a token that is nowhere": {
			spoil: func(c *clinic) { c.Config.Slack.AppToken = "env:PLAYBOT_NO_SUCH_TOKEN" },
			want: []want{
				{"secrets", Broken, "the environment variable PLAYBOT_NO_SUCH_TOKEN is empty", "set it before starting playbot"},
				{socket, Broken, "there is no app token", "set slack.app_token"},
			},
		},
		"no scope to look people up": {
			local: lacking("users:read"),
			want:  []want{{"slack scopes", Broken, "users:read is missing: nobody can be looked up", "OAuth & Permissions"}},
		},
		"only the minimal manifest": {
			local: func(o *app.LocalOptions) { o.Scopes = bot.ScopeNames(true) },
			want: []want{
				{"slack scopes", Warning, "app_mentions:read is missing: mentions do not reach the bot", "reinstall the app"},
				{"slack scopes", Warning, "usergroups:read is missing: nobody has a role by a user group", "playbot slack manifest"},
			},
		},
		"without the scopes that tell shared channels apart": {
			local: func(o *app.LocalOptions) {
				o.Scopes = slices.DeleteFunc(bot.ScopeNames(false), func(s string) bool { return s == "channels:read" || s == "groups:read" })
			},
			want: []want{
				{"slack scopes", Broken, "channels:read is missing", "playbot slack manifest"},
				{"slack scopes", Broken, "groups:read is missing", "playbot slack manifest"},
				{"slack ops channel", Warning, "not known whether the bot is in #ops: the token lacks the scope channels:read", "reinstall the app"},
			},
		},
		"a channel that the bot has not joined": {
			spoil: func(c *clinic) { c.Config.Slack.OpsChannel = "#random" },
			want:  []want{{"slack ops channel", Broken, "the bot is not in #random", "type /invite @playbot"}},
		},
		"a channel that is not there": {
			spoil: func(c *clinic) { c.Config.Slack.OpsChannel = "#opps" },
			want:  []want{{"slack ops channel", Broken, "there is no channel #opps", "correct slack.ops_channel"}},
		},
		"a channel that is archived": {
			spoil: func(c *clinic) { c.Workspace.ArchiveChannel("#ops") },
			want:  []want{{"slack ops channel", Broken, "#ops is archived", "name another channel"}},
		},
		"no ops channel": {
			spoil: func(c *clinic) { c.Config.Slack.OpsChannel = "" },
			want:  []want{{"slack ops channel", Warning, "a run has no card", "set slack.ops_channel"}},
		},
		"a guest and a stranger in the policy": {
			spoil: func(c *clinic) {
				r := c.Config.Policy.Roles["deployers"]
				r.Members = append(r.Members, "U0GUS", "U0GONE", "T0OTHER/U0EVE", "ana")
				c.Config.Policy.Roles["deployers"] = r
			},
			want: []want{
				{"slack members", Warning, "U0GUS (gus) is a guest here", "correct it in policy.roles"},
				{"slack members", Warning, "U0GONE is nobody in this workspace", "Copy member ID"},
			},
		},
		"Slack that wants patience": {
			spoil: func(c *clinic) { c.Workspace.RateLimitNext("apps.connections.open", 30, 1) },
			want:  []want{{socket, Warning, "Slack wants to be left alone for 30s", "try again then"}},
		},
		"Slack that has trouble": {
			spoil: func(c *clinic) { c.Workspace.FailNext("apps.connections.open", "internal_error", 1) },
			want:  []want{{socket, Broken, "Slack answers internal_error", "slack-status.com"}},
		},
		"Slack that is out of reach": {
			spoil: func(c *clinic) { c.Config.Slack.APIURL = "http://127.0.0.1:9/api/" },
			want: []want{
				{token, Broken, "Slack cannot be reached: dial tcp 127.0.0.1:9", "HTTPS_PROXY"},
				{socket, Broken, "Slack cannot be reached", "HTTPS_PROXY"},
				{"slack ops channel", Broken, "Slack cannot be reached", "HTTPS_PROXY"},
			},
		},
		"an address without its slash": {
			spoil: func(c *clinic) { c.Config.Slack.APIURL = c.Workspace.URL() + "/api" },
			want:  []want{{token, Broken, "does not end with a slash", "https://slack.com/api/"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.play(t)
		})
	}
}

func TestExamine_comparesTheClockWithSlacks(t *testing.T) {
	t.Parallel()
	c := open(t, nil, nil)
	c.Config.NATS.Servers = nil
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
		w.Write([]byte(`{"ok":false,"error":"invalid_auth"}`))
	}))
	t.Cleanup(srv.Close)
	c.Config.Slack.APIURL = srv.URL + "/"
	r := c.examine()
	if !r.has("clock", Broken, "ahead of Slack's: nodes refuse what they take for old", "NTP") {
		t.Errorf("the report:\n%s", r)
	}
}
