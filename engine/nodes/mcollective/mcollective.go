// Package mcollective is the node set type `mcollective` (also `choria`): it asks the Choria
// network who is there, PuppetDB who should be, or a file.
package mcollective

import (
	"context"
	"fmt"
	"slices"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/nodes/mcollective/inventory"
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
	// Collective is that of the network. PuppetDB and inventory files are asked for its members alone; "" for everybody.
	Collective string
	Dir        string // relative paths of files start here
}

// The discovery methods, named as Choria names them.
const (
	broadcast     = "mc"
	choriaDB      = "choria"
	flatFile      = "flatfile"
	inventoryFile = "inventory"
)

func methods() []string { return []string{broadcast, choriaDB, flatFile, inventoryFile} }

// Type is the node set type.
func Type(from Sources) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "mcollective", Aliases: []string{"choria"}, Keys: keys(),
		Summary: "nodes that answer on the Choria network, that PuppetDB knows as its servers, or that a file lists",
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			s := &source{
				from: from, method: p.Choice("discovery_method", broadcast, methods()...),
				filter: choria.Filter{
					Agents: p.Strings("agents"), Classes: p.Strings("classes"), Facts: p.Strings("facts"), Identities: p.Strings("identities"),
					Compound: p.Text("compound", ""),
				},
			}
			s.check(p)
			return s, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "agents", Kind: playbooks.KindTexts, Default: "[rpcutil]", Doc: "Agents that a node must have. All filters of a set must hold; a word between slashes is a regular expression. The default is that of `mc` and `choria`; the other methods have none."},
		{Name: "classes", Kind: playbooks.KindTexts, Doc: "Classes that a node must be in, such as `roles::web` or `/^roles::/`."},
		{Name: "facts", Kind: playbooks.KindTexts, Doc: "Facts that must hold, such as `country=uk` or `os.family=/^deb/`. The operators are `=`, `==`, `=~`, `!=`, `<`, `<=`, `>` and `>=`."},
		{Name: "identities", Kind: playbooks.KindTexts, Doc: "Names of which a node must have one, such as `web1.example.net` or `/^web/`. With `inventory`, `group:NAME` is every node of a group of the file."},
		{
			Name: "compound", Kind: playbooks.KindText,
			Doc: "An expression that must hold, for `mc` and `inventory`: `with(\"country=uk\") and not with(\"roles::web\")`. `with` takes a fact, a class or an agent; there are also " +
				"`fact(\"os.family\")`, `include(fact(\"list\"), 1)`, `semver(fact(\"version\"), \">= 2\")`, and with `mc` what data plugins bring.",
		},
		{
			Name: "discovery_method", Kind: playbooks.KindText, Default: broadcast, Choices: methods(),
			Doc: "How nodes are found: `mc` asks the network, and `choria` asks PuppetDB, which also knows nodes that are down: give such a set `test: true`. " +
				"With `choria` agents are the files of their Puppet modules, `<` and its like compare numbers alone, and a node must have the fact `mcollective.server.collectives`. " +
				"`flatfile` reads names from a file, and `inventory` an inventory file of Choria, in which filters select as they do on the network.",
		},
		{
			Name: "discovery_options", Kind: playbooks.KindTextMap,
			Doc: "For `flatfile` and `inventory`: `file`, the path; a relative one starts at `data_dir`. For `flatfile` also `format`, one of `text` (a name in each line), `json`, `yaml` (a list) and `choriarpc` " +
				"(what `choria req -j` prints), which else follows the name of the file, and `filter`, the path in [GJSON](https://github.com/tidwall/gjson) to the list.",
		},
	}
}

type source struct {
	from   Sources
	method string
	filter choria.Filter
	list   list // of files
}

// Discover implements [engine.NodeSource].
func (s *source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	switch s.method {
	case choriaDB:
		return s.ask(ctx)
	case flatFile:
		return s.list.find(ctx, s.filter.Identities)
	case inventoryFile:
		return s.look(ctx)
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

// look looks into an inventory file, which is read anew each time.
func (s *source) look(ctx context.Context) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f, err := inventory.Read(s.list.path)
	if err != nil {
		return nil, err
	}
	return f.Find(s.from.Collective, s.filter)
}
