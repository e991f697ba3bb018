package choria_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// cluster is three brokers and a client of two of them, which is connected to one of these. The nodes
// are at the third.
func cluster(t *testing.T, nodes int) (f *fleetsim.Fleet, ours, other *fleetsim.Peer, c *choria.Client) {
	t.Helper()
	f = start(t, fleetsim.Options{Nodes: fleetsim.Plain(nodes), Listen: true, Cluster: true})
	ours, other = peer(t, f), peer(t, f)
	c = connect(t, choria.Options{Servers: []string{ours.URL(), other.URL()}, Insecure: true, Timeout: time.Minute})
	if c.Broker() == other.URL() {
		ours, other = other, ours
	}
	if c.Broker() != ours.URL() {
		t.Fatalf("connected to %q, want %s or %s", c.Broker(), ours.URL(), other.URL())
	}
	return f, ours, other, c
}

func names(f *fleetsim.Fleet) []string {
	var out []string
	for _, n := range f.Nodes() {
		out = append(out, n.Name)
	}
	return out
}

func TestCall_goesThroughAnotherBrokerWhenItsOwnHasDied(t *testing.T) {
	t.Parallel()
	f, ours, other, c := cluster(t, 6)
	disable := choria.Request{Agent: "puppet", Action: "disable", Nodes: names(f)[:3]}
	if res, err := c.Call(t.Context(), disable); err != nil || len(res.Replies) != 3 {
		t.Fatalf("got %v, %s; want three answers", err, account(res))
	}
	ours.Stop()
	for c.Broker() == ours.URL() {
		runtime.Gosched()
	}
	disable.Nodes = names(f)[3:]
	res, err := c.Call(t.Context(), disable) // waits for the connection
	if err != nil || len(res.Replies) != 3 || len(res.Silent)+len(res.Unknown) > 0 {
		t.Errorf("got %v, %s; want three answers", err, account(res))
	}
	if c.Broker() != other.URL() || !c.Connected() {
		t.Errorf("connected to %q, want %s", c.Broker(), other.URL())
	}
	for _, n := range names(f) {
		if asked := f.Count(n, "puppet.disable"); asked != 1 {
			t.Errorf("%s was asked %d times", n, asked)
		}
	}
}

func TestDiscover_goesThroughAnotherBrokerWhenItsOwnHasDied(t *testing.T) {
	t.Parallel()
	f, ours, _, c := cluster(t, 6)
	ours.Stop()
	for c.Broker() == ours.URL() {
		runtime.Gosched()
	}
	var found []string
	for len(found) < 6 { // a starved machine outlasts a window
		var err error
		if found, err = c.Discover(t.Context(), choria.Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(found, names(f)) {
		t.Errorf("found %v, want %v", found, names(f))
	}
}

// TestCall_itsBrokerDiesAtEveryReply lets the broker die for good when a reply of the first batch
// has come: who answered keeps the result, the others answer over the next broker or are unknown, the
// second batch is asked there, and nobody is asked twice.
func TestCall_itsBrokerDiesAtEveryReply(t *testing.T) {
	t.Parallel()
	const size = 4
	var calls []func()
	for at := range size {
		f, ours, other, c := cluster(t, 2*size)
		calls = append(calls, func() {
			nodes := names(f)
			for _, n := range nodes[at+1 : size] { // these answer when the broker is gone
				f.Fault(fleetsim.Fault{Node: n, Kind: fleetsim.Slow, Delay: 50 * time.Millisecond})
			}
			heard := 0
			q := choria.Request{Agent: "puppet", Action: "disable", Nodes: nodes, BatchSize: size, Timeout: 5 * time.Second}
			q.OnReply = func(choria.Reply) {
				if heard++; heard == at+1 {
					ours.Stop()
					for c.Broker() == ours.URL() {
						runtime.Gosched()
					}
				}
			}
			res, err := c.Call(t.Context(), q)
			name := fmt.Sprintf("reply %d: ", at+1)
			if err != nil || len(res.Silent) > 0 || len(res.Unasked) > 0 || len(res.Replies) < size+at+1 {
				t.Errorf(name+"%v, %s; want at least the %d that answered, and the others unknown", err, account(res), size+at+1)
			}
			for i, n := range nodes {
				asked, class := f.Count(n, "puppet.disable"), classes(res)[n]
				if asked > 1 || class == "ok" && asked != 1 || i >= size && class != "ok" {
					t.Errorf(name+"%s is %s and was asked %d times", n, class, asked)
				}
			}
			if c.Broker() != other.URL() {
				t.Errorf(name+"connected to %q, want %s", c.Broker(), other.URL())
			}
		})
	}
	together(calls)
}

// TestCall_whenTheBrokerOfTheNodesDiesTheyAreSilent lets the nodes lose their broker while ours stays:
// ours took every request, so a node that does not answer is silent, not unknown.
func TestCall_whenTheBrokerOfTheNodesDiesTheyAreSilent(t *testing.T) {
	t.Parallel()
	f, _, _, c := cluster(t, 3)
	f.StopBroker()
	q := ping(names(f)...)
	q.Timeout = 300 * time.Millisecond
	res, err := c.Call(t.Context(), q)
	if err != nil || len(res.Silent) != 3 {
		t.Errorf("got %v, %s; want three silent nodes", err, account(res))
	}
}

func TestConnect_passesOverABrokerThatIsDown(t *testing.T) {
	t.Parallel()
	f, ours, other, c := cluster(t, 3)
	ours.Stop()
	fresh := connect(t, choria.Options{Servers: []string{ours.URL(), other.URL()}, Insecure: true, Timeout: time.Minute})
	if fresh.Broker() != other.URL() {
		t.Errorf("connected to %q, want %s", fresh.Broker(), other.URL())
	}
	if res, err := fresh.Call(t.Context(), ping(names(f)...)); err != nil || len(res.Replies) != 3 {
		t.Errorf("got %v, %s; want three answers", err, account(res))
	}
	if got := fresh.Brokers(); len(got) != 2 || !slices.Contains(got, ours.URL()) || !slices.Contains(got, other.URL()) {
		t.Errorf("knows %q, want both", got)
	}
	other.Stop()
	for fresh.Connected() || c.Connected() {
		runtime.Gosched()
	}
	if got := fresh.Broker(); got != "" {
		t.Errorf("connected to %q, want nothing", got)
	}
	if err := ours.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res, err := fresh.Call(t.Context(), ping(names(f)...)); err != nil || len(res.Replies) != 3 || fresh.Broker() != ours.URL() {
		t.Errorf("when one is back: %v, %s at %q; want three answers", err, account(res), fresh.Broker())
	}
}

func peer(t *testing.T, f *fleetsim.Fleet) *fleetsim.Peer {
	t.Helper()
	p, err := f.AddBroker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
