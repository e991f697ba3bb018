package lint

func unusedInput() Rule {
	return Rule{
		ID: "unused-input", Severity: Advice,
		Reason: "People are asked for a value that changes nothing, and believe that it does.",
		Remedy: "use it, or remove it",
		find: func(b *book) {
			for _, t := range b.tasks {
				if inherit := t.Properties.Lookup("inherit_inputs"); t.Type == "playbook" && !inherit.IsZero() && literal(inherit) != "false" {
					return // the other playbook may use any of them
				}
			}
			for _, in := range b.Inputs {
				if !b.refs.Inputs.Has(in.Name) && !in.Save { // saving it is a use
					b.report(in.Pos, "", "nothing uses input %q", in.Name)
				}
			}
		},
	}
}
