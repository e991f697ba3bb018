package choria_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// federated is a client that reaches two fleets through a federation.
type federated struct {
	*testing.T
	one, two   *fleetsim.Fleet
	federation *fleetsim.Federation
	client     *choria.Client
}

// federate runs a test in virtual time, with each version of the protocol.
func federate(t *testing.T, one, two []fleetsim.Node, test func(federated)) {
	t.Helper()
	for name, tokens := range map[string]bool{"version 1": false, "version 2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := choria.Options{Insecure: true}
				var vouching *fleetsim.Tokens
				if tokens {
					vouching = issuer(t)
					o = choria.Options{Issuers: vouching.Issuers()}
					o.Token, o.Seed = tokenFor(t, vouching, fleetsim.May{Ask: true})
				}
				f := federated{T: t}
				f.one = start(t, fleetsim.Options{Nodes: one, Tokens: vouching, Registry: map[string]string{}})
				f.two = start(t, fleetsim.Options{Nodes: two, Tokens: vouching})
				var err error
				f.federation, err = fleetsim.StartFederation(t.Context(), map[string]*fleetsim.Fleet{"north": f.one, "south": f.two})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(f.federation.Stop)
				o.InProcess, o.Federation = f.federation, []string{"north", "south"}
				f.client = connect(t, o)
				test(f)
			})
		})
	}
}

func (f federated) all() []string {
	all := append(names(f.one), names(f.two)...)
	slices.Sort(all)
	return all
}

func (f federated) count(node string) int {
	return f.one.Count(node, "puppet.disable") + f.two.Count(node, "puppet.disable")
}

// numbered makes nodes whose names begin with a word.
func numbered(word string, n int) []fleetsim.Node {
	nodes := fleetsim.Plain(n)
	for i := range nodes {
		nodes[i].Name = fmt.Sprintf("%s%03d.example.net", word, i+1)
	}
	return nodes
}

func TestDiscover_throughAFederationFindsTheNodesOfEveryCluster(t *testing.T) {
	t.Parallel()
	federate(t, numbered("north", 3), numbered("south", 2), func(f federated) {
		found, err := f.client.Discover(f.Context(), choria.Filter{})
		if err != nil || !slices.Equal(found, f.all()) {
			f.Errorf("found %v, %v; want %v", found, err, f.all())
		}
		found, err = f.client.Discover(f.Context(), choria.Filter{Identities: []string{"/^south/"}})
		if err != nil || !slices.Equal(found, names(f.two)) {
			f.Errorf("found %v, %v; want %v", found, err, names(f.two))
		}
	})
}

// TestCall_throughAFederationAsksEachNodeOnce has more nodes than a message may name.
func TestCall_throughAFederationAsksEachNodeOnce(t *testing.T) {
	t.Parallel()
	federate(t, numbered("north", 230), numbered("south", 220), func(f federated) {
		res, err := f.client.Call(f.Context(), choria.Request{Agent: "puppet", Action: "disable", Nodes: f.all()})
		if err != nil || len(res.Replies) != 450 || res.Duplicate+res.Stranger+res.Other+res.Malformed > 0 {
			f.Errorf("got %v, %s; want 450 answers", err, account(res))
		}
		for _, n := range f.all() {
			if asked := f.count(n); asked != 1 {
				f.Errorf("%s was asked %d times", n, asked)
			}
		}
		sizes := map[string][]int{}
		for _, p := range f.federation.Passed() {
			sizes[p.Cluster] = append(sizes[p.Cluster], len(p.Targets))
			if !strings.HasPrefix(p.Targets[0], "mcollective.node.") {
				f.Errorf("a target is %s", p.Targets[0])
			}
		}
		for cluster, got := range sizes {
			if !slices.Equal(got, []int{200, 200, 50}) {
				f.Errorf("%s took messages for %v nodes, want 200, 200 and 50", cluster, got)
			}
		}
	})
}

func TestCall_throughAFederationAccountsForEveryNode(t *testing.T) {
	t.Parallel()
	federate(t, numbered("north", 4), numbered("south", 4), func(f federated) {
		all := f.all()
		f.one.Fault(fleetsim.Fault{Node: all[0], Kind: fleetsim.Silent})
		f.one.Fault(fleetsim.Fault{Node: all[1], Kind: fleetsim.Duplicate})
		f.two.Fault(fleetsim.Fault{Node: all[4], Kind: fleetsim.Fail})
		f.two.Fault(fleetsim.Fault{Node: all[5], Kind: fleetsim.Slow, Delay: 5 * time.Second})
		res, err := f.client.Call(f.Context(), choria.Request{
			Agent: "puppet", Action: "disable", Nodes: append(all, "nobody.example.net"), BatchSize: 3, Timeout: 10 * time.Second,
		})
		got := classes(res)
		if err != nil || len(got) != 9 || res.Duplicate != 1 {
			f.Errorf("got %v, %s; want nine nodes in one list each, and one duplicate", err, account(res))
		}
		for i, n := range append(all, "nobody.example.net") {
			want, times := "ok", 1
			switch i {
			case 0:
				want = "silent"
			case 4:
				want = "failed"
			case 8:
				want, times = "silent", 0
			}
			if got[n] != want || f.count(n) != times {
				f.Errorf("%s is %s and was asked %d times; want %s, %d", n, got[n], f.count(n), want, times)
			}
		}
	})
}

func TestService_isReachedThroughAFederation(t *testing.T) {
	t.Parallel()
	federate(t, numbered("north", 1), numbered("south", 1), func(f federated) {
		r, err := f.client.Service(f.Context(), describe("appmgr"))
		if err != nil || r.Sender != fleetsim.RegistryNode {
			f.Errorf("got %+v, %v", r, err)
		}
	})
}

// TestCall_aNodeThatTwoClustersReachIsCountedOnce is about two servers of one name: both act, and one counts.
func TestCall_aNodeThatTwoClustersReachIsCountedOnce(t *testing.T) {
	t.Parallel()
	federate(t, numbered("same", 1), numbered("same", 1), func(f federated) {
		found, err := f.client.Discover(f.Context(), choria.Filter{})
		if err != nil || len(found) != 1 {
			f.Errorf("found %v, %v; want one", found, err)
		}
		res, err := f.client.Call(f.Context(), choria.Request{
			Agent: "puppet", Action: "disable", Nodes: []string{"same001.example.net", "nobody.example.net"}, Timeout: time.Second,
		})
		if err != nil || len(res.Replies) != 1 || res.Duplicate != 1 {
			f.Errorf("got %v, %s; want one answer and a duplicate", err, account(res))
		}
	})
}

func TestConnect_refusesAFederationThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, clusters := range map[string][]string{
		"nats.federation: the cluster north is there twice": {"north", "south", "north"},
		`nats.federation: "" is no name of a cluster`:       {""},
		`"a>" is no name`:  {"a>"},
		`"a b" is no name`: {"a b"},
	} {
		c, err := choria.Connect(t.Context(), choria.Options{Servers: []string{"nats://127.0.0.1:1"}, Insecure: true, Federation: clusters})
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", clusters, err, want)
		}
	}
}

func TestConnect_findsTheBrokersOfAFederationUnderTheirOwnNames(t *testing.T) {
	t.Parallel()
	s := startNameServer(t, nil)
	o := bySRV(s)
	o.Federation = []string{"north"}
	c, err := choria.Connect(t.Context(), o)
	if err == nil {
		c.Close()
	}
	want := "_mcollective-federation_server._tcp.example.net. _x-puppet-mcollective_federation._tcp.example.net."
	if got := s.questions(); got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}
