package lint

func retriedChange() Rule {
	return Rule{
		ID: "retried-change", Severity: Advice,
		Reason: "A try that failed may have done half of its work, and the next one does that half again.",
		Remedy: "set retry: failed, say idempotent: true if a repeat does no harm, or leave the repeat to a person",
		find: func(b *book) {
			for _, t := range b.tasks {
				tries := count(t.Tries, 1)
				declared := t.Idempotent != nil && *t.Idempotent
				onlyFailed := literal(t.Properties.Lookup("retry")) == "failed"
				if n := b.natureOf(t.Task); tries > 1 && n.repeats && !declared && !onlyFailed {
					remedy := ""
					if n.program {
						remedy = "say idempotent: true if a repeat does no harm, or leave the repeat to a person"
					}
					b.report(t.Tries.Pos(), remedy, "%s is tried up to %d times", n.what, tries)
				}
			}
		},
	}
}
