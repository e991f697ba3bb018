package realfleettest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

// suffix is the domain of all nodes.
const suffix = ".example.net"

// story is one run of web_upgrade, which moves tier bravo to revision abc, and how it ends.
type story struct {
	name    string
	change  func([]realfleet.Node)             // what the nodes are like
	prepare func(testing.TB, *realfleet.Fleet) // what is broken
	run     string                             // its transcript
	upgrade string                             // what came of the nodes in task 4; "" when it was not reached
	nodes   map[string]node                    // what became of each
	posted  string                             // the last words to the ops room
	hooked  string                             // the outcome that the webhook was told; "" for none
}

// node is the truth about a node at the end of a run.
type node struct {
	state string // see [stateOf]
	asked string // actions in the order of its audit log, see [askedOf]
}

// What nodes are like.
const (
	first    = "puppet on, runs 1.0.0"
	upgraded = "puppet on, runs abc, upgraded once"
	stopped  = "puppet off (web_upgrade: moving to abc), runs 1.0.0"
	stuck    = "puppet off (web_upgrade: moving to abc), runs abc, upgraded once"
	drained  = "puppet on, runs 1.0.0, drained web/web2 web/web3 web/web4"
)

// What nodes are asked.
const (
	looked    = "rpcutil.ping rpcutil.agent_inventory"
	begun     = looked + " puppet.disable puppet.status appmgr.upgrade"
	collected = " rpcutil.agent_inventory appmgr.status nrpe.runallcommands" // by deploy_failure_handler
)

// failedAtUpgrade is how the story goes on after the fourth task has failed. It holds for one node that
// failed and for one that said nothing: the tier stays out of the balancers for a person to decide.
func failedAtUpgrade(s story, sum string) story {
	s.run = `pre_book.1 ok
tasks.1 ok
tasks.2 ok
tasks.3 ok
tasks.4 failed
on_fail.1 ok
on_fail.2 ok
on_fail.3 ok
always.1 skipped
always.2 ok
failed: "4 Upgrade the application to abc" failed: ` + sum
	s.nodes = map[string]node{
		"lb1": {drained, looked + " haproxy.disable"}, "lb2": {drained, looked + " haproxy.disable"}, "web1": {first, ""},
		"web2": {stuck, begun + collected}, "web3": {stopped, begun + collected}, "web4": {stuck, begun + collected},
	}
	s.posted = "#ops: Tier bravo failed at 4 Upgrade the application to abc: " + sum
	s.hooked = "failure"
	return s
}

// refused is how the story ends when it does not begin: nobody was asked to change anything.
func refused(s story, why, asked string) story {
	s.run = "failed: " + why
	s.nodes = map[string]node{"web1": {first, ""}}
	for _, name := range []string{"lb1", "lb2", "web2", "web3", "web4"} {
		s.nodes[name] = node{first, asked}
	}
	return s
}

func stories() []story {
	outOfReach := refused(story{
		name:   "one node is out of reach",
		change: func(nodes []realfleet.Node) { of(nodes, "web3").Down = true },
	}, "connectivity test: 1 of 5 nodes did not answer: web3", "rpcutil.ping")
	outOfReach.nodes["web3"] = node{first, ""}
	return []story{
		success(),
		failedAtUpgrade(story{
			name: "one node fails",
			prepare: func(tb testing.TB, f *realfleet.Fleet) {
				tb.Helper()
				f.Fault(tb, webagents.Fault{Node: "web3" + suffix, Action: "appmgr.upgrade", Kind: webagents.Fail, Message: "no space left on device"})
			},
			upgrade: "ok web2 web4, failed web3, silent ",
		}, `2 of 3 ok; 1 failed: web3 said "no space left on device"`),
		failedAtUpgrade(story{
			name: "one node is silent",
			prepare: func(tb testing.TB, f *realfleet.Fleet) {
				tb.Helper()
				f.Fault(tb, webagents.Fault{Node: "web3" + suffix, Action: "appmgr.upgrade", Kind: webagents.Silent})
			},
			upgrade: "ok web2 web4, failed , silent web3",
		}, "2 of 3 ok; 1 did not answer: web3"),
		refused(story{
			name:   "one agent is too old",
			change: func(nodes []realfleet.Node) { of(nodes, "web3").Agents["appmgr"] = "1.9.0" },
		}, "agents do not match `uses`: web3 has agent appmgr 1.9.0, wanted ^2.1.0", looked),
		outOfReach,
	}
}

// success has a node on which a catalog is being applied at first, and whose load takes a while to fall.
func success() story {
	web := node{upgraded, begun[:len(begun)-len(" appmgr.upgrade")] + "×3 appmgr.upgrade nrpe.runcommand×3 appmgr.status puppet.enable"}
	lb := node{first, looked + " haproxy.disable haproxy.enable"}
	return story{
		name: "all nodes are well",
		prepare: func(tb testing.TB, f *realfleet.Fleet) {
			tb.Helper()
			f.Update(tb, "web3"+suffix, func(s *webagents.State) { s.PuppetBusy, s.RedChecks = 2, 2 })
		},
		run: `pre_book.1 ok
tasks.1 ok
tasks.2 ok x3
tasks.3 ok
tasks.4 ok
tasks.5 ok x3
tasks.6 ok
tasks.7 ok
tasks.8 ok
tasks.9 ok
on_success.1 ok
on_success.2 ok
always.1 skipped
always.2 skipped
success: 9 of 9 tasks done`,
		upgrade: "ok web2 web3 web4, failed , silent ",
		nodes:   map[string]node{"lb1": lb, "lb2": lb, "web1": {first, ""}, "web2": web, "web3": web, "web4": web},
		posted:  "#ops: Tier bravo runs abc, took ",
		hooked:  "success",
	}
}

// fleet is two balancers, one web server of tier alfa and three of tier bravo, all with external agents.
func fleet() []realfleet.Node {
	var nodes []realfleet.Node
	for i := 1; i <= 2; i++ {
		nodes = append(nodes, realfleet.Node{
			Name: fmt.Sprintf("lb%d%s", i, suffix), Classes: []string{"roles::haproxy"}, Facts: map[string]any{"role": "haproxy"},
			Agents: map[string]string{"haproxy": "", "puppet": ""},
		})
	}
	for i, tier := range []string{"alfa", "bravo", "bravo", "bravo"} {
		nodes = append(nodes, realfleet.Node{
			Name: fmt.Sprintf("web%d%s", i+1, suffix), Classes: []string{"roles::webserver"}, Facts: map[string]any{"role": "webserver", "tier": tier},
			Agents: map[string]string{"puppet": "", "appmgr": "", "nrpe": ""},
		})
	}
	return nodes
}

// of returns the node with that name.
func of(nodes []realfleet.Node, name string) *realfleet.Node {
	i := slices.IndexFunc(nodes, func(n realfleet.Node) bool { return n.Name == name+suffix })
	return &nodes[i]
}
