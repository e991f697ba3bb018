package playbooks

import "strings"

// fleetTask lists the names of the task type that asks the fleet; patterns about one are about all.
func fleetTask() []string { return []string{"mcollective", "choria", "rpc"} }

// PolicyNames are the names under which patterns of a policy know a task: its type, and what it does,
// such as "puppet.disable", "data.write" or the name of the playbook that it starts. What is in a
// template is not known before the task runs.
func (t *Task) PolicyNames() []string {
	names := []string{t.Type}
	for _, alias := range fleetTask() {
		if t.Type == alias {
			names = fleetTask()
		}
	}
	key := "action"
	if t.Type == "playbook" {
		key = "name"
	}
	v := t.Properties.Lookup(key)
	word := v.Source()
	switch {
	case v.hasTemplate() || word == "":
	case key == "action" && !strings.Contains(word, "."):
		names = append(names, t.Type+"."+word) // as data.write
	default:
		names = append(names, word)
	}
	return names
}
