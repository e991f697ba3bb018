// Package mcollective is the node set type `mcollective` (also `choria`): it asks the Choria
// network who is there, or PuppetDB who should be.
package mcollective

import (
	"context"
	"fmt"
	"slices"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/playbooks"
)

// Client discovers nodes. *choria.Client is one.
type Client interface {
	Discover(ctx context.Context, f choria.Filter) ([]string, error)
}

// PuppetDB answers queries that are trees. *puppetdb.Client is one.
type PuppetDB interface {
	// Select returns the names in the rows of a query, without deactivated nodes.
	Select(ctx context.Context, tree []any) ([]string, error)
}

// Sources are where nodes are found. What is nil makes every set that needs it fail with a sentence
// that says what to configure.
type Sources struct {
	Network  Client
	PuppetDB PuppetDB
	// Collective is that of the network. PuppetDB is asked for its members alone; "" for everybody.
	Collective string
}

// The discovery methods.
const (
	broadcast = "mc"
	choriaDB  = "choria"
)

// Type is the node set type.
func Type(from Sources) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "mcollective", Aliases: []string{"choria"}, Summary: "nodes that answer on the Choria network, or that PuppetDB knows as its servers", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			s := &source{
				from: from, method: p.Choice("discovery_method", broadcast, broadcast, choriaDB),
				filter: choria.Filter{
					Agents: p.Strings("agents"), Classes: p.Strings("classes"), Facts: p.Strings("facts"), Identities: p.Strings("identities"),
				},
			}
			s.check(p)
			return s, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "agents", Kind: playbooks.KindTexts, Default: "[rpcutil]", Doc: "Agents that a node must have. All filters of a set must hold; a word between slashes is a regular expression."},
		{Name: "classes", Kind: playbooks.KindTexts, Doc: "Classes that a node must be in, such as `roles::web` or `/^roles::/`."},
		{Name: "facts", Kind: playbooks.KindTexts, Doc: "Facts that must hold, such as `country=uk` or `os.family=/^deb/`. The operators are `=`, `==`, `=~`, `!=`, `<`, `<=`, `>` and `>=`."},
		{Name: "identities", Kind: playbooks.KindTexts, Doc: "Names of which a node must have one, such as `web1.example.net` or `/^web/`."},
		{
			Name: "discovery_method", Kind: playbooks.KindText, Default: broadcast, Choices: []string{broadcast, choriaDB},
			Doc: "How nodes are found: `mc` asks the network, and `choria` asks PuppetDB, which also knows nodes that are down: give such a set `test: true`. " +
				"With `choria` agents are the files of their Puppet modules, `<` and its like compare numbers alone, and a node must have the fact `mcollective.server.collectives`.",
		},
	}
}

type source struct {
	from   Sources
	method string
	filter choria.Filter
}

func (s *source) check(p *playbooks.Properties) {
	if p.Has("compound") {
		p.Remedy("compound", "use classes, facts and identities, which must all hold, or type: pql", "compound filters are not available")
	}
	for _, f := range s.filter.Facts {
		s.checkFact(p, f)
	}
	for _, list := range []struct {
		key   string
		words []string
	}{{"agents", s.filter.Agents}, {"classes", s.filter.Classes}, {"identities", s.filter.Identities}} {
		for _, w := range list.words {
			s.checkPattern(p, list.key, w)
		}
	}
	if s.method == choriaDB {
		for _, a := range s.filter.Agents {
			if re, isPattern := pattern(a); isPattern && validPattern(re) == nil {
				if _, err := tagPattern(re); err != nil {
					p.Problem("agents", "%s: %v", a, err)
				}
			}
		}
	}
	if len(s.filter.Agents) == 0 && !p.Deferred("agents") {
		s.filter.Agents = []string{"rpcutil"} // 2017's default
	}
}

func (s *source) checkFact(p *playbooks.Properties, text string) {
	fact, err := choria.ParseFact(text)
	if err != nil {
		p.Problem("facts", "%v", err)
		return
	}
	s.checkPattern(p, "facts", fact.Value)
	if s.method != choriaDB {
		return
	}
	if _, err := factPath(fact.Fact); err != nil {
		p.Problem("facts", "%v", err)
	}
	if _, err := comparison("facts.x", fact.Operator, fact.Value); err != nil {
		if _, isPattern := pattern(fact.Value); !isPattern || fact.Operator != "=~" { // of which that was said
			p.Problem("facts", "%q: %v", text, err)
		}
	}
}

// checkPattern refuses a regular expression that no server can read: they would all keep silent,
// and the set would be empty without a reason.
func (s *source) checkPattern(p *playbooks.Properties, key, word string) {
	re, isPattern := pattern(word)
	if !isPattern {
		return
	}
	if err := validPattern(re); err != nil {
		p.Problem(key, "%s is not a regular expression: %v", word, err)
	} else if s.method == choriaDB {
		if err := portable(re); err != nil {
			p.Problem(key, "%s: %v", word, err)
		}
	}
}

// Discover implements [engine.NodeSource].
func (s *source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if s.method == choriaDB {
		return s.ask(ctx)
	}
	if s.from.Network == nil {
		return nil, engine.Errorf(engine.CodeInvalid, "no Choria network is configured; set nats.servers in the configuration")
	}
	nodes, err := s.from.Network.Discover(ctx, s.filter)
	if err != nil {
		return nil, fmt.Errorf("discover on the Choria network: %w", err)
	}
	return nodes, nil
}

// ask asks PuppetDB.
func (s *source) ask(ctx context.Context) ([]string, error) {
	if s.from.PuppetDB == nil {
		return nil, engine.Errorf(engine.CodeInvalid,
			"discovery_method: choria asks PuppetDB, and none is configured; set puppetdb.url in the configuration, or leave discovery_method out to ask the network")
	}
	tree, err := query(s.filter, s.from.Collective)
	if err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "%v", err)
	}
	nodes, err := s.from.PuppetDB.Select(ctx, tree)
	if err != nil {
		return nil, fmt.Errorf("discover through PuppetDB: %w", err)
	}
	slices.Sort(nodes)
	return nodes, nil
}
