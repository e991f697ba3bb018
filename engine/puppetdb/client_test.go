package puppetdb_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func inventory() []pdbsim.Node {
	return []pdbsim.Node{
		{Certname: "lb1", Classes: []string{"roles::haproxy"}, Facts: map[string]any{"os": map[string]any{"family": "Debian"}}},
		{Certname: "web2", Classes: []string{"roles::webserver"}, Facts: map[string]any{"tier": "bravo", "cpus": 4}},
		{Certname: "web1", Classes: []string{"roles::webserver"}, Facts: map[string]any{"tier": "alfa", "cpus": 8}},
		{Certname: "gone", Classes: []string{"roles::webserver"}, Facts: map[string]any{"tier": "bravo"}, Deactivated: true},
	}
}

func client(t *testing.T, nodes []pdbsim.Node) (*pdbsim.Server, *puppetdb.Client) {
	t.Helper()
	sim := pdbsim.New(nodes)
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	return sim, connect(t, puppetdb.Options{URL: srv.URL})
}

func connect(t *testing.T, o puppetdb.Options) *puppetdb.Client {
	t.Helper()
	c, err := puppetdb.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestCertnames_areThoseThatTheQueryMatches(t *testing.T) {
	t.Parallel()
	_, c := client(t, inventory())
	for query, want := range map[string]string{
		`nodes[certname] { resources { type = "Class" and title = "Roles::Haproxy" } }`:                                                  "lb1",
		`inventory[certname] { facts.tier = "bravo" and resources { type = "Class" and title = "Roles::Webserver" } order by certname }`: "web2",
		`nodes[certname] { facts { name = "tier" and value = "alfa" } }`:                                                                 "web1",
		`inventory[certname] { facts.os.family = "Debian" }`:                                                                             "lb1",
		`inventory[certname] { facts.cpus > 4 }`:                                                                                         "web1",
		`inventory[certname] { facts.cpus in [4, 5] or certname ~ "^lb" }`:                                                               "lb1 web2",
		`nodes { !(certname = "lb1") order by certname limit 1 }`:                                                                        "web1",
		`nodes { node_state = "any" }`:                                                                                                   "lb1 web2 web1", // the client drops what is deactivated
		`resources[certname] { title = "Roles::Webserver" }`:                                                                             "web2 web1",
	} {
		got, err := c.Certnames(t.Context(), query)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s\ngot %q, %v; want %q", query, strings.Join(got, " "), err, want)
		}
	}
}

func TestSelect_takesAValueAsItIs(t *testing.T) {
	t.Parallel()
	sim, c := client(t, inventory())
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.RuneFrom([]rune(`ab"'\ ={}()[]~!<>or and`))).Draw(t, "value")
		known := pdbsim.Node{Certname: "odd", Facts: map[string]any{"tier": value}}
		sim.SetNodes(append(inventory(), known))
		got, err := c.Select(t.Context(), []any{"from", "inventory", []any{"extract", "certname", []any{"=", "facts.tier", value}}})
		if err != nil || len(got) != 1 || got[0] != "odd" {
			t.Fatalf("value %q: got %v, %v", value, got, err)
		}
	})
}

func FuzzQuery_neverPanics(f *testing.F) {
	f.Add(`nodes[certname] { facts { name = "a" } }`)
	f.Add(`inventory { !(((`)
	sim := pdbsim.New(inventory())
	f.Fuzz(func(t *testing.T, q string) {
		body, err := json.Marshal(map[string]string{"query": q})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/pdb/query/v4", bytes.NewReader(body))
		sim.ServeHTTP(httptest.NewRecorder(), r)
	})
}
