// Package pdbsim is a small PuppetDB: it really parses a part of PQL and answers it over a list of
// nodes. What it does not know it refuses with the place, as the real one does.
package pdbsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// Node is what PuppetDB knows of a node.
type Node struct {
	Certname    string
	Facts       map[string]any
	Classes     []string // roles::webserver; PuppetDB shows Roles::Webserver
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
func New(nodes []Node) *Server { return &Server{nodes: nodes} }

// SetNodes changes what the server knows.
func (s *Server) SetNodes(nodes []Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = nodes
}

// Fail makes every query fail with a status and a text; status 0 heals.
func (s *Server) Fail(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.body = status, body
}

// Queries returns every query so far.
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
			Query string `json:"query"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxQuery)).Decode(&body); err != nil {
			http.Error(w, "the body is not JSON: "+err.Error(), http.StatusBadRequest)
			return
		}
		pql = body.Query
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
