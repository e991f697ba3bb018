package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

func unboundedNodeSet() Rule {
	return Rule{
		ID: "unbounded-node-set", Severity: Warning,
		Reason: "A change of every server that answers is seldom meant, and one approval covers all of them.",
		Remedy: "select nodes by class, fact or identity, or set limit",
		find: func(b *book) {
			changed := b.changedSets()
			for _, set := range b.NodeSets {
				if what := changed[set.Name]; what != "" && set.Limit.IsZero() && set.AtMost.IsZero() && everyNode(set) {
					b.report(set.Pos, "", "node set %q is every node there is, and %s acts on them", set.Name, what)
				}
			}
		},
	}
}

// changedSets says which node sets are changed, and by what.
func (b *book) changedSets() map[string]string {
	out := make(map[string]string)
	for _, t := range b.tasks {
		n := b.natureOf(t.Task)
		if !n.changes && !n.program {
			continue
		}
		refs := t.Properties.Lookup("nodes").References()
		if refs.Wave && t.Outer != nil {
			refs.Add(t.Outer.Rolling.Nodes.References())
		}
		for _, name := range refs.Nodes.List {
			if out[name] == "" {
				out[name] = n.what
			}
		}
	}
	return out
}

// everyNode reports whether a set selects nothing. An agent is no selection: the common ones are on
// every node.
func everyNode(set playbooks.NodeSet) bool {
	switch set.Type {
	case "mcollective", "choria":
		for _, key := range []string{"classes", "facts", "identities"} {
			if selects(set.Properties.Lookup(key)) {
				return false
			}
		}
		return true
	case "pql":
		query := literal(set.Properties.Lookup("query"))
		return query != "" && !conditional(query)
	}
	return false // a list that somebody keeps
}

// selects reports whether a filter leaves nodes out.
func selects(v playbooks.Value) bool {
	all := v.Items()
	if len(all) == 0 {
		all = []playbooks.Value{v}
	}
	return slices.ContainsFunc(all, func(v playbooks.Value) bool {
		return !slices.Contains([]string{"", "/./", "/.*/", "/.+/", "/^.*$/"}, strings.TrimSpace(v.Source()))
	})
}

var (
	paging = regexp.MustCompile(`(?i)\b(order\s+by\s+[\w.]+(\s+(asc|desc))?(\s*,\s*[\w.]+(\s+(asc|desc))?)*|offset\s+\d+)`)
	anyway = regexp.MustCompile(`(?i)^(and|or|\s|\(|\)|(deactivated|expired)\s+is\s+(not\s+)?null|certname\s*~\s*(["']\.?[*+]?["']))*$`)
)

// conditional reports whether a PQL query has a condition that leaves nodes out, or a limit.
func conditional(query string) bool {
	_, body, _ := strings.Cut(query, "{")
	if end := strings.LastIndex(body, "}"); end >= 0 {
		body = body[:end]
	}
	return !anyway.MatchString(paging.ReplaceAllString(body, ""))
}
