package booktest

import (
	"context"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// types is what playbooks may use in a case: the built-in types, of which those that reach outside are
// answered by the case.
func (w *world) types(rules *policy.Policy) (engine.Types, error) {
	client, err := newPuppetDB(w)
	if err != nil {
		return engine.Types{}, err
	}
	all := builtin.Types(builtin.Deps{Network: network{w}, PuppetDB: pdb{client, w}, Books: w.shelf, ReadOnly: rules.ReadOnly})
	for i, t := range all.Tasks {
		if t.Name == "playbook" || !slices.Contains(inside(), t.Name) {
			all.Tasks[i] = w.outsideType(t)
		}
	}
	for i, t := range all.Nodes {
		all.Nodes[i] = w.nodesType(t)
	}
	for _, b := range w.shelf.books {
		for _, part := range b.DataStores {
			if real := slices.IndexFunc(all.Stores, func(t engine.DataStoreType) bool { return t.Name == part.Type }); real >= 0 {
				all.Stores = append(all.Stores, w.storeType(double(b, part), part, all.Stores[real]))
			}
		}
	}
	return all, nil
}

// double names the type that stands in for a data store of a playbook. No playbook can write such a name.
func double(b *playbooks.Playbook, part playbooks.Part) string {
	return "test of " + b.Name + " " + part.Name
}

// simulated lists the node set types that find the nodes of the case themselves.
func simulated() []string { return []string{"list", "mcollective", "pql"} }

// nodesType is a node set type that the case may answer.
func (w *world) nodesType(real engine.NodeSourceType) engine.NodeSourceType {
	t := real
	t.Decode = func(p *playbooks.Properties) (engine.NodeSource, error) {
		s, err := real.Decode(p)
		if err != nil || p.Checking() {
			return s, err
		}
		files := slices.Contains([]string{"flatfile", "inventory"}, p.Text("discovery_method", ""))
		return nodeSource{NodeSource: s, world: w, typ: real.Name, outside: files || !slices.Contains(simulated(), real.Name)}, nil
	}
	return t
}

type nodeSource struct {
	engine.NodeSource

	world   *world
	typ     string
	outside bool // it does not look at the nodes of the case
}

// Discover implements [engine.NodeSource].
func (s nodeSource) Discover(ctx context.Context, c *engine.Call) ([]string, error) {
	set := strings.TrimPrefix(string(c.Path), "nodes.")
	if nodes, ok := s.world.nodeSets[set]; ok {
		return nodes, nil
	}
	if !s.outside {
		return s.NodeSource.Discover(ctx, c)
	}
	return nil, s.world.lack("node set %q, of type %s, looks outside; name its nodes under node_sets:, as in %s: web[1-3]", set, s.typ, set)
}
