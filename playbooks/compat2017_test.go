package playbooks_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

// told is what must be said about a sample of 2017; a sample that is not here loads in silence.
func told() map[string]string {
	const require = " warning: require: is the documentation's spelling of required:; write required:"
	return map[string]string{
		"app_upgrade":    "26:14:" + require,
		"inputs":         "11:14:" + require,
		"nodes_compound": `10:5: unexpected token Operator("::") (1:6); write an expression such as with("roles::web") and with("country=uk")`,
		"store_consul":   `15:11: unknown type "consul"`,
		"store_etcd":     `15:11: unknown type "etcd"`,
		"task_bolt":      "8:5: the bolt task was removed upstream in 2018; use shell with bolt's own command, or an mcollective task",
		"tasks_mapping":  "12:3: tasks should be a list; write lines below it that begin with -",
		"upgrade_tier":   `56:11: unknown type "consul"`,
	}
}

func TestCompat2017_samplesLoad(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/2017/*.yaml")
	if err != nil || len(names) < 30 {
		t.Fatalf("got %d samples, %v", len(names), err)
	}
	vocab := builtin.Types(builtin.Deps{})
	for _, name := range names {
		short := strings.TrimSuffix(filepath.Base(name), ".yaml")
		t.Run(short, func(t *testing.T) {
			t.Parallel()
			book, err := playbooks.Parse(short, readFile(t, name), vocab)
			var got []string
			if err != nil {
				for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
					said, _, _ := strings.Cut(line, "; known: ") // which grow
					got = append(got, said)
				}
			} else {
				for _, w := range book.Warnings {
					got = append(got, w.Error())
				}
			}
			if said := strings.ReplaceAll(strings.Join(got, "\n"), short+":", ""); said != told()[short] {
				t.Errorf("got\n%s\nwant\n%s", said, told()[short])
			}
		})
	}
}

// Section 1: what the metadata of 2017 may be.
func TestCompat2017_metadata(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ change, want string }{
		"a version that is a number":     {"version: 1.0", ""},
		"a version that is none":         {"version: yesterday", ""}, // with a warning
		"no run_as":                      {"run_as: null", ""},
		"a caller id":                    {"run_as: choria=rip.mcollective", ""},
		"a caller id of the design page": {"run_as: deployer.bob", `"deployer.bob" is not a caller id`},
		"an on_fail of no effect":        {"on_fail: fail", ""}, // with a warning
		"an on_fail that would have one": {"on_fail: whatever", "on_fail: whatever was never carried out by any engine"},
		"a schema for editors":           {"$schema: {any: thing}", ""},
		"macros that are no playbook":    {"macros: [1, {tasks: \"{{ nobody reads this\"}]", ""},
		"no log level of 2017":           {"loglevel: notice", `loglevel cannot be "notice"`},
		"a template in the description":  {"description: \"{{{ inputs.nobody }}}\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, _, _ := strings.Cut(row.change, ":")
			var lines []string
			for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
				if !strings.HasPrefix(line, key+":") {
					lines = append(lines, line)
				}
			}
			b, err := playbooks.Parse("b.yaml", []byte(strings.Join(append(lines, row.change), "\n")), anything{})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got %v, want %q", err, row.want)
			}
			if b != nil && (b.LogLevel != "info" || len(b.Tags) != 0 || key == "version" && b.Version != strings.TrimPrefix(row.change, "version: ")) {
				t.Errorf("got the version %q, log level %q and tags %v", b.Version, b.LogLevel, b.Tags)
			}
		})
	}
}

// Section 2.2: the spellings of a type, which are exact.
func TestCompat2017_inputTypes(t *testing.T) {
	t.Parallel()
	for want, spellings := range map[string][]string{
		"String": {"String", ":string"}, "Integer": {"Integer", "Fixnum", ":fixnum"}, "Float": {"Float"}, "Numeric": {"Numeric"},
		"Array": {`":array"`, "Array", ":array"}, "Boolean": {`":bool"`, `":boolean"`, "Boolean", ":bool"},
		"": {"string", "integer", "array", "bool", "boolean", "Number", "Hash", "Rspec", `""`, "null"},
	} {
		for _, typ := range spellings {
			b, err := playbooks.Parse("b.yaml", []byte(head+"inputs:\n  some:\n    type: "+typ+"\n"), anything{})
			switch {
			case want == "" && (err == nil || !strings.Contains(err.Error(), "type")):
				t.Errorf("%s: got %v, want that it is no type", typ, err)
			case want != "" && (err != nil || b.Inputs[0].Type != want):
				t.Errorf("%s: got %v, want %s", typ, err, want)
			}
		}
	}
	for inputs, want := range map[string]string{
		"[]": "inputs should be a mapping", "[a]": "inputs should be a mapping", "{some: }": `input "some" has no properties`,
		"{some: {}}": "type is missing", "{some.thing: {type: String}}": `"some.thing" is not a name for an input`,
	} {
		if _, err := playbooks.Parse("b.yaml", []byte(head+"inputs: "+inputs+"\n"), anything{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", inputs, err, want)
		}
	}
}

// Sections 5.1 and 5.2: a list item of several keys is several tasks, in order; keys may be symbols.
func TestCompat2017_tasksAreRead(t *testing.T) {
	t.Parallel()
	b := parse(t, head+`
nodes: {web: {type: any}}
tasks:
  - any:
      description: first
      :message: "{{{ nodes.web }}}"
      :force: true
      :deep:
        :list: [":running", "{{{ nodes.web }}}"]
        "{{{ key }}}": 5
  - any:
      ":message:": quoted
`)
	s := scope()
	got, err := b.Tasks[0].Properties.Render(t.Context(), s)
	web := []any{"web1", "web2"}
	want := map[string]any{"message": web, "force": true, "deep": map[string]any{"list": []any{":running", web}, "{{{ key }}}": 5}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if got, err := b.Tasks[1].Properties.Render(t.Context(), s); err != nil || !reflect.DeepEqual(got, map[string]any{"message": "quoted"}) {
		t.Errorf("got %v, %v", got, err)
	}
	several, err := playbooks.Parse("b.yaml", []byte(head+`
tasks:
  - shell: {description: a, command: "true"}
    log: {description: b, message: x}
    data: {description: c, action: delete, key: s/k}
  - shell: {description: d, command: "true"}
data_stores: {s: {type: memory}}
`), builtin.Types(builtin.Deps{}))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, task := range several.Tasks {
		order = append(order, task.Type+" "+task.Description.Source())
	}
	if got := strings.Join(order, ", "); got != "shell a, log b, data c, shell d" {
		t.Errorf("got %s", got)
	}
}
