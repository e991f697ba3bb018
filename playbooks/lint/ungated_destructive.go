package lint

import "github.com/playbot/playbot/playbooks"

func ungatedDestructive() Rule {
	return Rule{
		ID: "ungated-destructive", Severity: Warning,
		Reason: "Whoever may start the playbook changes servers with one line in chat, and nobody looks at the nodes first.",
		Remedy: "add destructive: true to it or to a task before it, or gate it in the policy",
		find: func(b *book) {
			before := b.ungated("pre_book", false)
			for _, list := range []string{"pre_task", "post_task"} {
				b.ungated(list, before)
			}
			b.ungated("on_success", b.ungated("tasks", before))
			for _, list := range []string{"on_fail", "post_book", "always"} {
				b.ungated(list, false) // may run although nobody was asked yet
			}
		},
	}
}

// ungated reports the changes of a list before which nobody is asked. asked says whether somebody was
// before the list began; the result, whether somebody was when it ends. A gate that may be skipped
// stands for the tasks under the same condition only.
func (b *book) ungated(list string, asked bool) bool {
	under := make(map[string]bool) // conditions
	for _, t := range b.tasks {
		if t.List != list {
			continue
		}
		gated := b.gated(t.Task) || t.Outer != nil && b.gated(t.Outer)
		when := condition(t.Outer) + condition(t.Task)
		n := b.natureOf(t.Task)
		switch {
		case gated && when == "":
			asked = true
		case gated:
			under[when] = true
		case (n.changes || n.program && list == "tasks") && !asked && !under[when]:
			does := "changes things"
			if n.program {
				does = "may change anything"
			}
			b.report(t.Pos, "", "%s %s, and nobody is asked before it", n.what, does)
		}
	}
	return asked
}

// condition is the text of a task's condition, a line of its own; "" when it has none.
func condition(t *playbooks.Task) string {
	if t == nil || t.When == nil {
		return ""
	}
	return t.When.Source() + "\n"
}
