package lint

import (
	"slices"

	"github.com/playbot/playbot/playbooks"
)

func waveWithoutCheck() Rule {
	return Rule{
		ID: "wave-without-check", Severity: Warning,
		Reason: "Waves limit damage only if something between them notices it: a change can succeed on a server that is broken afterwards.",
		Remedy: "end the tasks of the wave with one that fails when a node is not healthy, as with expect: or assert:",
		find: func(b *book) {
			for _, t := range b.tasks {
				if t.Rolling != nil && b.changesOnly(t.Rolling.Tasks) {
					b.report(t.Pos, "", "the waves change nodes and look at none of them before the next wave")
				}
			}
		},
	}
}

// changesOnly reports whether tasks change things, and none of them can notice that it went wrong.
func (b *book) changesOnly(tasks []playbooks.Task) bool {
	changes := false
	for i := range tasks {
		t := &tasks[i]
		asserts := !t.Properties.Lookup("assert").IsZero() || !t.Properties.Lookup("expect").IsZero()
		talks := slices.Contains([]string{"log", "sleep", "slack", "graphite_event", "data"}, t.Type)
		n := b.natureOf(t)
		if asserts || !n.changes && !talks {
			return false
		}
		changes = changes || n.changes
	}
	return changes
}
