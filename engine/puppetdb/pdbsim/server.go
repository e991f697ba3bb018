// Package pdbsim is a small PuppetDB: it really parses a part of PQL, and of the query trees in JSON,
// and answers them over a list of nodes with the values, orders and unknowns of the real one. What it
// does not know it refuses, in PQL with the place.
package pdbsim

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Node is what PuppetDB knows of a node.
type Node struct {
	Certname    string
	Facts       map[string]any
	Classes     []string // roles::webserver; PuppetDB shows Roles::Webserver
	Agents      []string // of Choria; with any the node also has the class of the service
	AnyAgent    bool     // it has whichever agent is asked for
	Collectives []string // of Choria; they are the fact mcollective.server.collectives
	Deactivated bool
}

// Server answers queries. It is an http.Handler and safe for concurrent use.
type Server struct {
	mu      sync.Mutex // guards what follows
	nodes   []Node
	queries []string
	status  int
	body    string
}

// New returns a server that knows these nodes.
func New(nodes []Node) *Server { return &Server{nodes: stored(nodes)} }

// SetNodes changes what the server knows.
func (s *Server) SetNodes(nodes []Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = stored(nodes)
}

// stored are nodes as they are kept: their facts are JSON, whatever kinds of numbers and lists were given.
func stored(nodes []Node) []Node {
	out := slices.Clone(nodes)
	for i, n := range out {
		facts := maps.Clone(n.Facts)
		if facts == nil {
			facts = map[string]any{}
		}
		if len(n.Collectives) > 0 {
			facts["mcollective"] = map[string]any{"server": map[string]any{"collectives": n.Collectives}}
		}
		for name, v := range facts {
			facts[name] = plain(v)
		}
		out[i].Facts = facts
	}
	return out
}

// Fail makes every query fail with a status and a text; status 0 heals.
func (s *Server) Fail(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.body = status, body
}

// Queries returns every query so far; trees as JSON.
func (s *Server) Queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.queries...)
}

// maxQuery bounds a query.
const maxQuery = 1 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/status/v1/simple":
		w.Write([]byte("running"))
	case "/pdb/meta/v1/version":
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"version":"8.8.1"}`))
	case "/pdb/query/v4":
		s.query(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	pql := r.URL.Query().Get("query")
	if r.Method == http.MethodPost {
		var body struct {
			Query json.RawMessage `json:"query"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuery)).Decode(&body); err != nil {
			http.Error(w, "the body is not JSON: "+err.Error(), http.StatusBadRequest)
			return
		}
		if json.Unmarshal(body.Query, &pql) != nil {
			pql = string(body.Query) // a tree
		}
	}
	s.mu.Lock()
	s.queries = append(s.queries, pql)
	nodes, status, text := s.nodes, s.status, s.body
	s.mu.Unlock()
	if status != 0 {
		http.Error(w, text, status)
		return
	}
	rows, err := run(pql, nodes)
	if errors.Is(err, errNUL) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(rows); err != nil {
		return // the client has gone
	}
}

// title is the way PuppetDB writes the title of a class.
func title(class string) string {
	parts := strings.Split(class, "::")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "::")
}
