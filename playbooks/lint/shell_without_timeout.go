package lint

func shellWithoutTimeout() Rule {
	return Rule{
		ID: "shell-without-timeout", Severity: Warning,
		Reason: "A program that hangs holds the run, its locks and everybody who waits for them.",
		Remedy: "add timeout: to the task, as in timeout: 10m, or to the playbook",
		find: func(b *book) {
			for _, t := range b.tasks {
				bounded := !t.Timeout.IsZero() || t.Outer != nil && !t.Outer.Timeout.IsZero() ||
					!b.Timeout.IsZero() && t.List != "always" // which no timeout of the playbook covers
				if t.Type == "shell" && !bounded {
					b.report(t.Pos, "", "the shell command may run for ever")
				}
			}
		},
	}
}
