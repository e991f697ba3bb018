package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/playbot/playbot/playbooks"
)

// discoverAll resolves every node set, in the order of the playbook.
func (p *performer) discoverAll(ctx context.Context) (map[string][]string, error) {
	found := make(map[string][]string, len(p.book.NodeSets))
	for i := range p.book.NodeSets {
		set := &p.book.NodeSets[i]
		nodes, err := p.discover(ctx, set)
		if err != nil {
			return nil, fmt.Errorf("node set %q: %w", set.Name, err)
		}
		found[set.Name] = nodes
	}
	return found, nil
}

func (p *performer) discover(ctx context.Context, set *playbooks.NodeSet) ([]string, error) {
	t, ok := p.engine.opts.Types.nodes(set.Type)
	if !ok {
		return nil, Errorf(CodeInvalid, "there is no node set type %q", set.Type)
	}
	props, err := playbooks.Rendered(set.Properties, ctx, p.scope())
	if err != nil {
		return nil, err
	}
	source, err := t.Decode(props)
	if err != nil {
		return nil, err
	}
	nodes, err := source.Discover(ctx, p.call(ctx, AttemptStarted{Path: Path("nodes." + set.Name)}, time.Now(), &notebook{}))
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(nodes, notANode); i >= 0 {
		return nil, Errorf(CodeInvalid, "%q is not the name of a node; look at what the set asks for", nodes[i])
	}
	nodes = unique(nodes)
	if len(nodes) == 0 && !set.EmptyOK {
		return nil, p.emptySet(ctx, set)
	}
	if set.Limit > 0 && len(nodes) > set.Limit {
		nodes = nodes[:set.Limit]
	}
	if len(nodes) < set.AtLeast && (len(nodes) > 0 || !set.EmptyOK) {
		return nil, Errorf(CodeFailed, "needs at least %d nodes, found %d", set.AtLeast, len(nodes))
	}
	return nodes, nil
}

// notANode reports whether a name holds what no certificate name does. A source outside says what it
// likes, and names go into subjects, commands and messages.
func notANode(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("*<>&`'\"$\\|;", r)
	})
}

func (p *performer) emptySet(ctx context.Context, set *playbooks.NodeSet) error {
	if !set.WhenEmpty.IsZero() {
		v, err := set.WhenEmpty.Render(ctx, p.scope())
		if err != nil {
			return err
		}
		return Errorf(CodeFailed, "%v", v)
	}
	return Errorf(CodeFailed, "did not discover any nodes")
}

func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	out := make([]string, 0, len(list))
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
