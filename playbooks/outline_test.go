package playbooks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// outline is a loaded book as a person can check it: what was understood, with the tasks rendered
// in a run whose inputs are called like their values.
func outline(t *testing.T, b *playbooks.Playbook) string {
	t.Helper()
	seen := scope()
	for _, set := range b.NodeSets {
		seen.Nodes[set.Name] = []string{set.Name + "1", set.Name + "2"}
	}
	show := func(v playbooks.Value) string { return rendered(t, v, seen) }
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s by %s: %s\n", b.Name, b.Version, b.Author, b.Description)
	fmt.Fprintf(&out, "run_as %q loglevel %q tags %v\n", b.RunAs, b.LogLevel, b.Tags)
	for _, w := range b.Warnings {
		fmt.Fprintf(&out, "%s\n", w.Error())
	}
	for _, in := range b.Inputs {
		fmt.Fprintf(&out, "input %s: %s required=%t default=%v data=%q dynamic=%t save=%t accepts %q\n",
			in.Name, in.Type, in.Required, in.Default, in.Data, in.Dynamic, in.Save, in.Validation.Describe())
	}
	for _, s := range b.DataStores {
		fmt.Fprintf(&out, "store %s: %s %s\n", s.Name, s.Type, show(s.Properties))
	}
	for _, l := range b.Locks {
		fmt.Fprintf(&out, "lock %s\n", show(l))
	}
	for _, s := range b.NodeSets {
		fmt.Fprintf(&out, "nodes %s: %s at_least=%s at_most=%s limit=%s empty_ok=%t test=%s uses=%v %s\n",
			s.Name, s.Type, show(s.AtLeast), show(s.AtMost), show(s.Limit), s.EmptyOK, show(s.Test), s.Uses, show(s.Properties))
	}
	for _, list := range []string{"tasks", "pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"} {
		for _, task := range b.List(list) {
			fmt.Fprintf(&out, "%s: %s %s tries=%s fail_ok=%t %s\n", list, task.Type, show(task.Description),
				show(task.Tries), task.FailOK, show(task.Properties))
		}
	}
	return out.String()
}

func rendered(t *testing.T, v playbooks.Value, s playbooks.Scope) string {
	t.Helper()
	data, err := v.Render(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}

// scope is that of a run in which everything has a value of its own.
func scope() playbooks.Scope {
	now := time.Date(2017, 3, 6, 9, 5, 7, 0, time.FixedZone("CET", 3600))
	inputs := inputValues()
	return playbooks.Scope{
		Input:    inputFrom(inputs),
		Nodes:    map[string][]string{"web": {"web1", "web2"}, "none": {}},
		Metadata: map[string]any{"name": "book", "version": "1.0.0", "tags": []any{"a", "b"}},
		Tasks:    map[string]map[string]any{"first": {"ran": true, "success": false, "data": []any{}, "message": "it broke"}},
		Run:      map[string]any{"id": "r-7k3f"},
		Started:  now.Add(-90500 * time.Millisecond), Now: func() time.Time { return now },
	}
}

// inputValues are the inputs that the books of these tests declare, one of each type.
func inputValues() map[string]any {
	return map[string]any{
		"text": "hello", "int": 1, "float": 1.5, "bool": true, "list": []any{"a", 2, true},
		"map": map[string]any{"k": "<v>", "n": 1}, "web-tier": "alfa", "template": "{{ inputs.text }}",
		"hostile": `'; echo "$(id)" #`,
	}
}
