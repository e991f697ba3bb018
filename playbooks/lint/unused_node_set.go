package lint

func unusedNodeSet() Rule {
	return Rule{
		ID: "unused-node-set", Severity: Advice,
		Reason: "Its nodes are looked for in every run, and the run ends when there are none.",
		Remedy: "use it, or remove it",
		find: func(b *book) {
			used := b.refs.Nodes
			for _, in := range b.Inputs {
				if in.Choices != nil {
					used.List = append(used.List, in.Choices.Nodes)
				}
			}
			for _, s := range b.NodeSets {
				precondition := !s.Test.IsZero() || len(s.Uses) > 0
				if !used.Has(s.Name) && !precondition {
					b.report(s.Pos, "", "nothing uses node set %q", s.Name)
				}
			}
		},
	}
}
