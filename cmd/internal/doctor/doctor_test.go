package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestExamine_findsNothingWrongWithWhatWorks(t *testing.T) {
	t.Parallel()
	for name, certs := range map[string]*fleetsim.Certs{"as of make dev": nil, "with TLS": authority(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, certs, func(o *app.LocalOptions) { o.Playbooks = "" }) // the examples
			r := c.examine()
			r.wants(t)
			for _, w := range []want{
				{"store", OK, "is not there yet", ""},
				{"slack bot token", OK, "@playbot (U0PLAYBOT) in Local workspace (T0PLAYBOT)", ""},
				{"slack ops channel", OK, "#ops (C0OPS)", ""},
				{"slack members", OK, "2 of 2 Slack users", ""},
				{"choria nodes", OK, "lb1.example.net answered rpcutil.ping", ""},
				{"choria clock", OK, "within 2s", ""},
				{"puppetdb", OK, "version 8.8.1: 6 nodes", ""},
			} {
				if !r.has(w.check, w.status, w.what, w.remedy) {
					t.Errorf("the report lacks %+v", w)
				}
			}
			if !r.has("choria nodes", OK, "6 nodes answered", "") && !r.has("choria nodes", Warning, "6 nodes answered", "") {
				t.Error("the report does not count the nodes")
			}
			if certs == nil {
				return
			}
			if !r.has("choria certificate", OK, identity+", valid until", "") || !r.has("choria broker", OK, "TLS 1.3, requests are signed", "") {
				t.Errorf("the report does not speak of TLS:\n%s", r)
			}
		})
	}
}

func TestExamine_changesNothing(t *testing.T) {
	t.Parallel()
	c := open(t, nil, nil)
	before := c.files()
	r := c.examine()
	r.wants(t)
	if after := slices.DeleteFunc(c.files(), func(s string) bool { return strings.HasPrefix(s, "playbot.yaml ") }); !slices.Equal(after, before) {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	for _, call := range c.Workspace.Traffic() {
		if !slices.Contains([]string{"auth.test", "api.test", "apps.connections.open", "conversations.list", "conversations.info", "users.info"}, call.Method) {
			t.Errorf("it called %s", call.Method)
		}
	}
	if n := c.Workspace.Connected(); n != 0 {
		t.Errorf("%d sockets were opened", n)
	}
	for _, call := range c.Fleet.Calls() {
		if call.Agent != "rpcutil" || call.Action != "ping" {
			t.Errorf("%s was asked for %s.%s", call.Node, call.Agent, call.Action)
		}
	}
	if n := c.Fleet.Count("", "rpcutil.ping"); n != 1 {
		t.Errorf("%d pings were sent, want 1", n)
	}
}

// files lists the files of an installation with their modes and sizes.
func (c *clinic) files() []string {
	c.t.Helper()
	var out []string
	err := filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			out = append(out, strings.TrimPrefix(path, c.dir+"/")+" "+info.Mode().String()+" "+info.ModTime().String())
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

func TestExamine_saysWhenABotHoldsTheStore(t *testing.T) {
	t.Parallel()
	c := open(t, nil, nil)
	c.Config.NATS.Servers = nil
	a, err := app.New(t.Context(), app.Options{Config: c.Config, Slack: true})
	if err != nil {
		t.Fatal(err)
	}
	r := c.examine()
	r.wants(t)
	if !r.has("store", OK, "is in use by pid ", "") {
		t.Errorf("the report does not name the holder:\n%s", r)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if r := c.examine(); !r.has("store", OK, "is sound: 0 runs, 0 events", "") || !r.has("secrets", OK, "3, which", "") {
		t.Errorf("after the bot has stopped:\n%s", r)
	}
}

func TestExamine_saysWhatCannotBeReadAndStopsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "playbot.yaml")
	for text, w := range map[string]want{
		"":                {"configuration", Broken, "no such file or directory", "name it with --config FILE"},
		"data_dirs: data": {"configuration", Broken, "unknown key data_dirs", "docs/guide/operate.md"},
		"data_dir: [":     {"configuration", Broken, "line 1", "docs/guide/operate.md"},
	} {
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := Examine(t.Context(), Options{Config: path, Limit: patient})
		if text == "" {
			r = Examine(t.Context(), Options{Config: path + ".none", Limit: patient})
		}
		if r.wants(t, w); len(r) != 1 {
			t.Errorf("%q: %d findings", text, len(r))
		}
	}
}

func TestExamine_saysEverythingThatAConfigurationLacks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "playbot.yaml")
	if err := os.WriteFile(path, []byte("nats: {servers: [\"tls://127.0.0.1:9\"]}\npuppetdb: {url: \"ftp://db\"}\npolicy: {roles: {a: {may: [fly]}}}\n"), 0o606); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o606); err != nil {
		t.Fatal(err)
	}
	r := Examine(t.Context(), Options{Config: path, Limit: patient})
	r.wants(t,
		want{"configuration", Broken, "data_dir is missing", "docs/guide/operate.md"},
		want{"configuration", Broken, "nothing says who playbot is", "docs/guide/operate.md"},
		want{"configuration", Broken, `unknown verb "fly"`, "known: view, plan, run"},
		want{"configuration", Broken, `"ftp://db" is no address`, "write it as https://HOST:PORT"},
		want{"configuration", Broken, "can be written by everybody", "chmod o-w " + path},
		want{"choria broker", Broken, "nothing listens there", "start the broker"},
		want{"puppetdb", Broken, "is not an address", "write it as"},
		want{"slack bot token", Warning, "Slack is not configured", "docs/guide/slack.md"},
	)
	if !r.has("policy", Skipped, "see configuration", "") || !r.has("store", Skipped, "no data_dir", "") {
		t.Errorf("what cannot be looked at is not said:\n%s", r)
	}
}

// A check that hangs in the operating system must neither hold the others up nor the report back.
func TestRun_leavesBehindWhatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		begin := time.Now()
		r := examine(t.Context(), []check{
			{"disk", func(context.Context, *notes) { <-release }},
			{"clock", func(ctx context.Context, n *notes) { <-ctx.Done(); n.warn("wait", "%v", context.Cause(ctx)) }},
			{"quick", func(_ context.Context, n *notes) { n.ok("fine") }},
		}, time.Minute)
		if took := time.Since(begin); took != time.Minute+overtime {
			t.Errorf("it took %v", took)
		}
		if len(r) != 3 || !r.has("disk", Broken, "no end to it within 1m0s", "answers") || !r.has("clock", Warning, "deadline", "wait") || !r.has("quick", OK, "fine", "") {
			t.Errorf("the report:\n%s", r)
		}
		close(release)
	})
}

func TestRun_endsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("Ctrl-C")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		r := examine(ctx, []check{{"slow", func(ctx context.Context, n *notes) { <-ctx.Done(); n.problem(context.Cause(ctx), "again") }}}, time.Hour)
		if !r.has("slow", Broken, "Ctrl-C", "again") {
			t.Errorf("the report:\n%s", r)
		}
	})
}

func TestProblem_makesARemedyOfWhatOurErrorsEndWith(t *testing.T) {
	t.Parallel()
	n := &notes{check: "x"}
	n.problem(errors.New("the store is damaged; it; move it\naway"), "other")
	n.problem(errors.New("strange"), "other")
	want := []Finding{{"x", Broken, "the store is damaged; it", "move it away"}, {"x", Broken, "strange", "other"}}
	if !slices.Equal(n.list, want) {
		t.Errorf("got %+v", n.list)
	}
}
