// Package list is the node set type `list`: nodes that the playbook itself, or a template in it, names.
package list

import (
	"context"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the node set type.
func Type() engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "list", Summary: "nodes that the playbook names",
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			s := source{p.Strings("nodes")}
			if p.Any("nodes") == nil && !p.Deferred("nodes") { // an empty list counts: at_least says what it means
				p.Remedy("nodes", "add nodes: [a, b], or a template that gives a list", "nodes is missing")
			}
			return s, p.Err()
		},
		Keys: []playbooks.Key{{
			Name: "nodes", Kind: playbooks.KindTexts, Required: true,
			Doc: "The names, in their order. A template may give the list, such as an input of type `Array`.",
		}},
	}
}

type source struct{ nodes []string }

// Discover implements [engine.NodeSource].
func (s source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return append([]string(nil), s.nodes...), nil // the caller's own
}
