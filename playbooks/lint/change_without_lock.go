package lint

import "github.com/playbot/playbot/playbooks"

func changeWithoutLock() Rule {
	return Rule{
		ID: "change-without-lock", Severity: Advice,
		Reason: "Two people can start the playbook in the same minute, and then the steps of both mix on the same servers.",
		Remedy: "declare a data store, and take a lock in it with locks: [\"STORE/NAME\"]",
		find: func(b *book) {
			var changes []playbooks.PlacedTask
			for _, t := range b.tasks {
				locked := len(b.Locks) > 0 || len(t.Locks) > 0 || t.Outer != nil && len(t.Outer.Locks) > 0
				if t.List == "tasks" && !locked && b.natureOf(t.Task).changes {
					changes = append(changes, t)
				}
			}
			if len(changes) > 1 {
				b.report(changes[0].Pos, "", "%s and %s change things in turn, and no lock keeps another run away",
					b.natureOf(changes[0].Task).what, b.natureOf(changes[1].Task).what)
			}
		},
	}
}
