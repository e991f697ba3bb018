package playbooks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

// FuzzParse: no panic; every problem has a place in the file and a remedy, and can be shown; what
// parses keeps parsing, and to the same.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"testdata/bad", "testdata/good", "examples"} {
		names, err := filepath.Glob(dir + "/*.yaml")
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds in %s (%v)", dir, err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(os.DirFS("."), name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	vocab := builtin.Types(builtin.Deps{})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		book, err := playbooks.Parse("b.yaml", data, vocab)
		if !bytes.Equal(before, data) {
			t.Fatal("the bytes of the file were changed")
		}
		if err != nil {
			problems, ok := errors.AsType[*playbooks.Problems](err)
			if !ok || book != nil || len(problems.All()) == 0 {
				t.Fatalf("got %v and %v, want problems alone", book, err)
			}
			for _, p := range problems.All() {
				checkProblem(t, data, p)
			}
			_, _ = problems.Render(), problems.Short(3)
			return
		}
		for i := range book.Warnings {
			checkProblem(t, data, &book.Warnings[i])
		}
		again, err := playbooks.Parse("b.yaml", book.Source, vocab)
		if err != nil || again.Digest != book.Digest || again.Name != book.Name || len(again.Tasks) != len(book.Tasks) {
			t.Fatalf("parsed once, then: %v", err)
		}
	})
}

// FuzzTemplate: no panic; text without braces stays; what renders can be kept as JSON and gives the
// same again; as shell text no value becomes part of the script.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"hello", "{{ inputs.text }}", "{{{ inputs.list }}} and {{ nodes.web }}", "{{{{ x }}", "{{ date('%F }}') }}", `{{ date("%F") + "x" }}`,
		"{{ inputs.text", "{{ }}", "{{ 1 + }}", `{{ {"a": [1]} }}`, "{{ '}}' }}", "a\n{{ inputs.int }}\nb", "{{ tasks.first.ran ? 1 : 2 }}",
		"{{ map(nodes.web, # + '!') }}", "{{ inputs['web-tier'] }}", "{{ $env }}", "{{ 1..5 }}", "{{ inputs.int / 0 }}", "{{ duration('1h') }}", "{{ [nil, 1.5] }}",
		`echo '{{ inputs.hostile }}' "$({{ inputs.hostile }})" # {{ inputs.hostile }}`, "$(( ${x} `{{ inputs.hostile }}` )) [[ <<X",
	} {
		f.Add(seed)
	}
	const marker = "MARKER';\"`$(id)\\"
	values := inputValues()
	for k, v := range values {
		if _, isText := v.(string); isText {
			values[k] = marker
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text) // JSON is YAML
		if err != nil {
			t.Fatal(err)
		}
		v, err := taskValue(t, string(quoted))
		if err != nil {
			return
		}
		s := scope()
		s.Input = inputFrom(values)
		got, err := v.Render(t.Context(), s)
		if err != nil {
			return
		}
		var plain string // with U+FFFD for what is not UTF-8
		if err := json.Unmarshal(quoted, &plain); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plain, "{{") && got != plain {
			t.Errorf("got %q, want %q", got, plain)
		}
		argv, ok, err := v.Shell(t.Context(), s)
		if ok && err == nil && !strings.Contains(text, "MARKER") && strings.Contains(argv[2].(string), "MARKER") {
			t.Errorf("got the script %q, which holds a value", argv[2])
		}
	})
}

// FuzzBind: no panic; what is bound is of its type, passes its validator, can be kept as JSON, and
// binds again.
func FuzzBind(f *testing.F) {
	for _, seed := range []struct{ name, value string }{
		{"text", "hello"},
		{"int", "5"},
		{"int", "9999999999999999999"},
		{"float", "1e5"},
		{"float", "nan"},
		{"number", "0x1p-2"},
		{"bool", "yes"},
		{"list", "a"},
		{"safe", "$(id)"},
		{"v4", "1.2.3.4"},
		{"v6", "::1%eth0"},
		{"re", "abc\n"},
		{"choice", "alfa"},
		{"nope", ""},
		{"dyn", "x"},
	} {
		f.Add(seed.name, seed.value, true)
		f.Add(seed.name, seed.value, false)
	}
	source := head + `
data_stores:
  mem: {type: any}
inputs:
  text: {type: String, required: false}
  int: {type: Integer, required: false}
  float: {type: Float, required: false}
  number: {type: Numeric, default: 5, validation: ":number"}
  bool: {type: Boolean, default: false}
  list: {type: Array, required: false, validation: ":shellsafe"}
  safe: {type: String, required: false, validation: ":shellsafe"}
  v4: {type: String, required: false, validation: ":ipv4address"}
  v6: {type: String, required: false, validation: ":ipv6address"}
  re: {type: String, required: false, validation: '/\A[a-z]+\z/'}
  choice: {type: String, default: alfa, validation: [alfa, bravo]}
  dyn: {type: String, dynamic: true, data: mem/x}
`
	book, err := playbooks.Parse("b.yaml", []byte(source), anything{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, value string, raw bool) {
		bound, err := book.Bind(map[string]any{name: value}, raw)
		if err != nil {
			problems, ok := errors.AsType[*playbooks.Problems](err)
			if !ok || len(problems.All()) != 1 || problems.All()[0].Remedy == "" {
				t.Fatalf("got %v, want one problem with a remedy", err)
			}
			return
		}
		for name, v := range bound {
			in, ok := book.Input(name)
			if !ok || in.Check(v) != nil {
				t.Errorf("bound %s to %#v, which its own check refuses", name, v)
			}
		}
		if safe, _ := bound["safe"].(string); strings.ContainsAny(safe, "`$;|&<>'\"\\\n") {
			t.Errorf("got %q as shell safe", safe)
		}
		data, err := json.Marshal(bound)
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]any
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Bind(back, false); err != nil {
			t.Errorf("bound %v, which does not bind again after JSON: %v", bound, err)
		}
	})
}
