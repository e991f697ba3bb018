//go:build integration

package realpdb_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

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
}
