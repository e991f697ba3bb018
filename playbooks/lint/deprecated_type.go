package lint

import "github.com/playbot/playbot/playbooks"

func deprecatedType() Rule {
	return Rule{
		ID: "deprecated-type", Severity: Warning,
		Reason: "A deprecated type works for now and is taken out one day.",
		Remedy: "use what the message names",
		find: func(b *book) {
			if b.options.Types == nil {
				return
			}
			tell := func(kind, typ string, pos playbooks.Pos) {
				if instead := b.options.Types.Deprecated(kind, typ); instead != "" {
					b.report(pos, instead, "the type %s is deprecated", typ)
				}
			}
			for _, t := range b.tasks {
				tell("task", t.Type, t.Pos)
			}
			for _, s := range b.NodeSets {
				tell("nodes", s.Type, s.Pos)
			}
			for _, s := range b.DataStores {
				tell("data_stores", s.Type, s.Pos)
			}
		},
	}
}
