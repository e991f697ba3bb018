package lint

func retryWithoutSleep() Rule {
	return Rule{
		ID: "retry-without-sleep", Severity: Warning,
		Reason: "Tries without a pause are over within a moment, and hit a service that is down with all they have.",
		Remedy: "remove try_sleep, which then is 10 seconds, or write a longer one",
		find: func(b *book) {
			for _, t := range b.tasks {
				if count(t.Tries, 1) > 1 && count(t.TrySleep, 10) == 0 {
					b.report(t.TrySleep.Pos(), "", "%d tries follow each other without a pause", count(t.Tries, 1))
				}
			}
		},
	}
}
