package playbooks_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// properties reads a mapping for checking, and after rendering.
func properties(t *testing.T, yamlText string) (unrendered, rendered *playbooks.Properties) {
	t.Helper()
	v := mustValue(t, yamlText)
	rendered, err := playbooks.Rendered(v, t.Context(), scope(), playbooks.Special{})
	if err != nil {
		t.Fatal(err)
	}
	return playbooks.Unrendered(v), rendered
}

func TestProperties_read_each_type(t *testing.T) {
	t.Parallel()
	const source = `{text: hello, number: 1.50, yes: yes, no: No, true: true, int: 7, digits: " 8 ", seconds: 90, minutes: 5m, day: 1.5d,
list: [a, 2, true], map: {a: 1}, nothing: null, empty: "", choice: blue}`
	for _, p := range both(properties(t, source)) {
		for name, pair := range map[string][2]any{
			"text":          {p.Text("text", "x"), "hello"},
			"text of float": {p.Text("number", "x"), "1.50"},
			"text absent":   {p.Text("absent", "x"), "x"},
			"text null":     {p.Text("nothing", "x"), "x"},
			"bool":          {p.Bool("true", false), true},
			"bool of 2017":  {p.Bool("yes", false), true},
			"no":            {p.Bool("no", true), false},
			"bool absent":   {p.Bool("absent2", true), true},
			"int":           {p.Int("int", 0), 7},
			"int of digits": {p.Int("digits", 0), 8},
			"int absent":    {p.Int("absent3", 3), 3},
			"seconds":       {p.Duration("seconds", 0), 90 * time.Second},
			"minutes":       {p.Duration("minutes", 0), 5 * time.Minute},
			"days":          {p.Duration("day", 0), 36 * time.Hour},
			"strings":       {p.Strings("list"), []string{"a", "2", "true"}},
			"list":          {p.List("list"), []any{"a", 2, true}},
			"map":           {p.Map("map"), map[string]any{"a": 1}},
			"string map":    {p.StringMap("map"), map[string]string{"a": "1"}},
			"choice":        {p.Choice("choice", "red", "red", "blue"), "blue"},
			"choice absent": {p.Choice("absent4", "red", "red", "blue"), "red"},
			"any":           {p.Any("number"), 1.5},
			"has null":      {p.Has("nothing"), true},
			"has absent":    {p.Has("absent5"), false},
			"empty":         {p.Text("empty", "x"), ""},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s: got %#v, want %#v", name, pair[0], pair[1])
			}
		}
		if err := p.Err(); err != nil {
			t.Errorf("got %v, want no problem: everything was read", err)
		}
	}
}

func both(a, b *playbooks.Properties) []*playbooks.Properties { return []*playbooks.Properties{a, b} }

func TestProperties_of_the_wrong_type_are_problems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value string
		read  func(p *playbooks.Properties)
		want  string
	}{
		{"[a]", func(p *playbooks.Properties) { p.Text("k", "") }, "k must be text, not a list"},
		{"{a: b}", func(p *playbooks.Properties) { p.Text("k", "") }, "k must be text, not a mapping"},
		{`""`, func(p *playbooks.Properties) { p.RequireText("k") }, "k is empty"},
		{"null", func(p *playbooks.Properties) { p.RequireText("k") }, "k is missing"},
		{"maybe", func(p *playbooks.Properties) { p.Bool("k", false) }, `k must be true or false, not "maybe"`},
		{"1.5", func(p *playbooks.Properties) { p.Int("k", 0) }, "k must be a whole number, not 1.5"},
		{"1e300", func(p *playbooks.Properties) { p.Int("k", 0) }, "k must be a whole number"},
		{"soon", func(p *playbooks.Properties) { p.Duration("k", 0) }, `k must be a duration, not "soon"`},
		{"-1", func(p *playbooks.Properties) { p.Duration("k", 0) }, "k must be a duration, not -1"},
		{"1e300", func(p *playbooks.Properties) { p.Duration("k", 0) }, "k must be a duration"},
		{"nan", func(p *playbooks.Properties) { p.Duration("k", 0) }, "k must be a duration"},
		{"web1", func(p *playbooks.Properties) { p.Strings("k") }, `k must be a list, not "web1"`},
		{"[[a]]", func(p *playbooks.Properties) { p.Strings("k") }, "k must be a list of text, and holds a list"},
		{"[]", func(p *playbooks.Properties) { p.RequireStrings("k") }, "k is empty"},
		{"[a]", func(p *playbooks.Properties) { p.Map("k") }, "k must be a mapping, not a list"},
		{"{a: [b]}", func(p *playbooks.Properties) { p.StringMap("k") }, "k.a must be text, not a list"},
		{"a", func(p *playbooks.Properties) { p.List("k") }, `k must be a list, not "a"`},
		{"bleu", func(p *playbooks.Properties) { p.Choice("k", "red", "red", "blue") }, `k cannot be "bleu"; did you mean "blue"?`},
		{"a", func(*playbooks.Properties) {}, `unknown key "k"`},
	} {
		for i, p := range both(properties(t, "{k: "+tt.value+"}")) {
			tt.read(p)
			problems, ok := errors.AsType[*playbooks.Problems](p.Err())
			if !ok || len(problems.All()) != 1 || !strings.Contains(problems.Error(), tt.want) {
				t.Errorf("k: %s (%d): got %v, want one problem: %s", tt.value, i, p.Err(), tt.want)
				continue
			}
			if one := problems.All()[0]; one.Pos.Line == 0 || one.Remedy == "" {
				t.Errorf("k: %s: got place %v and remedy %q, want both", tt.value, one.Pos, one.Remedy)
			}
		}
	}
}

