package lint

import "github.com/playbot/playbot/playbooks"

func unknownRole() Rule {
	return Rule{
		ID: "unknown-role", Severity: Warning,
		Reason: "A gate that asks for a role which the policy does not have can be approved by nobody, and its task always fails.",
		Remedy: "name a role of the policy, or add it to the configuration",
		find: func(b *book) {
			if b.options.Roles == nil {
				return
			}
			b.rolesOf(b.Approval)
			for _, t := range b.tasks {
				b.rolesOf(t.Approval)
			}
		},
	}
}

func (b *book) rolesOf(a playbooks.Approval) {
	if name, why := b.options.Roles.UnknownRole(a.From); name != "" {
		b.report(a.Pos, "", "%s", why)
	}
}
