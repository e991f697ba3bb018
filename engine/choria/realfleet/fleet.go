package realfleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// Node describes one server.
type Node struct {
	Name    string
	Facts   map[string]any
	Classes []string // in lower case: Choria compares them with a word in lower case
	// Agents are external agents and their versions; an empty version is that of the description. nil
	// means that the server has an appmgr of its own, in this process.
	Agents map[string]string
	// Registry is a libdir whose DDLs the server hands out, as Choria's service choria_registry; empty: it does not.
	Registry string
	Down     bool // the server is not there
}

// Options describe a fleet. The zero value is [Six] servers with certificates.
type Options struct {
	Mode  Mode   // default File
	Nodes []Node // default Six()
	Kit   Kit    // of the external agents, for nodes that have any
	// Identity is that of the client; default playbot.mcollective, or playbot.privileged.mcollective. It
	// must end in .mcollective or .choria.
	Identity string
	// Privileged clients may name other callers than themselves: by the name in their certificate, or by
	// a permission in their token. Insecure servers believe everybody.
	Privileged bool
}

func (o Options) withDefaults() Options {
	if o.Mode == "" {
		o.Mode = File
	}
	if o.Nodes == nil {
		o.Nodes = Six()
	}
	if o.Identity == "" {
		o.Identity = "playbot.mcollective"
		if o.Privileged {
			o.Identity = "playbot.privileged.mcollective"
		}
	}
	return o
}

// Call is one request that an appmgr agent in this process was given.
type Call struct {
	Node, Action, Caller, RequestID string
}

// Fleet is a running network. Safe for concurrent use.
type Fleet struct {
	URL      string // of the broker, tls://127.0.0.1:port
	Identity string // of the client
	nodes    []Node
	site     *site
	faults   string // the fault file of all external agents

	mu        sync.Mutex // guards what follows
	calls     []Call
	revisions map[string]string
}

// startTimeout bounds the start of the broker and of all servers.
const startTimeout = 30 * time.Second

// Six is a small web fleet: a load balancer and a web server in each of three countries. The web
// servers are of the tiers alfa, bravo and alfa.
func Six() []Node {
	var nodes []Node
	for i, country := range []string{"de", "mt", "uk"} {
		nodes = append(nodes,
			Node{
				Name:    fmt.Sprintf("lb%d.example.net", i+1),
				Facts:   map[string]any{"country": country, "tier": "edge", "processorcount": 2},
				Classes: []string{"roles::haproxy"},
			},
			Node{
				Name:    fmt.Sprintf("web%d.example.net", i+1),
				Facts:   map[string]any{"country": country, "tier": []string{"alfa", "bravo"}[i%2], "processorcount": 8, "virtual": true, "os": map[string]any{"family": "Debian", "release": "12"}},
				Classes: []string{"roles::webserver", "profiles::base"},
			})
	}
	return nodes
}

// Start starts a broker and servers that answer when it returns, and stops them when the test ends.
// Every server has the agents discovery and rpcutil, which are Choria's own. A failure ends the test.
func Start(tb testing.TB, o Options) *Fleet {
	tb.Helper()
	o = o.withDefaults()
	if err := o.Mode.allowed(); err != nil {
		tb.Fatalf("start a fleet: %v", err)
	}
	dir := tb.TempDir()
	sec, err := newSecurity(o.Mode, dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	return start(ctx, tb, o, dir, sec)
}

// start starts a fleet in a folder, with a security that it may share with others.
func start(ctx context.Context, tb testing.TB, o Options, dir string, sec security) *Fleet {
	tb.Helper()
	f := &Fleet{
		Identity: o.Identity, nodes: o.Nodes, faults: filepath.Join(dir, "faults.json"), revisions: make(map[string]string),
		site: &site{dir: dir, mode: o.Mode, security: sec, kit: o.Kit, log: newLog(tb)},
	}
	url, stop, err := f.site.startBroker(ctx)
	if err != nil {
		tb.Fatalf("start the broker: %v", err)
	}
	tb.Cleanup(stop) // after the servers, which say good-bye to it
	f.URL = url
	f.startServers(ctx, tb)
	return f
}

// startServers starts all servers side by side.
func (f *Fleet) startServers(ctx context.Context, tb testing.TB) {
	tb.Helper()
	type started struct {
		stop func()
		err  error
	}
	all := make([]started, len(f.nodes))
	var wg sync.WaitGroup
	for i, n := range f.nodes {
		if all[i].err = os.Mkdir(f.site.folder(n.Name), 0o700); all[i].err == nil && !n.Down {
			wg.Go(func() { all[i].stop, all[i].err = f.site.startServer(ctx, f.URL, n, f) })
		}
	}
	wg.Wait()
	tb.Cleanup(func() {
		var wg sync.WaitGroup
		for _, s := range all {
			if s.stop != nil {
				wg.Go(s.stop)
			}
		}
		wg.Wait()
	})
	for i, s := range all {
		if s.err != nil {
			tb.Fatalf("start server %s: %v", f.nodes[i].Name, s.err)
		}
	}
}

// Names returns the names of the servers, sorted.
func (f *Fleet) Names() []string {
	names := make([]string, 0, len(f.nodes))
	for _, n := range f.nodes {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return names
}

// Options is how our client reaches the fleet.
func (f *Fleet) Options() choria.Options {
	o := f.site.security.client()
	o.Servers = []string{f.URL}
	return o
}

// Issue makes one more certificate of the authority of a fleet in mode [File], and returns the paths
// of its PEM files.
func (f *Fleet) Issue(name string) (cert, key string, err error) {
	a, ok := f.site.security.(*authority)
	if !ok {
		return "", "", fmt.Errorf("a fleet in mode %s has no authority", f.site.mode)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.certs.Issue(name)
}

// Token has the issuer of a fleet in mode [JWT] make one more client's token, and returns the paths of
// the token and of its seed.
func (f *Fleet) Token(caller string, may fleetsim.May) (token, seed string, err error) {
	i, ok := f.site.security.(*issuer)
	if !ok {
		return "", "", fmt.Errorf("a fleet in mode %s has no issuer", f.site.mode)
	}
	return i.clientToken(caller, may)
}

// Calls returns what the appmgr agents in this process were asked so far.
func (f *Fleet) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Revision is what the appmgr in this process runs for a server; 1.0.0 before an upgrade.
func (f *Fleet) Revision(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.revisions[node]; r != "" {
		return r
	}
	return "1.0.0"
}
