package lint

import "github.com/playbot/playbot/playbooks"

func secretInCommand() Rule {
	return Rule{
		ID: "secret-in-command", Severity: Warning,
		Reason: "The words of a command can be read by everybody on the machine for as long as it runs.",
		Remedy: "pass it through environment: and use the variable",
		find: func(b *book) {
			for _, t := range b.tasks {
				if t.Type == "shell" {
					b.secretIn(t.Properties.Lookup("command"))
				}
			}
			for _, set := range b.NodeSets {
				b.secretIn(set.Properties.Lookup("command"))
			}
		},
	}
}

func (b *book) secretIn(command playbooks.Value) {
	for _, name := range command.References().Inputs.List {
		if in, ok := b.Input(name); ok && (in.Secret() || secretName(in.Name)) {
			b.report(command.Pos(), "", "the secret input %q becomes a word of the command", in.Name)
		}
	}
}
