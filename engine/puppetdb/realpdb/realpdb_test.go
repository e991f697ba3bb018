//go:build integration

package realpdb_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, url string) *puppetdb.Client {
	t.Helper()
	c, err := puppetdb.New(puppetdb.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestServer_answersAsItsDoubleDoes is one test for everything, for a PuppetDB takes long to start.
func TestServer_answersAsItsDoubleDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} { // other users have to enter it
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	db, err := realpdb.Start(t.Context(), realpdb.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Stop)
	nodes := []pdbsim.Node{
		{Certname: "lb1", Classes: []string{"roles::haproxy"}, Agents: []string{"haproxy", "rpcutil"}, Facts: map[string]any{"os": map[string]any{"family": "Debian"}}},
		{Certname: "web1", Classes: []string{"roles::webserver"}, Collectives: []string{"mcollective"}, Facts: map[string]any{"tier": "alfa", "cpus": 8}},
		{Certname: "web2", Classes: []string{"roles::webserver"}, Facts: map[string]any{"tier": "bravo", "cpus": 4}},
		{Certname: "gone", Classes: []string{"roles::webserver"}, Facts: map[string]any{"tier": "bravo"}, Deactivated: true},
	}
	if err := db.Load(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
	double := httptest.NewServer(pdbsim.New(nodes))
	t.Cleanup(double.Close)
	clients := map[string]*puppetdb.Client{"real": connect(t, db.URL), "double": connect(t, double.URL)}
	for query, want := range map[string]string{
		`nodes[certname] { order by certname }`:                                                                                          "lb1 web1 web2",
		`nodes[certname] { resources { type = "Class" and title = "Roles::Haproxy" } }`:                                                  "lb1",
		`inventory[certname] { facts.tier = "bravo" and resources { type = "Class" and title = "Roles::Webserver" } order by certname }`: "web2",
		`inventory[certname] { facts.cpus > 4 }`:                                                                                         "web1",
		`resources[certname] { tag = "mcollective_agent_haproxy_server" }`:                                                               "lb1",
	} {
		for which, c := range clients {
			got, err := c.Certnames(t.Context(), query)
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("%s\nthe %s one: got %q, %v; want %q", query, which, strings.Join(got, " "), err, want)
			}
		}
	}
	collective := []any{"from", "inventory", []any{"extract", "certname", []any{"=", `facts.mcollective.server.collectives.match("\d+")`, "mcollective"}}}
	for which, c := range clients {
		got, err := c.Select(t.Context(), collective)
		if err != nil || strings.Join(got, " ") != "web1" {
			t.Errorf("a collective, asked of the %s one: got %q, %v; want web1", which, got, err)
		}
	}
	nodes[1].Facts["tier"] = "bravo"
	if err := db.Load(t.Context(), nodes[1:2]); err != nil {
		t.Fatal(err)
	}
	got, err := clients["real"].Certnames(t.Context(), `inventory[certname] { facts.tier = "bravo" order by certname }`)
	if err != nil || strings.Join(got, " ") != "web1 web2" {
		t.Errorf("after web1 moved to bravo: got %q, %v; want web1 web2", got, err)
	}
	if err := db.Load(t.Context(), []pdbsim.Node{{Certname: "x", AnyAgent: true}}); err == nil {
		t.Error("a node with any agent was loaded")
	}
	selectsWhatItShould(t, db, nodes)
	for range 2 {
		db.Stop()
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("Stop leaves %v behind, %v", left, err)
	}
}
