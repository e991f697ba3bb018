package playbooks_test

import (
	"slices"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

func TestTask_policyNames_are_every_name_of_what_it_does(t *testing.T) {
	t.Parallel()
	for task, want := range map[string][]string{
		"rpc: {nodes: [a], action: puppet.disable}":                  {"mcollective", "choria", "rpc", "puppet.disable"},
		"mcollective: {nodes: [a], action: puppet.disable}":          {"mcollective", "choria", "rpc", "puppet.disable"},
		`choria: {nodes: [a], action: "{{ metadata.name }}.status"}`: {"mcollective", "choria", "rpc"},
		"data: {action: write, key: s/a, value: 1}":                  {"data", "data.write"},
		"playbook: {name: other}":                                    {"playbook", "other"},
		"shell: {command: [ls]}":                                     {"shell"},
	} {
		book, err := playbooks.Parse("b.yaml", []byte(head+"data_stores: {s: {type: memory}}\ntasks:\n  - "+task+"\n"), builtin.Types(builtin.Deps{}))
		if err != nil {
			t.Fatalf("%s: %v", task, err)
		}
		if got := book.Tasks[0].PolicyNames(); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", task, got, want)
		}
	}
}

// The names of the fleet task stand in the language and in the type.
func TestTask_policyNames_agree_with_the_type(t *testing.T) {
	t.Parallel()
	for _, tt := range builtin.Types(builtin.Deps{}).Tasks {
		if tt.Name != "mcollective" {
			continue
		}
		want := append([]string{tt.Name}, tt.Aliases...)
		if got := (&playbooks.Task{Type: tt.Name}).PolicyNames(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
