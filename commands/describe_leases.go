package commands

import (
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// leases says which nodes are reserved for a run, and what it does when another run has one of them.
func (o outline) leases() []Block {
	var sets playbooks.Names
	own := false // nodes that no set has
	for _, t := range o.book.AllTasks() {
		nodes := t.Properties.Lookup("nodes")
		if t.Rolling != nil || nodes.IsZero() || o.onlyReads(t.Task) {
			continue
		}
		refs := t.Properties.References()
		if refs.Wave && t.Outer != nil {
			nodes = t.Outer.Rolling.Nodes
			refs.Add(nodes.References())
		}
		sets.List, sets.All = append(sets.List, refs.Nodes.List...), sets.All || refs.Nodes.All
		from := nodes.References().Nodes
		own = own || !from.All && len(from.List) == 0
	}
	var which []string
	for i := range o.book.NodeSets {
		if name := o.book.NodeSets[i].Name; sets.Has(name) {
			which = append(which, "the nodes of "+name)
		}
	}
	if own {
		which = append(which, "the nodes that tasks name")
	}
	if len(which) == 0 {
		return nil
	}
	text := strings.Join(which, ", ") + ", until the run ends; "
	switch o.book.Leases {
	case playbooks.LeasesNone:
		text = "no nodes; other runs may change them meanwhile"
	case playbooks.LeasesFail:
		text += "fails when another run has one"
	default:
		text += "waits while another run has one, 2m at most"
	}
	return []Block{paragraph(bold("Reserves"), plain(": "), outside(text))}
}

// onlyReads reports whether a task is one of those that the policy lists as reading.
func (o outline) onlyReads(t *playbooks.Task) bool {
	return slices.ContainsFunc(t.PolicyNames(), o.rules.ReadOnly)
}
