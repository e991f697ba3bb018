package playbooks_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

func TestTemplates_keep_types_alone_and_become_text_among_text(t *testing.T) {
	t.Parallel()
	nodes := []any{"web1", "web2"}
	tests := []struct {
		yaml string
		want any
	}{
		// Alone: the type stays (14.7).
		{`"{{ input.int }}"`, 1},
		{`"{{{ input.int }}}"`, 1},
		{`"{{{ inputs.int }}}"`, 1},
		{`"{{inputs.int}}"`, 1},
		{`"{{ inputs.int }}}"`, 1},
		{`"{{\n inputs.int\n }}"`, 1},
		{`"{{ inputs.float }}"`, 1.5},
		{`"{{ inputs.bool }}"`, true},
		{`"{{ inputs.list }}"`, []any{"a", 2, true}},
		{`"{{ inputs.map }}"`, map[string]any{"k": "<v>", "n": 1}},
		{`"{{ inputs.web-tier }}"`, "alfa"},
		{`"{{{ nodes.web}}}"`, nodes},
		{`"{{ nodes.none }}"`, []any{}},
		{`"{{{metadata.tags}}}"`, []any{"a", "b"}},
		{`"{{{previous_task.msg}}}"`, "No previous task was found"},
		{`"{{ failed_task.data }}"`, []any{}},
		{`"{{ elapsed_time }}"`, 90.5},
		// Among text: text.
		{`"{ input.int }"`, "{ input.int }"},
		{`" {{ inputs.int }}"`, " 1"},
		{`"{{ inputs.int }}{{ inputs.bool }}"`, "1true"},
		{`"on {{ nodes.web }}: {{ inputs.list }}"`, "on web1, web2: a, 2, true"},
		{`"{{ inputs.map }}!"`, `{"k":"<v>","n":1}!`},
		{`"a {{ nodes.none }} b"`, "a  b"},
		{`"ü {{ inputs.text }} ü"`, "ü hello ü"},
		// Traps of 2017 (7.4): several lines of which one is a template, and two dates.
		{"|\n  first\n  {{ inputs.int }}\n  last", "first\n1\nlast\n"},
		{`"{{ date(%Y) }} {{ utc_date('%H') }}"`, "2017 08"},
		// Dates.
		{`"{{ date(%Y-%m-%d) }}"`, "2017-03-06"},
		{`"{{ date('%Y-%m-%d') }}"`, "2017-03-06"},
		{`'{{ date("%H:%M:%S %Z") }}'`, "09:05:07 CET"},
		{`"{{ utc_date( '%FT%TZ' ) }}"`, "2017-03-06T08:05:07Z"},
		{`"{{ date('%d}}%m') }}"`, "06}}03"},
		{`"{{ date('%F') == date('%F') }}"`, true},
		{`'{{ date("%F") + " at " + date("%R") }}'`, "2017-03-06 at 09:05"},
		// The escape, and braces that are none.
		{`"{{{{ inputs.int }}"`, "{{ inputs.int }}"},
		{`"{{{{{{ inputs.int }}"`, "{{1"},
		{`"a {{{{ b {{ inputs.int }} c {{{{"`, "a {{ b 1 c {{"},
		{`"}} a } {"`, "}} a } {"},
		// A value is never looked at again.
		{`"{{ inputs.template }}"`, "{{ inputs.text }}"},
		{`"<{{ inputs.template }}>"`, "<{{ inputs.text }}>"},
		// Lists and mappings are walked; keys and other scalars stay.
		{`["{{ inputs.int }}", x, 2, null, 1.50]`, []any{1, "x", 2, nil, 1.5}},
		{`{"{{ inputs.int }}": ["{{ inputs.bool }}"], on: yes}`, map[string]any{"{{ inputs.int }}": []any{true}, "on": "yes"}},
		// Expressions.
		{`'{{ inputs["web-tier"] }}'`, "alfa"},
		{`"{{ inputs.int + 1 }}"`, 2},
		{`'{{ {"a": {"b": 1}} }}'`, map[string]any{"a": map[string]any{"b": 1}}},
		{`"{{ '}}' + inputs.text }}"`, "}}hello"},
		{"'{{ `}}` }}'", "}}"},
		{`'{{ "\"}}" }}'`, `"}}`},
		{`"{{ len(nodes.web) }} nodes"`, "2 nodes"},
		{`"{{ tasks.first.ran ? 'ran' : 'did not run' }}"`, "ran"},
		{`"{{ run.id }}"`, "r-7k3f"},
		{`"{{ len(inputs) > 5 }}"`, true},
		{`"{{ 'text' in inputs }}"`, true},
		{`"{{ get(inputs, 'text') }}"`, "hello"},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			t.Parallel()
			got, err := mustValue(t, tt.yaml).Render(t.Context(), scope())
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v (%v), want %#v", got, err, tt.want)
			}
		})
	}
}

func TestUUID_is_a_new_one_at_each_reference(t *testing.T) {
	t.Parallel()
	got, err := mustValue(t, `"{{ uuid }} {{ uuid }} {{ uuid + '' }}"`).Render(t.Context(), scope())
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(got.(string))
	shape := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	if len(words) != 3 || words[0] == words[1] || words[1] == words[2] || !shape.MatchString(words[0]) || !shape.MatchString(words[2]) {
		t.Errorf("got %v, want three different UUIDs", words)
	}
}

func TestRender_says_which_template_failed_and_why(t *testing.T) {
	t.Parallel()
	s := scope()
	s.Input = inputFrom(map[string]any{"broken": errStore})
	for _, text := range []string{`"{{ inputs.broken }}"`, `"a {{ inputs.broken }}"`, `["{{ inputs.broken + 'x' }}"]`, `{a: "{{ inputs.broken }}"}`} {
		_, err := mustValue(t, text).Render(t.Context(), s)
		problem, ok := errors.AsType[*playbooks.Problem](err)
		if !ok || !errors.Is(err, errStore) || problem.Pos.Line == 0 || !strings.Contains(problem.Message, "inputs.broken") {
			t.Errorf("%s: got %v, want the place, the template and its cause", text, err)
		}
	}
	if _, err := mustValue(t, `"{{ inputs.text }}"`).Render(t.Context(), playbooks.Scope{}); err == nil {
		t.Error("got a value without inputs, want an error")
	}
	if _, err := mustValue(t, `"{{ nodes.web }}"`).Render(t.Context(), playbooks.Scope{}); err == nil {
		t.Error("got a node set that is not resolved, want an error")
	}
}

func TestRender_hands_out_copies(t *testing.T) {
	t.Parallel()
	s := scope()
	v := mustValue(t, `"{{ nodes.web }}"`)
	first, _ := v.Render(t.Context(), s)
	first.([]any)[0] = "changed"
	if second, _ := v.Render(t.Context(), s); second.([]any)[0] != "web1" {
		t.Errorf("got %v, want the node set as it was", second)
	}
}
