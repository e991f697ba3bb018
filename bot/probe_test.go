package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/bot/workspace"
)

// probed is a workspace that listens, and a probe of it.
func probed(t *testing.T, change func(*workspace.Options), tokens ...string) (*workspace.Server, *Probe) {
	t.Helper()
	o := testWorkspace()
	o.Strict = false
	o.BotToken, o.AppToken = "xoxb-1", "xapp-1"
	o.Channels = append(o.Channels,
		workspace.Channel{ID: "C4", Name: "secret", Private: true, Members: []string{"UBOT"}},
		workspace.Channel{ID: "C5", Name: "hidden", Private: true, Members: []string{"UANA"}},
		workspace.Channel{ID: "C6", Name: "old", Archived: true, Members: []string{"UBOT"}},
	)
	o.Users = append(o.Users, workspace.User{ID: "UZOE", Name: "zoe", Deleted: true})
	if change != nil {
		change(&o)
	}
	w := workspace.New(o)
	t.Cleanup(w.Stop)
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(srv.Close)
	p := ProbeOptions{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: srv.URL + "/api/", HTTP: srv.Client()}
	if len(tokens) == 2 {
		p.BotToken, p.AppToken = tokens[0], tokens[1]
	}
	return w, NewProbe(p)
}

func TestProbe_tellsWhoseTheTokensAre(t *testing.T) {
	t.Parallel()
	w, p := probed(t, func(o *workspace.Options) { o.Scopes = []string{"chat:write", "commands"} })
	got, err := p.Installation(t.Context())
	if err != nil || got.Team != "Test" || got.TeamID != "T1" || got.User != "playbot" || got.UserID != "UBOT" {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := []string{"chat:write", "commands"}; !slices.Equal(got.Scopes, want) {
		t.Errorf("scopes %q, want %q", got.Scopes, want)
	}
	if url, err := p.Socket(t.Context()); err != nil || !strings.HasPrefix(url, "ws") {
		t.Errorf("socket %q, %v", url, err)
	}
	if n := w.Connected(); n != 0 {
		t.Errorf("the probe opened %d sockets", n)
	}
}

func TestProbe_saysWhyATokenIsRefused(t *testing.T) {
	t.Parallel()
	_, p := probed(t, nil, "xoxb-other", "xoxb-1")
	_, err := p.Installation(t.Context())
	if e, ok := errors.AsType[*ProbeError](err); !ok || e.Code != "invalid_auth" || !e.Refused() {
		t.Errorf("bot token: %v", err)
	}
	_, err = p.Socket(t.Context())
	if e, ok := errors.AsType[*ProbeError](err); !ok || e.Code != "not_allowed_token_type" || !e.Refused() {
		t.Errorf("app token: %v", err)
	}
	w, q := probed(t, nil)
	w.RateLimitNext("auth.test", 7, 1)
	_, err = q.Installation(t.Context())
	if e, ok := errors.AsType[*ProbeError](err); !ok || e.Code != "" || e.Refused() || e.Wait.Seconds() != 7 {
		t.Errorf("rate limited: %+v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = q.Installation(ctx)
	if e, ok := errors.AsType[*ProbeError](err); !ok || e.Code != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestProbe_findsChannels(t *testing.T) {
	t.Parallel()
	_, p := probed(t, nil)
	for key, want := range map[string]string{
		"#ops": "C2 joined", "ops": "C2 joined", "C2": "C2 joined", "#random": "C3", "C3": "C3",
		"#secret": "C4 joined private", "C4": "C4 joined private", "#hidden": "none", "C5": "none",
		"#nosuch": "none", "C9": "none", "#old": "C6 joined archived",
	} {
		ch, err := p.Channel(t.Context(), key)
		got := "none"
		if ch != nil {
			got = ch.ID
			if ch.Member {
				got += " joined"
			}
			if ch.Private {
				got += " private"
			}
			if ch.Archived {
				got += " archived"
			}
		}
		if err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", key, got, err, want)
		}
	}
}

func TestProbe_saysWhichScopeWouldShowAChannel(t *testing.T) {
	t.Parallel()
	_, p := probed(t, func(o *workspace.Options) { o.Scopes = []string{"commands", "channels:read"} })
	if ch, err := p.Channel(t.Context(), "#ops"); err != nil || ch == nil {
		t.Errorf("a public channel: %+v, %v", ch, err)
	}
	for _, key := range []string{"#secret", "C4"} {
		_, err := p.Channel(t.Context(), key)
		if e, ok := errors.AsType[*ProbeError](err); !ok || e.Code != "missing_scope" || e.Needed != "groups:read" {
			t.Errorf("%s: %+v, want the scope groups:read", key, err)
		}
	}
}

func TestProbe_tellsWhoseWordCounts(t *testing.T) {
	t.Parallel()
	_, p := probed(t, nil)
	for id, want := range map[string]string{
		"UANA": "ana", "UGUS": "gus is a guest here", "UZOE": "zoe has left this workspace", "UBOT": "playbot is a bot", "UNOBODY": "is nobody in this workspace",
	} {
		name, why, err := p.Person(t.Context(), "T1", id)
		if got := strings.TrimSpace(name + " " + why); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", id, got, err, want)
		}
	}
}

func TestProbe_givesUpOnNamesAmongTooMany(t *testing.T) {
	t.Parallel()
	_, p := probed(t, func(o *workspace.Options) {
		for i := range maxPages * pageSize {
			o.Channels = append(o.Channels, workspace.Channel{ID: fmt.Sprintf("CX%d", i), Name: fmt.Sprintf("x%d", i)})
		}
	})
	if ch, err := p.Channel(t.Context(), "#x8000"); err != nil || ch == nil || ch.ID != "CX8000" {
		t.Errorf("a channel among the last: %+v, %v", ch, err)
	}
	if ch, err := p.Channel(t.Context(), "#nosuch"); !errors.Is(err, ErrManyChannels) || ch != nil {
		t.Errorf("a channel that is not among so many: %+v, %v", ch, err)
	}
	if ch, err := p.Channel(t.Context(), "CNOSUCH"); err != nil || ch != nil {
		t.Errorf("an id is looked up as such: %+v, %v", ch, err)
	}
}
