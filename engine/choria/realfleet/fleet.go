package realfleet

import (
	"context"
	"fmt"
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
}

// Options describe a fleet. The zero value is [Six] servers.
type Options struct {
	Nodes    []Node // default Six()
	Identity string // of the client; default playbot.mcollective. It must end in .mcollective or .choria
}

// Call is one request that an appmgr agent was given.
type Call struct {
	Node, Action, Caller, RequestID string
}

// Fleet is a running network. Safe for concurrent use.
type Fleet struct {
	URL           string // of the broker, tls://127.0.0.1:port
	Identity      string // of the client
	CA, Cert, Key string // paths of the PEM files of the client
	nodes         []Node
	certs         *fleetsim.Certs

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
// Every server has the agents discovery and rpcutil, which are Choria's own, and appmgr, which keeps
// a revision. A failure ends the test.
func Start(tb testing.TB, o Options) *Fleet {
	tb.Helper()
	if o.Nodes == nil {
		o.Nodes = Six()
	}
	if o.Identity == "" {
		o.Identity = "playbot.mcollective"
	}
	dir := tb.TempDir()
	certs, err := fleetsim.NewCerts(dir, o.Identity)
	if err != nil {
		tb.Fatalf("make certificates: %v", err)
	}
	f := &Fleet{
		Identity: o.Identity, CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey,
		nodes: o.Nodes, certs: certs, revisions: make(map[string]string),
	}
	site := &site{dir: dir, certs: certs, log: newLog(tb)}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	addr, stop, err := site.startBroker(ctx)
	if err != nil {
		tb.Fatalf("start the broker: %v", err)
	}
	tb.Cleanup(stop) // after the servers, which say good-bye to it
	f.URL = "tls://" + addr
	for _, n := range o.Nodes {
		stop, err := site.startServer(ctx, addr, n, f)
		if err != nil {
			tb.Fatalf("start server %s: %v", n.Name, err)
		}
		tb.Cleanup(stop)
	}
	return f
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
	return choria.Options{Servers: []string{f.URL}, Identity: f.Identity, CA: f.CA, Cert: f.Cert, Key: f.Key}
}

// Issue makes one more certificate of the fleet's authority and returns the paths of its PEM files.
func (f *Fleet) Issue(name string) (cert, key string, err error) { return f.certs.Issue(name) }

// Calls returns what the appmgr agents of all servers were asked so far.
func (f *Fleet) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Revision is what appmgr runs on a server; 1.0.0 before an upgrade.
func (f *Fleet) Revision(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.revisions[node]; r != "" {
		return r
	}
	return "1.0.0"
}
