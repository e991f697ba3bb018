package puppetdb_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

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
	c, err := puppetdb.New(puppetdb.Options{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	return sim, c
}

func TestCertnames(t *testing.T) {
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

func TestErrors_sayWhatToDo(t *testing.T) {
	t.Parallel()
	sim, c := client(t, inventory())
	for query, want := range map[string]string{
		`nodes[certname] { tier = "x" }`: "not a queryable field",
		`nodes[certname] { certname = `:  "expected a value",
		`select *`:                       "expected one of nodes",
		`facts[name] { name = "tier" }`:  "no certname",
	} {
		if _, err := c.Certnames(t.Context(), query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
	}
	sim.Fail(503, "starting up")
	if _, err := c.Query(t.Context(), "nodes{}"); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "starting up") {
		t.Errorf("got %v", err)
	}
	down, err := puppetdb.New(puppetdb.Options{URL: "http://127.0.0.1:1", Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := down.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"", "puppetdb:8081", "ftp://x"} {
		if _, err := puppetdb.New(puppetdb.Options{URL: bad}); err == nil {
			t.Errorf("address %q was accepted", bad)
		}
	}
}

func TestQuote_neverWidens(t *testing.T) {
	t.Parallel()
	_, c := client(t, inventory())
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.RuneFrom([]rune(`ab"'\ ={}()[]~!<>or and`))).Draw(t, "value")
		got, err := c.Certnames(t.Context(), `inventory[certname] { facts.tier = `+puppetdb.Quote(value)+` }`)
		if err != nil || len(got) > 0 && value != "alfa" && value != "bravo" {
			t.Fatalf("value %q: got %v, %v", value, got, err)
		}
	})
}

func FuzzQuery_neverPanics(f *testing.F) {
	f.Add(`nodes[certname] { facts { name = "a" } }`)
	f.Add(`inventory { !(((`)
	sim := pdbsim.New(inventory())
	f.Fuzz(func(_ *testing.T, q string) {
		r := httptest.NewRequest("POST", "/pdb/query/v4", strings.NewReader(`{"query":`+puppetdb.Quote(q)+`}`))
		sim.ServeHTTP(httptest.NewRecorder(), r)
	})
}
