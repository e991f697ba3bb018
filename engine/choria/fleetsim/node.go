package fleetsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/choria/filter"
)

// State is what happened to a node so far.
type State struct {
	Name           string
	Revision       string // that appmgr runs
	PuppetEnabled  bool
	PuppetMessage  string            // why puppet is disabled
	PuppetRunning  bool              // a run is under way
	Drained        []string          // backend/server that this load balancer keeps out
	Services       map[string]string // name -> running or stopped
	Packages       map[string]string // name -> version
	ChecksSinceUpg int               // how often check_load was asked since the upgrade
}

type nodeState struct {
	Node
	server       filter.Server
	revision     string
	upgraded     bool
	checks       int
	puppetOff    bool
	puppetReason string
	runUntil     time.Time
	lastRun      time.Time
	drained      map[string]bool
	services     map[string]string
	packages     map[string]string

	tokenOnce sync.Once // guards what follows
	token     *serverToken
	tokenErr  error
}

// firstRevision is what every node runs before an upgrade.
const firstRevision = "1.0.0"

func newNodeState(n Node) (*nodeState, error) {
	if n.Agents == nil {
		n.Agents = Agents()
	}
	server, err := described(n)
	if err != nil {
		return nil, fmt.Errorf("the facts of %s: %w", n.Name, err)
	}
	now := time.Now()
	return &nodeState{
		Node: n, server: server, revision: firstRevision, drained: map[string]bool{}, runUntil: now.Add(n.Running), lastRun: now,
		services: map[string]string{"httpd": "running", "puppet": "running"},
		packages: map[string]string{"app": firstRevision, "openssl": "3.0.14"},
	}, nil
}

func (n *nodeState) state() State {
	return State{
		Name: n.Name, Revision: n.revision, PuppetEnabled: !n.puppetOff, PuppetMessage: n.puppetReason,
		PuppetRunning: n.running(), Drained: slices.Sorted(maps.Keys(n.drained)),
		Services: maps.Clone(n.services), Packages: maps.Clone(n.packages), ChecksSinceUpg: n.checks,
	}
}

func (n *nodeState) running() bool { return time.Now().Before(n.runUntil) }

// Node returns what happened to a node; the zero State when there is none of that name.
func (f *Fleet) Node(name string) State {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.nodes[name]; n != nil {
		return n.state()
	}
	return State{}
}

// Nodes returns the description of every node, in the order of the options: what a PuppetDB would know.
func (f *Fleet) Nodes() []Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Node, 0, len(f.order))
	for _, name := range f.order {
		out = append(out, f.nodes[name].Node)
	}
	return out
}

// discovery is the agent that answers discoveries; every server has it.
const discovery = "discovery"

// described is what a filter looks at.
func described(n Node) (filter.Server, error) {
	facts, err := filter.Raw(n.Facts)
	return filter.Server{Identity: n.Name, Agents: append(slices.Sorted(maps.Keys(n.Agents)), discovery), Classes: n.Classes, Facts: facts}, err
}

// fact finds a fact by its dotted path.
func (n *nodeState) fact(path string) any {
	var v any = n.Facts
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}
