package playbooks_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/playbooks"
)

func TestLit_holds_plain_data_in_which_nothing_is_a_template(t *testing.T) {
	t.Parallel()
	data := map[string]any{"b": []any{1, "{{ inputs.x }}", nil, map[string]any{}}, "a": 1.5, "c": true}
	v := playbooks.Lit(data)
	got, err := v.Render(t.Context(), playbooks.Scope{})
	if err != nil || !reflect.DeepEqual(got, data) {
		t.Errorf("got %v (%v), want %v", got, err, data)
	}
	if literal, ok := v.Literal(); !ok || !reflect.DeepEqual(literal, data) {
		t.Errorf("got %v, %t, want the data", literal, ok)
	}
	if got := v.Entries()[0].Key; got != "a" {
		t.Errorf("got %q first, want an order that does not change", got)
	}
}

func TestValue_knows_its_source_and_whether_it_is_literal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		source  string
		literal bool
	}{
		"hello": {"hello", true}, "5": {"5", true}, `"{{ inputs.text }}"`: {"{{ inputs.text }}", false},
		`["{{ inputs.text }}"]`: {"", false}, `{a: {b: "{{ inputs.text }}"}}`: {"", false}, "[a]": {"", true}, `"{{{{"`: {"{{", true},
	} {
		v := mustValue(t, text)
		if _, ok := v.Literal(); ok != want.literal || v.Source() != want.source || v.IsZero() || v.Pos().Line == 0 {
			t.Errorf("%s: got %q, literal %t at %v, want %q, %t", text, v.Source(), ok, v.Pos(), want.source, want.literal)
		}
	}
	var absent playbooks.Value
	if got, err := absent.Render(t.Context(), playbooks.Scope{}); !absent.IsZero() || got != nil || err != nil || absent.Source() != "" {
		t.Errorf("got %v (%v), want an absent value to be nothing", got, err)
	}
}

// 2017 read YAML 1.1, where these words without quotes are booleans. That matters where a value leaves as JSON.
func TestValue_words_without_quotes_are_booleans_in_what_is_sent(t *testing.T) {
	t.Parallel()
	book := parse(t, head+`tasks:
  - any:
      properties: {a: yes, b: No, c: "yes", d: [on, 'off', yes please], e: {f: OFF}, ":g": "{{ uuid }} yes", h: y}
      message: yes
      list: [yes]
`)
	got := map[string]any{}
	for _, e := range book.Tasks[0].Properties.Entries() {
		data, err := e.Value.Render(t.Context(), playbooks.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		got[e.Key] = data
	}
	delete(got["properties"].(map[string]any), "g")
	want := map[string]any{
		"properties": map[string]any{"a": true, "b": false, "c": "yes", "d": []any{true, "off", "yes please"}, "e": map[string]any{"f": false}, "h": "y"},
		"message":    "yes",
		"list":       []any{"yes"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rendered (-want +got):\n%s", diff)
	}
}
