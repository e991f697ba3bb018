// Package pql is the node set type `pql`: nodes that a PuppetDB query returns.
package pql

import (
	"context"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Client asks PuppetDB. *puppetdb.Client is one.
type Client interface {
	// Certnames returns the names in the rows of a query, without deactivated nodes.
	Certnames(ctx context.Context, pql string) ([]string, error)
}

// Type is the node set type. A nil client makes every set fail with a sentence that says what to configure.
func Type(client Client) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "pql", Summary: "nodes that a PuppetDB query returns",
		Keys: []playbooks.Key{{
			Name: "query", Kind: playbooks.KindText, Required: true,
			Doc: "The query, in PQL. Its rows must hold `certname`; rows of deactivated nodes do not count.",
		}},
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			return source{client, p.RequireText("query")}, p.Err()
		},
	}
}

type source struct {
	client Client
	query  string
}

// Discover implements [engine.NodeSource].
func (s source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if s.client == nil {
		return nil, engine.Errorf(engine.CodeInvalid, "no PuppetDB is configured; set puppetdb.url in the configuration")
	}
	return s.client.Certnames(ctx, s.query)
}
