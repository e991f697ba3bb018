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
	props, err := playbooks.Rendered(set.Properties, ctx, p.scope(), playbooks.Special{})
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
	if slices.ContainsFunc(nodes, func(n string) bool { return p.redact().hides(n) }) {
		return nil, Errorf(CodeInvalid, "the name of a node would hold a secret, and names of nodes are shown; leave the secret out of what the set asks for")
	}
	nodes = unique(nodes)
	b, err := p.bounds(ctx, set)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 && !set.EmptyOK && b.atLeast > 0 {
		return nil, p.emptySet(ctx, set)
	}
	return b.hold(nodes, set.EmptyOK)
}

// bounds are how many nodes a set must and may have; 0 is no bound for atMost and limit.
type bounds struct{ atLeast, atMost, limit int }

// hold refuses too few nodes and too many, and keeps the first of those that are left.
func (b bounds) hold(nodes []string, emptyOK bool) ([]string, error) {
	if b.atMost > 0 && len(nodes) > b.atMost {
		return nil, Errorf(CodeFailed, "may have at most %d nodes, found %d: %s", b.atMost, len(nodes), few(nodes))
	}
	if b.limit > 0 && len(nodes) > b.limit {
		nodes = nodes[:b.limit]
	}
	if len(nodes) < b.atLeast && (len(nodes) > 0 || !emptyOK) {
		return nil, Errorf(CodeFailed, "needs at least %d nodes, found %d", b.atLeast, len(nodes))
	}
	return nodes, nil
}

func (p *performer) bounds(ctx context.Context, set *playbooks.NodeSet) (bounds, error) {
	var b bounds
	for _, bound := range []struct {
		key      string
		value    playbooks.Value
		fallback int
		least    int
		into     *int
	}{{"at_least", set.AtLeast, 1, 0, &b.atLeast}, {"at_most", set.AtMost, 0, 1, &b.atMost}, {"limit", set.Limit, 0, 1, &b.limit}} {
		n, err := wholeNumber(ctx, bound.key, bound.value, bound.fallback, p.scope())
		if err == nil && !bound.value.IsZero() && n < bound.least {
			err = Errorf(CodeInvalid, "%s is %d; it must be %d or more", bound.key, n, bound.least)
		}
		if err != nil {
			return b, err
		}
		*bound.into = n
	}
	return b, nil
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
