package lint

import (
	"slices"

	"github.com/playbot/playbot/playbooks"
)

func openQuery() Rule {
	return Rule{
		ID: "open-query", Severity: Warning,
		Reason: "Text that a person types can hold quotes, operators or a pattern, and then selects other nodes than the playbook means.",
		Remedy: "add validation to the input: a list of values, or a pattern such as '/\\A[a-z0-9_]+\\z/'",
		find: func(b *book) {
			for _, set := range b.NodeSets {
				if !slices.Contains([]string{"pql", "mcollective", "choria"}, set.Type) {
					continue
				}
				for _, name := range set.Properties.References().Inputs.List {
					if in, ok := b.Input(name); ok && typedFreely(in) {
						b.report(in.Pos, "", "input %q takes any text and decides which nodes are in %q", in.Name, set.Name)
					}
				}
			}
		},
	}
}

// typedFreely reports whether a person may give any text. A dynamic input comes from a store.
func typedFreely(in playbooks.Input) bool {
	free := in.Validation.Choices() == nil && slices.Contains([]string{"", "a value that is string"}, in.Validation.Describe())
	return free && !in.Dynamic && (in.Type == "String" || in.Type == "Array")
}
