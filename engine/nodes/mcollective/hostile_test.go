package mcollective_test

import (
	"testing"

	"github.com/playbot/playbot/engine/nodes/mcollective/filtertest"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

func TestSource_noFilterSelectsOtherNodesThanItShould(t *testing.T) {
	t.Parallel()
	c, err := puppetdb.New(puppetdb.Options{URL: "http://puppetdb", Transport: transport{pdbsim.New(filtertest.Nodes())}})
	if err != nil {
		t.Fatal(err)
	}
	filtertest.Check(t, c)
}
