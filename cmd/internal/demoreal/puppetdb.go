package demoreal

import (
	"context"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

// startPuppetDB returns a PuppetDB that knows the machines.
func startPuppetDB(ctx context.Context, all []*machine) (*realpdb.Server, error) {
	db, err := realpdb.Start(ctx, realpdb.Options{})
	if err != nil {
		return nil, err
	}
	nodes := make([]pdbsim.Node, len(all))
	for i, m := range all {
		nodes[i] = pdbsim.Node{Certname: m.name, Facts: m.facts(), Classes: m.classes, Agents: m.agents, Collectives: []string{collective}}
	}
	if err := db.Load(ctx, nodes); err != nil {
		db.Stop()
		return nil, err
	}
	return db, nil
}
