package realfleet_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// network starts six real servers and our client.
func network(t *testing.T) (*realfleet.Fleet, *choria.Client) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{})
	return f, realfleettest.Connect(t, f.Options())
}

// short is a list of nodes in one line, without the domain.
func short(nodes []string) string {
	return strings.ReplaceAll(strings.Join(nodes, " "), ".example.net", "")
}

func webServers() []string {
	return []string{"web1.example.net", "web2.example.net", "web3.example.net"}
}

func senders(res choria.Result) []string {
	var out []string
	for _, r := range res.Replies {
		if r.OK() {
			out = append(out, r.Sender)
		}
	}
	return out
}

func TestPing_isAnsweredByEveryServer(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: f.Names()})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := short(senders(res)), "lb1 lb2 lb3 web1 web2 web3"; got != want || len(res.Silent) > 0 {
		t.Errorf("answered: %q, silent: %q; want %q and nobody", got, res.Silent, want)
	}
	if res.Stranger+res.Duplicate+res.Malformed+res.Dropped > 0 {
		t.Errorf("replies that do not count: %+v", res)
	}
	for _, r := range res.Replies {
		if pong, ok := r.Data["pong"].(float64); !ok || pong < 1e9 {
			t.Errorf("%s said %v, want the time as pong", r.Sender, r.Data)
		}
	}
	silent, err := c.Ping(t.Context(), f.Names())
	if err != nil || len(silent) > 0 {
		t.Errorf("Ping: silent %q, error %v; want none", silent, err)
	}
}

func TestAgents_areListedWithTheirVersions(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	got, err := c.Agents(t.Context(), f.Names())
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range f.Names() {
		versions := got[node]
		if versions["appmgr"] != "2.3.0" || versions["rpcutil"] == "" || versions["discovery"] == "" {
			t.Errorf("%s has %v, want appmgr 2.3.0, rpcutil and discovery", node, versions)
		}
	}
}

func TestCall_reachesOnlyTheNodesItNames(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	targets := webServers()[:2]
	res, err := c.Call(t.Context(), choria.Request{Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2.0.0"}, Nodes: targets})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := short(senders(res)), "web1 web2"; got != want {
		t.Errorf("answered: %q, want %q", got, want)
	}
	var reached []string
	for _, call := range f.Calls() {
		reached = append(reached, call.Node)
		if call.Caller != "choria="+f.Identity || call.RequestID != res.ID || call.Action != "upgrade" {
			t.Errorf("the server was told %+v, want upgrade by choria=%s as %s", call, f.Identity, res.ID)
		}
	}
	slices.Sort(reached)
	if got, want := short(reached), "web1 web2"; got != want {
		t.Errorf("reached: %q, want %q", got, want)
	}
	for _, node := range f.Names() {
		want := "1.0.0"
		if slices.Contains(targets, node) {
			want = "2.0.0"
		}
		if got := f.Revision(node); got != want {
			t.Errorf("%s runs %s, want %s", node, got, want)
		}
	}
}

func TestCall_goesInBatches(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	var batches []string
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "appmgr", Action: "status", Nodes: f.Names(), BatchSize: 4,
		Before: func(batch []string) error { batches = append(batches, short(batch)); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(batches, " | "), "lb1 lb2 lb3 web1 | web2 web3"; got != want {
		t.Errorf("batches: %q, want %q", got, want)
	}
	if len(senders(res)) != 6 {
		t.Errorf("answered: %q, want all six; one request id serves both batches", short(senders(res)))
	}
}

func TestConnect_isRefusedWithACertificateOfAnotherCA(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{Nodes: realfleet.Six()[:1]})
	foreign, err := fleetsim.NewCerts(t.TempDir(), f.Identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*choria.Options){
		"the broker refuses us": func(o *choria.Options) { o.Cert, o.Key = foreign.ClientCert, foreign.ClientKey },
		"we refuse the broker":  func(o *choria.Options) { o.CA = foreign.CA },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := f.Options()
			change(&o)
			c, err := choria.Connect(t.Context(), o)
			if err == nil {
				c.Close()
				t.Fatal("connected, want a refusal")
			}
			if !strings.Contains(err.Error(), f.URL) || !strings.Contains(err.Error(), "certificate") && !strings.Contains(err.Error(), "tls:") {
				t.Errorf("got %q, want the broker's address and what is wrong with the certificate", err)
			}
		})
	}
}
