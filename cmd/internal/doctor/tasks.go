package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// tasksOf are all tasks of a playbook, those of waves included.
func tasksOf(b *playbooks.Playbook) []playbooks.Task {
	var out []playbooks.Task
	for _, list := range []string{"tasks", "pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"} {
		for _, t := range b.List(list) {
			out = append(out, t)
			if t.Rolling != nil {
				out = append(out, t.Rolling.Tasks...)
			}
		}
	}
	return out
}

// actionsOf are the names by which patterns of the policy know what a task does: its action, as in
// haproxy.disable, and that of other types behind the type, as in data.write. None are known of an action
// that a template makes.
func actionsOf(t playbooks.Task) []string {
	action := t.Properties.Lookup("action").Source()
	switch {
	case action == "" || strings.Contains(action, "{{"):
		return nil
	case strings.Contains(action, "."):
		return []string{action}
	}
	return []string{action, t.Type + "." + action}
}

// namesOf are those and the names of the type, by any of which a policy may gate it.
func namesOf(t playbooks.Task, types engine.Types) []string {
	out := append(actionsOf(t), t.Type)
	for _, tt := range types.Tasks {
		if tt.Name == t.Type || slices.Contains(tt.Aliases, t.Type) {
			out = append(append(out, tt.Name), tt.Aliases...)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
