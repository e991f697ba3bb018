package playbooks_test

import (
	"slices"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

func TestReferences_of_a_playbook(t *testing.T) {
	t.Parallel()
	book := parse(t, head+`
timeout: "{{ inputs.in_timeout }}"
inputs:
  in_timeout: {type: String}
  in_lock: {type: String}
  in_set: {type: String}
  in_limit: {type: Integer}
  in_store: {type: String}
  in_use: {type: String}
  in_task: {type: String}
  in_when: {type: Integer}
  in-brackets: {type: String}
  in_wave: {type: Integer}
  in_task_lock: {type: String}
  in_condition: {type: Integer}
  in_hook: {type: String}
  nowhere: {type: String}
uses: {a: "{{ inputs.in_use }}"}
data_stores:
  s: {type: any, file: "{{ inputs.in_store }}"}
locks: ["s/{{ inputs.in_lock }}"]
nodes:
  web: {type: any, query: "{{ inputs.in_set }}", limit: "{{ inputs.in_limit }}"}
  nowhere: {type: any}
tasks:
  - any:
      v: [{deep: "{{ inputs.in_task }}"}]
      when: inputs.in_when > 1 && inputs["in-brackets"] == "x"
      locks: ["s/{{ inputs.in_task_lock }}"]
      expect: data.lag < inputs.in_condition
      as: first
  - rolling:
      nodes: "{{ nodes.web }}"
      waves: ["{{ inputs.in_wave }}"]
      tasks:
        - any: {nodes: "{{ wave.nodes }}"}
hooks:
  always:
    - any: {v: "{{ inputs.in_hook }} {{ tasks.first.ran }}"}
`)
	refs := book.References()
	for _, in := range book.Inputs {
		if got, want := refs.Inputs.Has(in.Name), in.Name != "nowhere"; got != want {
			t.Errorf("input %s: got %v, want %v", in.Name, got, want)
		}
	}
	if refs.Inputs.All || !refs.Nodes.Has("web") || refs.Nodes.Has("nowhere") || !refs.Tasks.Has("first") || !refs.Wave {
		t.Errorf("got %+v, want the node set web, the task first and the wave", refs)
	}
}

func TestReferences_to_a_computed_name_may_be_to_any(t *testing.T) {
	t.Parallel()
	for source, all := range map[string]bool{
		"{{ len(inputs) }}": true, "{{ inputs[inputs.text] }}": true, "{{ inputs.text + inputs.template }}": false,
	} {
		if got := mustValue(t, `"`+source+`"`).References().Inputs; got.All != all || !all && got.Has("hostile") {
			t.Errorf("%s: got %+v, want all %v", source, got, all)
		}
	}
}

func TestAllTasks_stand_in_the_order_of_running(t *testing.T) {
	t.Parallel()
	book := parse(t, head+`
hooks:
  always: [{any: {as: last}}]
  pre_book: [{any: {as: first}}]
tasks:
  - rolling: {as: outer, nodes: [a], waves: [1], tasks: [{any: {as: inner}}]}
  - any: {as: after}
`)
	var got []string
	for _, p := range book.AllTasks() {
		got = append(got, p.List+" "+p.As)
		if (p.Outer != nil) != (p.As == "inner") {
			t.Errorf("%s stands in %v", p.As, p.Outer)
		}
	}
	if want := []string{"pre_book first", "tasks outer", "tasks inner", "tasks after", "always last"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestProblem_suggestion(t *testing.T) {
	t.Parallel()
	for remedy, want := range map[string]string{
		`did you mean "tasks"?`:                          "tasks",
		"give a task `as: x`; did you mean \"y \\\"z\"?": `y "z`,

		"known: a, b":       "",
		"did you mean":      "",
		"did you mean what": "",
	} {
		if got := (&playbooks.Problem{Remedy: remedy}).Suggestion(); got != want {
			t.Errorf("%s: got %q, want %q", remedy, got, want)
		}
	}
}

func TestProblemAt_shows_the_line(t *testing.T) {
	t.Parallel()
	book := parse(t, head+"tasks:\r\n  - any: {}\r\n")
	if got := book.ProblemAt(playbooks.Pos{Line: 6, Column: 5}, "r", "m %d", 1).Render(); got != "b.yaml:6:5: m 1; r\n    6 |   - any: {}\n      |     ^\n" {
		t.Errorf("got\n%s", got)
	}
	for _, line := range []int{0, 99} {
		if got := book.ProblemAt(playbooks.Pos{Line: line, Column: 1}, "", "m").Line; got != "" {
			t.Errorf("line %d: got %q, want none", line, got)
		}
	}
}
