package engine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// heard is an HTTP request as it came.
type heard struct {
	Method, Path, Query string
	Header              http.Header
	Body                map[string]any
}

// ear answers every request, and remembers it. Paths that end in /fail get 500.
type ear struct {
	mu  sync.Mutex // guards all
	all []heard
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	h := heard{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header}
	_ = json.Unmarshal(raw, &h.Body)
	e.mu.Lock()
	e.all = append(e.all, h)
	e.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/fail") {
		w.WriteHeader(http.StatusInternalServerError)
	}
	fmt.Fprint(w, `{"ok": true}`)
}

// sample is a world in which the samples of 2017 run with the real types: a network of two tiers of three web
// servers and two load balancers, a PuppetDB that knows them, an end point for webhooks, Slack and
// Graphite, and a folder in place of /srv/app.
type sample struct {
	*enginetest.House

	t     *testing.T
	dir   string
	url   string
	ear   *ear
	fleet *fleetsim.Fleet
	books map[string]*playbooks.Playbook
	types engine.Types
}

// inSample makes the world, in virtual time.
func inSample(t *testing.T, test func(t *testing.T, s *sample)) {
	t.Helper()
	s := outside(t)
	synctest.Test(t, func(t *testing.T) {
		s.inside(t)
		test(t, s)
	})
}

// outside is what no bubble of virtual time may hold: a server that waits for requests.
func outside(t *testing.T) *sample {
	t.Helper()
	s := &sample{dir: t.TempDir(), ear: &ear{}, books: map[string]*playbooks.Playbook{}}
	srv := httptest.NewServer(s.ear)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *sample) inside(t *testing.T) {
	t.Helper()
	s.t = t
	var err error
	if s.fleet, err = fleetsim.Start(t.Context(), fleetsim.Options{Nodes: nodesOf2017()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.fleet.Stop)
	client, err := choria.Connect(t.Context(), choria.Options{InProcess: s.fleet, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	pdb, err := puppetdb.New(puppetdb.Options{URL: "http://puppetdb", Transport: s.puppetDB()})
	if err != nil {
		t.Fatal(err)
	}
	log, err := store.Open(filepath.Join(s.dir, "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	s.types = builtin.Types(builtin.Deps{
		Network: client, PuppetDB: pdb, Collective: "mcollective", DataDir: s.dir, Books: s,
		Slack: slack.Options{APIURL: s.url + "/api", Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}},
	})
	s.House = enginetest.NewHouse(t, log, func(o *engine.Options) {
		o.Types, o.Books, o.Fleet = s.types, s, client
	})
}

// transport answers requests without a network.
type transport struct{ http.Handler }

// RoundTrip implements [http.RoundTripper].
func (h transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// nodesOf2017 are of the time when rpcutil had versions of its own; today it has the server's.
func nodesOf2017() []fleetsim.Node {
	nodes := fleetsim.WebFleet(3, 0)
	for i := range nodes {
		nodes[i].Agents = fleetsim.Agents()
		nodes[i].Agents["rpcutil"] = "1.3.0"
	}
	return nodes
}

// puppetDB knows the nodes of the fleet.
func (s *sample) puppetDB() http.RoundTripper {
	var nodes []pdbsim.Node
	for _, n := range s.fleet.Nodes() {
		nodes = append(nodes, pdbsim.Node{
			Certname: n.Name, Facts: n.Facts, Classes: n.Classes, Agents: slices.Collect(maps.Keys(n.Agents)), Collectives: []string{"mcollective"},
		})
	}
	return transport{pdbsim.New(nodes)}
}

// Get implements [engine.Books].
func (s *sample) Get(name string) (*playbooks.Playbook, error) {
	if b, ok := s.books[name]; ok {
		return b, nil
	}
	return nil, engine.Errorf(engine.CodeNotFound, "there is no playbook %q", name)
}

// ByDigest implements [engine.Books].
func (s *sample) ByDigest(digest string) (*playbooks.Playbook, bool) {
	for _, b := range s.books {
		if b.Digest == digest {
			return b, true
		}
	}
	return nil, false
}

// book reads a sample. Its folder and its end point become those of the test; change is old and new text.
func (s *sample) book(name string, change ...string) *playbooks.Playbook {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "playbooks", "testdata", "2017", name+".yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(change); i += 2 {
		if !strings.Contains(string(raw), change[i]) {
			s.t.Fatalf("%s has no %q", name, change[i])
		}
	}
	text := strings.NewReplacer(append(change, "/srv/app", s.dir, "http://hooks.example.net", s.url)...).Replace(string(raw))
	b, err := playbooks.Parse(name+".yaml", []byte(text), s.types)
	if err != nil {
		s.t.Fatalf("got problems, want none:\n%v", err)
	}
	s.books[b.Name] = b
	return b
}

// run binds what is given as a person would type it, and runs the book to its end.
func (s *sample) run(b *playbooks.Playbook, given map[string]any) *engine.Run {
	s.t.Helper()
	inputs, err := b.Bind(given, true)
	if err != nil {
		s.t.Fatalf("got %v, want the inputs accepted", err)
	}
	return s.Finish(s.Start(b.Name, inputs))
}

// file writes a file below /srv/app.
func (s *sample) file(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// outlined is a run as lines "path description status, message".
func outlined(r *engine.Run) string {
	var lines []string
	for _, p := range r.Order {
		s := r.Steps[p]
		line := fmt.Sprintf("%s %q %s", p, s.Description, s.Status)
		if n := len(s.Attempts); n > 1 {
			line += fmt.Sprintf(" x%d", n)
		}
		lines = append(lines, line+": "+s.Message)
	}
	return strings.Join(append(lines, fmt.Sprintf("%s: %s", r.Status, r.Message)), "\n")
}

func wantOutline(t *testing.T, r *engine.Run, want string) {
	t.Helper()
	if got := outlined(r); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}
