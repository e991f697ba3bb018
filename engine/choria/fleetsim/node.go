package fleetsim

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
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

func newNodeState(n Node) *nodeState {
	if n.Agents == nil {
		n.Agents = Agents()
	}
	now := time.Now()
	return &nodeState{
		Node: n, revision: firstRevision, drained: map[string]bool{}, runUntil: now.Add(n.Running), lastRun: now,
		services: map[string]string{"httpd": "running", "puppet": "running"},
		packages: map[string]string{"app": firstRevision, "openssl": "3.0.14"},
	}
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

// matches evaluates a filter as a server does: every list must hold, and any of the identities.
func (n *nodeState) matches(f wire.Filter) bool {
	for _, a := range f.Agent {
		if !n.hasAgent(a) {
			return false
		}
	}
	for _, c := range f.Class {
		if !slices.ContainsFunc(n.Classes, func(have string) bool { return sameFold(c, have) }) {
			return false
		}
	}
	for _, fact := range f.Fact {
		if !compare(n.fact(fact.Fact), fact.Operator, fact.Value) {
			return false
		}
	}
	return len(f.Identity) == 0 || slices.ContainsFunc(f.Identity, func(want string) bool { return same(want, n.Name) })
}

// discovery is the agent that answers discoveries; every server has it.
const discovery = "discovery"

// hasAgent also matches a pattern.
func (n *nodeState) hasAgent(want string) bool {
	if _, ok := n.Agents[want]; ok || want == discovery {
		return true
	}
	_, isPattern := pattern(want, "")
	return isPattern && slices.ContainsFunc(slices.Collect(maps.Keys(n.Agents)), func(have string) bool { return same(want, have) })
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

// same compares a word, or matches it when it stands between slashes.
func same(want, have string) bool {
	if re, ok := pattern(want, ""); ok {
		return re.MatchString(have)
	}
	return want == have
}

// sameFold is the same for classes, whose case does not count.
func sameFold(want, have string) bool {
	if re, ok := pattern(want, "(?i)"); ok {
		return re.MatchString(have)
	}
	return strings.EqualFold(want, have)
}

func pattern(s, flags string) (*regexp.Regexp, bool) {
	if len(s) < 2 || s[0] != '/' || s[len(s)-1] != '/' {
		return nil, false
	}
	re, err := regexp.Compile(flags + s[1:len(s)-1])
	return re, err == nil
}

func compare(have any, operator, want string) bool {
	switch have.(type) {
	case nil, map[string]any, []any, []string: // a structure compares with nothing
		return false
	}
	text := fmt.Sprint(have)
	switch operator {
	case "==":
		return strings.EqualFold(text, want)
	case "!=":
		return !strings.EqualFold(text, want)
	case "=~":
		re, err := regexp.Compile("(?i)" + strings.Trim(want, "/"))
		return err == nil && re.MatchString(text)
	}
	c := strings.Compare(strings.ToLower(text), strings.ToLower(want))
	if _, isText := have.(string); !isText { // text compares as text, also when it looks like a number
		a, errA := strconv.ParseFloat(text, 64)
		b, errB := strconv.ParseFloat(want, 64)
		if errA != nil || errB != nil {
			return false
		}
		c = cmp.Compare(a, b)
	}
	switch operator {
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	default:
		return c >= 0
	}
}
