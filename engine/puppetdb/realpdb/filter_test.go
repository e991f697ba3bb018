//go:build integration

package realpdb_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/nodes/mcollective/filtertest"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

// pair asks the real PuppetDB and its double, which must agree on every query.
type pair struct{ real, double *puppetdb.Client }

// Select implements the client of the mcollective node set.
func (p pair) Select(ctx context.Context, tree []any) ([]string, error) {
	want, err := p.real.Select(ctx, tree)
	if err != nil {
		return nil, err
	}
	got, err := p.double.Select(ctx, tree)
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		return nil, fmt.Errorf("%v: the real one says %v, the double %v, %w", tree, want, got, err)
	}
	return want, nil
}

// selectsWhatItShould asks hostile filters of a PuppetDB that knows others no more.
func selectsWhatItShould(t *testing.T, db *realpdb.Server, others []pdbsim.Node) {
	t.Helper()
	for i := range others {
		others[i].Deactivated = true
	}
	if err := db.Load(t.Context(), append(others, filtertest.Nodes()...)); err != nil {
		t.Fatal(err)
	}
	double := httptest.NewServer(pdbsim.New(filtertest.Nodes()))
	t.Cleanup(double.Close)
	filtertest.Check(t, pair{real: connect(t, db.URL), double: connect(t, double.URL)}, 4)
	listsMeanTheSame(t, pair{real: connect(t, db.URL), double: connect(t, double.URL)})
}

// listsMeanTheSame asks for lists of names that PuppetDB could take for something else: what the double does not
// refuse, both answer alike.
func listsMeanTheSame(t *testing.T, both pair) {
	t.Helper()
	words := rapid.SampledFrom([]any{
		"", "a", "WEB1.example.net", "web1.example.net", "certname", "tag", "tags", "type", "any", "value", "facts.tier", "node_state", "new_value", "old_value", "facts", "nodes", 1, true,
		"and", "AND", "or", "not", "Not", "in", "IN", "extract", "subquery", "from", "array", "=", "~", "~>", "<", "null?", "function", "group_by", "order_by", "limit", "select_facts", "Select_Nodes", "count",
	})
	answered := 0
	rapid.Check(t, func(r *rapid.T) {
		list := rapid.SliceOfN(words, 0, 4).Draw(r, "list")
		tree := []any{"from", "nodes", []any{"extract", []any{"certname"}, []any{"in", "certname", []any{"array", list}}}}
		if _, err := both.double.Select(t.Context(), tree); err != nil {
			return
		}
		answered++
		if _, err := both.Select(t.Context(), tree); err != nil {
			r.Fatal(err)
		}
	})
	if answered < 20 {
		t.Errorf("%d lists were answered; the test compares nothing", answered)
	}
}