func TestProperties_with_templates_are_present_and_unread_until_rendered(t *testing.T) {
	t.Parallel()
	unrendered, rendered := properties(t, `{k: "{{ inputs.int }}", l: [a, "{{ inputs.int }}"]}`)
	if !unrendered.Checking() || rendered.Checking() {
		t.Error("Checking does not tell the two apart")
	}
	if !unrendered.Has("k") || !unrendered.Deferred("k") || unrendered.Any("k") != nil || unrendered.Int("k", 3) != 3 || unrendered.RequireText("k") != "" {
		t.Error("a template that is not rendered is not deferred")
	}
	if unrendered.Strings("l") != nil || len(unrendered.Values()) != 0 || unrendered.Err() != nil {
		t.Errorf("got %v, %v, want nothing and no problem", unrendered.Values(), unrendered.Err())
	}
	if got := unrendered.Source("k").Source(); got != "{{ inputs.int }}" {
		t.Errorf("got source %q, want it as written", got)
	}
	if rendered.Deferred("k") || rendered.Int("k", 0) != 1 || !reflect.DeepEqual(rendered.Strings("l"), []string{"a", "1"}) {
		t.Error("a template that is rendered is not read")
	}
}

func TestRendered_makes_an_argument_list_of_shell_text(t *testing.T) {
	t.Parallel()
	v := mustValue(t, `{command: "echo {{ inputs.text }}", other: "echo {{ inputs.text }}", plain: echo}`)
	p, err := playbooks.Rendered(v, t.Context(), scope(), playbooks.Special{Shell: []string{"command", "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	argv, ok := p.Any("command").([]any)
	if !ok || len(argv) != 5 || argv[4] != "hello" || strings.Contains(argv[2].(string), "hello") {
		t.Errorf("got %v, want an argument list that ends with the value", p.Any("command"))
	}
	if p.Text("other", "") != "echo hello" || p.Text("plain", "") != "echo" {
		t.Errorf("got %v, want other properties as text", p.Values())
	}
}

func TestFromMap_reads_plain_data(t *testing.T) {
	t.Parallel()
	p := playbooks.FromMap(map[string]any{"amount": 1000000.0, "text": "{{ inputs.x }}", "list": []any{"a"}})
	if got := p.Text("amount", ""); got != "1000000" {
		t.Errorf("got %q, want a number without exponent", got)
	}
	if got := p.Text("text", ""); got != "{{ inputs.x }}" || p.Deferred("text") {
		t.Errorf("got %q, want text that is no template", got)
	}
	p.Problem("list", "%s is odd", "list")
	p.Remedy("list", "do this", "and even")
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "list is odd") || !strings.Contains(err.Error(), "and even; do this") {
		t.Errorf("got %v, want both problems", err)
	}
}

func TestProperties_must_be_a_mapping(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[a]", "a", "5"} {
		if err := playbooks.Unrendered(mustValue(t, text)).Err(); err == nil {
			t.Errorf("%s: got no problem, want one", text)
		}
	}
	if err := playbooks.Unrendered(mustValue(t, "null")).Err(); err != nil {
		t.Errorf("got %v, want nothing to be an empty mapping", err)
	}
}

func TestParseDuration_reads_what_people_write(t *testing.T) {
	t.Parallel()
	for v, want := range map[any]time.Duration{
		0: 0, 5: 5 * time.Second, 1.5: 1500 * time.Millisecond, "5": 5 * time.Second, " 90s ": 90 * time.Second, "2h30m": 150 * time.Minute,
		"1d": 24 * time.Hour, "36500d": 36500 * 24 * time.Hour,
	} {
		if got, err := playbooks.ParseDuration(v); err != nil || got != want {
			t.Errorf("%v: got %v (%v), want %v", v, got, err, want)
		}
	}
	for _, v := range []any{"", "x", "5x", "-1s", -1, "inf", "nan", "nand", "infd", "1e400", "36501d", "d", true, nil} {
		if got, err := playbooks.ParseDuration(v); err == nil {
			t.Errorf("%v: got %v, want an error", v, got)
		}
	}
}
