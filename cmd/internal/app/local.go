package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/playbooks"
)

// LocalOptions describe a world without accounts.
type LocalOptions struct {
	Dir       string          // for the store, the settings and the playbooks; must exist
	Playbooks string          // a folder of one's own; empty: the examples
	Page      string          // address of the page, on loopback; default any port
	Nodes     []fleetsim.Node // nil: two load balancers, and six web servers in each tier
	RedChecks int             // how often check_load is red after an upgrade before it is green; -1 is for ever
	Settings  map[string]any  // what the settings store holds instead of, or beside, its defaults
	Strict    bool            // Slack's rate limits
	Scopes    []string        // granted to the bot; nil: those of the manifest
	Certs     *fleetsim.Certs // of a network with TLS and signed requests; nil: neither
	Identity  string          // the name in the client's certificate
	Logger    *slog.Logger
}

// Local is a workspace, a fleet, a PuppetDB and a listener for webhooks on this machine: everything
// that playbot talks to, so that it can be tried and tested whole.
type Local struct {
	Workspace *workspace.Server
	Fleet     *fleetsim.Fleet
	PuppetDB  *pdbsim.Server
	Hooks     *Hooks
	Config    Config // for a playbot that lives in this world

	ends cleanup
}

// StartLocal starts such a world.
func StartLocal(ctx context.Context, o LocalOptions) (*Local, error) {
	if o.Nodes == nil {
		o.Nodes = fleetsim.WebFleet(6, 2*time.Second)
	}
	if o.Page == "" {
		o.Page = "127.0.0.1:0"
	}
	if o.Scopes == nil {
		o.Scopes = bot.ScopeNames(false)
	}
	if o.Identity == "" {
		o.Identity = "deploy.bot"
	}
	l := &Local{Hooks: &Hooks{}}
	if err := l.start(ctx, o); err != nil {
		return nil, errors.Join(err, l.Stop(ctx))
	}
	return l, nil
}

func (l *Local) start(ctx context.Context, o LocalOptions) error {
	l.Workspace = workspace.New(workspace.Options{
		Scopes: o.Scopes, Strict: o.Strict, Logger: o.Logger, Hint: "/playbook run web_upgrade tier=bravo rev=abc",
		Shortcuts: shortcuts(),
	})
	if err := l.Workspace.Listen(ctx, o.Page); err != nil {
		return err
	}
	l.ends.add("workspace", func(context.Context) error { l.Workspace.Stop(); return nil })
	var err error
	l.Fleet, err = fleetsim.Start(ctx, fleetsim.Options{Nodes: o.Nodes, RedChecks: o.RedChecks, Listen: true, Certs: o.Certs, Logger: o.Logger})
	if err != nil {
		return err
	}
	l.ends.add("fleet", func(context.Context) error { l.Fleet.Stop(); return nil })
	l.PuppetDB = pdbsim.New(known(o.Nodes))
	db, err := l.serve(ctx, "puppetdb", l.PuppetDB)
	if err != nil {
		return err
	}
	hooks, err := l.serve(ctx, "webhooks", l.Hooks)
	if err != nil {
		return err
	}
	return l.configure(o, db, hooks)
}

// shortcuts are those that the manifest of the app offers.
func shortcuts() []workspace.Shortcut {
	var out []workspace.Shortcut
	for _, s := range bot.Shortcuts() {
		out = append(out, workspace.Shortcut{Name: s.Name, Type: s.Type, CallbackID: s.CallbackID, Description: s.Description})
	}
	return out
}

// known is what PuppetDB knows of the fleet.
func known(nodes []fleetsim.Node) []pdbsim.Node {
	out := make([]pdbsim.Node, len(nodes))
	for i, n := range nodes {
		agents := n.Agents
		if agents == nil {
			agents = fleetsim.Agents()
		}
		out[i] = pdbsim.Node{
			Certname: n.Name, Facts: n.Facts, Classes: n.Classes, Deactivated: n.Deactivated,
			Agents: slices.Sorted(maps.Keys(agents)), Collectives: []string{"mcollective"},
		}
	}
	return out
}

// serve serves a handler on a port of loopback.
func (l *Local) serve(ctx context.Context, name string, h http.Handler) (string, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // ends with the server
	}()
	l.ends.add(name, func(context.Context) error {
		err := srv.Close()
		<-done
		return err
	})
	return "http://" + ln.Addr().String(), nil
}

// configure writes settings, tokens and playbooks, and the configuration that uses them.
func (l *Local) configure(o LocalOptions, db, hooks string) error {
	l.Config = Config{
		Label: "local", DataDir: filepath.Join(o.Dir, "data"), Playbooks: o.Playbooks,
		Slack: SlackConfig{
			BotToken: SecretRef("file:" + filepath.Join(o.Dir, "bot_token")), AppToken: SecretRef("file:" + filepath.Join(o.Dir, "app_token")),
			APIURL: l.Workspace.APIURL(), OpsChannel: "#ops",
		},
		NATS:     NATSConfig{Servers: []string{l.Fleet.URL()}, Insecure: o.Certs == nil, Identity: o.Identity},
		PuppetDB: PuppetConfig{URL: db},
		Policy:   localPolicy(),
	}
	if o.Certs != nil {
		l.Config.NATS.CA, l.Config.NATS.Cert, l.Config.NATS.Key = o.Certs.CA, o.Certs.ClientCert, o.Certs.ClientKey
	}
	l.Config.resolve(o.Dir)
	settings, err := settingsFile(hooks, o.Settings)
	if err != nil {
		return err
	}
	files := map[string]string{
		"bot_token": l.Workspace.BotToken(), "app_token": l.Workspace.AppToken(),
		"data/settings.yaml": settings,
	}
	if o.Playbooks == "" {
		l.Config.Playbooks = filepath.Join(o.Dir, "playbooks")
		examples, err := playbooks.Examples()
		if err != nil {
			return err
		}
		if err := copyInto(files, examples, "playbooks"); err != nil {
			return err
		}
	}
	for name, text := range files {
		path := filepath.Join(o.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// settingsFile is what the settings store of the examples holds: nobody wants to wait in a demo.
func settingsFile(hooks string, more map[string]any) (string, error) {
	settings := map[string]any{"check_interval": 1, "puppet_interval": 1, "batch_pause": 1, "lambda_url": hooks + "/deploys"}
	maps.Copy(settings, more)
	data, err := yaml.Marshal(settings)
	return string(data), err
}

func copyInto(files map[string]string, from fs.FS, dir string) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, path)
		files[filepath.Join(dir, path)] = string(data)
		return err
	})
}

// localPolicy lets ana deploy and both of them approve, but nobody their own runs.
func localPolicy() PolicyConfig {
	all := []string{"*"}
	return PolicyConfig{Roles: map[string]RoleConfig{
		"deployers": {Members: []string{"U0ANA"}, May: []policy.Verb{policy.Run, policy.Approve, policy.Cancel}, Playbooks: all},
		"approvers": {Members: []string{"U0BEN"}, May: []policy.Verb{policy.Approve, policy.Cancel}, Playbooks: all},
	}}
}

// Stop ends the world.
func (l *Local) Stop(ctx context.Context) error { return l.ends.run(ctx) }

// Hooks takes webhooks and remembers them. Safe for concurrent use.
type Hooks struct {
	mu     sync.Mutex // guards bodies
	bodies []string
}

// maxHook bounds what is kept of one.
const maxHook = 1 << 20

// ServeHTTP implements http.Handler.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	h.bodies = append(h.bodies, string(body))
	h.mu.Unlock()
}

// Bodies returns what came, in order.
func (h *Hooks) Bodies() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.bodies...)
}
