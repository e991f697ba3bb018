package pql_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/pql"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/playbooks"
)

func inventory() []pdbsim.Node {
	web := []string{"roles::webserver"}
	return []pdbsim.Node{
		{Certname: "web2", Classes: web, Facts: map[string]any{"tier": "bravo", "role": "web"}},
		{Certname: "web1", Classes: web, Facts: map[string]any{"tier": "bravo", "role": "web"}},
		{Certname: "web3", Classes: web, Facts: map[string]any{"tier": "alfa", "role": "web"}},
		{Certname: "gone", Classes: web, Facts: map[string]any{"tier": "bravo"}, Deactivated: true},
	}
}

// server starts a PuppetDB and returns it with the node set type that asks it.
func server(t *testing.T) (*pdbsim.Server, engine.NodeSourceType) {
	t.Helper()
	sim := pdbsim.New(inventory())
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	c, err := puppetdb.New(puppetdb.Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return sim, pql.Type(c)
}

func query(q string) map[string]any { return map[string]any{"query": q} }

func discover(t *testing.T, typ engine.NodeSourceType, q string) ([]string, error) {
	t.Helper()
	s, err := typ.Decode(playbooks.FromMap(query(q)))
	if err != nil {
		t.Fatal(err)
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		_, typ := server(t)
		return nodestest.Case{
			// every node has several rows here, and is one node
			Type: typ, Some: query(`facts { name ~ "tier|role" }`), Want: []string{"web2", "web1", "web3"},
			None: query(`nodes[certname] { certname = "nosuch" }`), Broken: query(`nodes[certname] { nosuch = 1 }`), Names: "PuppetDB",
		}
	})
}

func TestSource_dropsDeactivatedNodes(t *testing.T) {
	t.Parallel()
	_, typ := server(t)
	got, err := discover(t, typ, `inventory { facts.tier = "bravo" }`)
	if err != nil || !slices.Equal(got, []string{"web2", "web1"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSource_sendsTheQueryAsItIs(t *testing.T) {
	t.Parallel()
	sim, typ := server(t)
	const q = `nodes[certname] { certname ~ "^web[12]$" }`
	if _, err := discover(t, typ, q); err != nil {
		t.Fatal(err)
	}
	if got := sim.Queries(); !slices.Equal(got, []string{q}) {
		t.Errorf("got %q, want %q once", got, q)
	}
}

func TestSource_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	sim, typ := server(t)
	if _, err := discover(t, typ, `facts[value] { name = "tier" }`); err == nil || !strings.Contains(err.Error(), "no certname") {
		t.Errorf("rows without certname: got %v", err)
	}
	sim.Fail(503, "is starting")
	if _, err := discover(t, typ, `nodes { }`); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "is starting") {
		t.Errorf("a failing server: got %v", err)
	}
	if _, err := discover(t, pql.Type(nil), `nodes { }`); err == nil || !strings.Contains(err.Error(), "puppetdb.url") {
		t.Errorf("without a PuppetDB: got %v", err)
	}
}
