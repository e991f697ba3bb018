package realfleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// federate starts two collectives behind a federation, and our client outside of them. The web servers
// are in the south.
func federate(t *testing.T) (*realfleet.Federation, *choria.Client) {
	t.Helper()
	clusters := make(map[string][]realfleet.Node)
	for _, n := range realfleet.Six() {
		where := "north"
		if strings.HasPrefix(n.Name, "web") {
			where = "south"
		}
		clusters[where] = append(clusters[where], n)
	}
	f := realfleet.StartFederation(t, clusters)
	c := realfleettest.Connect(t, f.Options())
	for {
		found, err := c.Discover(t.Context(), choria.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == len(f.Names()) {
			return f, c
		}
	}
}

func TestFederation_isDiscoveredWhole(t *testing.T) {
	t.Parallel()
	_, c := federate(t)
	for name, row := range map[string]struct {
		filter choria.Filter
		want   string
	}{
		"everything":        {choria.Filter{}, "lb1 lb2 lb3 web1 web2 web3"},
		"of one collective": {choria.Filter{Classes: []string{"roles::webserver"}}, "web1 web2 web3"},
		"of both":           {choria.Filter{Facts: []string{"country=mt"}}, "lb2 web2"},
		"of none":           {choria.Filter{Agents: []string{"nosuch"}}, ""},
	} {
		found, err := c.Discover(t.Context(), row.filter)
		if err != nil || short(found) != row.want {
			t.Errorf("%s: found %q, %v; want %q", name, short(found), err, row.want)
		}
	}
}

// TestFederation_everyNodeIsAskedOnce has so many names that it takes three messages, most of them of
// servers that do not exist.
func TestFederation_everyNodeIsAskedOnce(t *testing.T) {
	t.Parallel()
	f, c := federate(t)
	targets := []string{"lb1.example.net", "web1.example.net", "web2.example.net"}
	var absent []string
	for i := range 420 {
		absent = append(absent, fmt.Sprintf("absent%03d.example.net", i))
	}
	nodes := slices.Concat(targets[:1], absent[:210], targets[1:2], absent[210:], targets[2:])
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2.0.0"}, Nodes: nodes, Timeout: 5 * time.Second,
	})
	if err != nil || short(senders(res)) != "lb1 web1 web2" || len(res.Silent) != len(absent) || len(res.Unknown) > 0 {
		t.Errorf("got %v, answers of %s, %d silent, %d unknown; want lb1 web1 web2 and %d silent", err, short(senders(res)), len(res.Silent), len(res.Unknown), len(absent))
	}
	if n := res.Duplicate + res.Stranger + res.Other + res.Malformed; n > 0 {
		t.Errorf("%d replies are no answers: %+v", n, res)
	}
	var reached []string
	for _, call := range f.Calls() {
		reached = append(reached, call.Node)
		if call.Caller != "choria=playbot.mcollective" || call.RequestID != res.ID || call.Action != "upgrade" {
			t.Errorf("the server was told %+v, want upgrade by choria=playbot.mcollective as %s", call, res.ID)
		}
	}
	slices.Sort(reached)
	if got := short(reached); got != "lb1 web1 web2" {
		t.Errorf("reached: %q, want lb1 web1 web2, each once", got)
	}
}

func TestFederation_servesThroughTheBrokersThatAreThere(t *testing.T) {
	t.Parallel()
	f, c := federate(t)
	f.StopBroker("north")
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: f.Names(), Timeout: 5 * time.Second})
	if err != nil || short(senders(res)) != "web1 web2 web3" || short(res.Silent) != "lb1 lb2 lb3" {
		t.Errorf("got %v, answers of %s, silent %s; want those of the south, and the north silent", err, short(senders(res)), short(res.Silent))
	}
}
