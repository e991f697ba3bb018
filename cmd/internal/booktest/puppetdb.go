package booktest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

// newPuppetDB is the real client over a PuppetDB that knows the nodes of the case.
func newPuppetDB(w *world) (*puppetdb.Client, error) {
	return puppetdb.New(puppetdb.Options{URL: "http://puppetdb.invalid", Transport: inProcess{w}})
}

// inProcess hands requests to the double without a network.
type inProcess struct{ *world }

// RoundTrip implements [http.RoundTripper].
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	var known []pdbsim.Node
	for _, n := range p.present() {
		known = append(known, pdbsim.Node{
			Certname: n.name, Facts: n.facts, Classes: n.classes, Agents: slices.Sorted(maps.Keys(network(p).agents(n))), AnyAgent: n.agents == nil,
		})
	}
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	pdbsim.New(known).ServeHTTP(answer, r)
	return &http.Response{
		Status: http.StatusText(answer.status), StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// pdb is the PuppetDB of a case. What it cannot answer, the case must declare.
type pdb struct {
	*puppetdb.Client

	world *world
}

// Certnames implements the pql node set's client.
func (p pdb) Certnames(ctx context.Context, query string) ([]string, error) {
	names, err := p.Client.Certnames(ctx, query)
	return p.answered(ctx, query, names, err)
}

// Select implements the mcollective node set's client.
func (p pdb) Select(ctx context.Context, tree []any) ([]string, error) {
	names, err := p.Client.Select(ctx, tree)
	return p.answered(ctx, fmt.Sprint(tree), names, err)
}

func (p pdb) answered(ctx context.Context, query string, names []string, err error) ([]string, error) {
	if err != nil && ctx.Err() == nil {
		return nil, p.world.lack("the PuppetDB of tests cannot answer the query %s (%v); name the nodes of the set under node_sets:", clip(query, 120), clip(err.Error(), 200))
	}
	return names, err
}
