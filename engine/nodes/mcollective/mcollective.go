// Package mcollective is the node set type `mcollective` (also `choria`): it asks the Choria
// network who is there.
package mcollective

import (
	"context"
	"fmt"
	"regexp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/playbooks"
)

// Client discovers nodes. *choria.Client is one.
type Client interface {
	Discover(ctx context.Context, f choria.Filter) ([]string, error)
}

// Type is the node set type. A nil client makes every set fail with a sentence that says what to configure.
func Type(client Client) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "mcollective", Aliases: []string{"choria"}, Summary: "nodes that answer on the Choria network",
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			s := &source{client: client, filter: choria.Filter{
				Agents: p.Strings("agents"), Classes: p.Strings("classes"), Facts: p.Strings("facts"), Identities: p.Strings("identities"),
			}}
			s.check(p)
			return s, p.Err()
		},
	}
}

type source struct {
	client Client
	filter choria.Filter
}

func (s *source) check(p *playbooks.Properties) {
	if m := p.Text("discovery_method", "mc"); m != "mc" {
		p.Remedy("discovery_method", "leave it out; for nodes known to PuppetDB use type: pql", "discovery_method %q is not available", m)
	}
	if p.Has("compound") {
		p.Remedy("compound", "use classes, facts and identities, which must all hold, or type: pql", "compound filters are not available")
	}
	for _, f := range s.filter.Facts {
		fact, err := choria.ParseFact(f)
		if err != nil {
			p.Problem("facts", "%v", err)
			continue
		}
		checkPattern(p, "facts", fact.Value)
	}
	for key, words := range map[string][]string{"agents": s.filter.Agents, "classes": s.filter.Classes, "identities": s.filter.Identities} {
		for _, w := range words {
			checkPattern(p, key, w)
		}
	}
	if len(s.filter.Agents) == 0 && !p.Deferred("agents") {
		s.filter.Agents = []string{"rpcutil"} // 2017's default
	}
}

// checkPattern refuses a regular expression that no server can read: they would all keep silent,
// and the set would be empty without a reason.
func checkPattern(p *playbooks.Properties, key, word string) {
	if len(word) < 2 || word[0] != '/' || word[len(word)-1] != '/' {
		return
	}
	if _, err := regexp.Compile(word[1 : len(word)-1]); err != nil {
		p.Problem(key, "%s is not a regular expression: %v", word, err)
	}
}

// Discover implements [engine.NodeSource].
func (s *source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if s.client == nil {
		return nil, engine.Errorf(engine.CodeInvalid, "no Choria network is configured; set nats.servers in the configuration")
	}
	nodes, err := s.client.Discover(ctx, s.filter)
	if err != nil {
		return nil, fmt.Errorf("discover on the Choria network: %w", err)
	}
	return nodes, nil
}
