package mcollective_test

import (
	"context"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
)

func TestMcollective_aTypedValueNeverChangesWhatIsAsserted(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		assert, value string
		refused       bool
	}{
		"a word":                          {"version={{ inputs.v }}", "1.2.3", false},
		"a number":                        {"lag<{{ inputs.v }}", "10", false},
		"words in quotes":                 {`status="{{ inputs.v }}"`, "up and running", false},
		"a name":                          {"{{ inputs.v }}=1 and b=2", "summary.failed", false},
		"a pattern":                       {"version=/^{{ inputs.v }}/", "1.*", false},
		"all of it":                       {"{{ inputs.v }}", "a=1 or b=2", false},
		"another statement":               {"version={{ inputs.v }}", "1 or version>0", true},
		"another statement in quotes":     {`status="{{ inputs.v }}"`, `a" or status>"`, true},
		"a pattern in place of a word":    {"version={{ inputs.v }}", "/.*/", true},
		"an operator in place of a name":  {"{{ inputs.v }}=1", "not a", true},
		"what is no assertion any more":   {"version={{ inputs.v }}", "(", true},
		"a statement that needs no value": {"{{ inputs.v }}=1 and b=2", "a or c", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typ := mcollective.Type(nil, nil)
			book, err := playbooks.Parse("b.yaml", []byte("name: b\nversion: 1.0.0\nauthor: a\ndescription: d\ninputs: {v: {type: String}}\n"+
				"tasks: [{mcollective: {nodes: [a], action: a.b, assert: '"+row.assert+"'}}]\n"), engine.Types{Tasks: []engine.TaskType{typ}})
			if err != nil {
				t.Fatal(err)
			}
			scope := playbooks.Scope{Input: func(context.Context, string) (any, error) { return row.value, nil }}
			p, err := playbooks.Rendered(book.Tasks[0].Properties, t.Context(), scope, playbooks.Special{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = typ.Decode(p)
			if got := err != nil; got != row.refused || got && !strings.Contains(err.Error(), "comparison in") && !strings.Contains(err.Error(), "the assertion cannot be read") {
				t.Errorf("got %v", err)
			}
		})
	}
}
