package ddl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/ddl"
)

// agents is the folder of the DDLs that the tests use.
var agents = filepath.Join("testdata", "agents")

func load(t *testing.T) *ddl.Index {
	t.Helper()
	x, err := ddl.Load(agents)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// parse reads a DDL of one agent with one action; parts are those of the action.
func parse(t *testing.T, parts string) *ddl.DDL {
	t.Helper()
	d, err := ddl.Parse("web.json", []byte(document(parts)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func document(parts string) string {
	return fmt.Sprintf(`{"metadata": {"name": "web", "version": "1.0.0", "timeout": 5}, "actions": [{"action": "go", %s}]}`, parts)
}

func TestParse_readsADDL(t *testing.T) {
	t.Parallel()
	d := load(t).Newest("puppet")
	if d.Agent != "puppet" || d.Version != "1.13.1" || d.Timeout != 20*time.Second {
		t.Errorf("it is %s %s with %v", d.Agent, d.Version, d.Timeout)
	}
	if got := strings.Join(d.ActionNames(), " "); got != "disable enable runonce status" {
		t.Errorf("its actions are %s", got)
	}
	message := d.Actions["disable"].Inputs["message"]
	if message.Type != ddl.String || !message.Optional || message.MaxLength != 120 || message.Default != nil {
		t.Errorf("message is %+v", message)
	}
	if got := d.Actions["status"].Title("daemon_present"); got != "Daemon Running" {
		t.Errorf("daemon_present is called %q", got)
	}
	if got := d.Actions["status"].Title("nameless"); got != "nameless" {
		t.Errorf("an output without a display name is called %q", got)
	}
}

func TestParse_withoutATimeoutItIsChorias(t *testing.T) {
	t.Parallel()
	d, err := ddl.Parse("web.json", []byte(`{"metadata": {"name": "web", "version": "1"}, "actions": [{"action": "go"}]}`))
	if err != nil || d.Timeout != 10*time.Second {
		t.Errorf("it is %v (%v)", d, err)
	}
}

func TestParse_refusesWithPlaceAndRemedy(t *testing.T) {
	t.Parallel()
	in := func(input string) string { return document(`"input": {"x": ` + input + `}`) }
	for name, row := range map[string]struct{ source, want string }{
		"nothing":              {"", "web.json:1:1: the file ends too early; is it complete?"},
		"a Ruby DDL":           {"metadata :name => \"web\"", "web.json:1:1: this is not JSON"},
		"a comma too many":     {"{\n  \"metadata\": {},\n}", "web.json:3:1: this is not JSON"},
		"cut off":              {`{"metadata": {`, "the file ends too early"},
		"two documents":        {document(`"input": {}`) + "{}", "something follows the end of the JSON"},
		"a list":               {"[]", "web.json:1:1: the DDL cannot be a JSON array"},
		"text for a number":    {"{\"metadata\":\n {\"timeout\": \"5\"}}", "web.json:2:16: metadata.timeout cannot be a JSON string"},
		"other JSON":           {`{"name": "web"}`, "web.json: metadata: it is missing; this is no DDL of an agent"},
		"no version":           {`{"metadata": {"name": "web"}, "actions": [{"action": "go"}]}`, "web.json: metadata.version: it is missing; write"},
		"no name":              {`{"metadata": {"version": "1"}, "actions": [{"action": "go"}]}`, `web.json: metadata.name: "" is no name of an agent; write`},
		"a name with blanks":   {`{"metadata": {"name": "the web", "version": "1"}, "actions": [{"action": "go"}]}`, `"the web" is no name of an agent`},
		"no actions":           {`{"metadata": {"name": "web", "version": "1"}}`, "web.json: actions: there is none"},
		"an action without":    {`{"metadata": {"name": "web", "version": "1"}, "actions": [{}]}`, `web.json: actions[0].action: "" is no name`},
		"an action twice":      {`{"metadata": {"name": "web", "version": "1"}, "actions": [{"action": "a"}, {"action": "a"}]}`, "web.json: actions[1].action: there is an action a already"},
		"a timeout below zero": {`{"metadata": {"name": "web", "version": "1", "timeout": -1}, "actions": [{"action": "a"}]}`, "web.json: metadata.timeout: -1 seconds"},
		"a type with an error": {in(`{"type": "strng"}`), `web.json: actions.go.input.x.type: "strng" is no type; did you mean "string"?`},
		"another type":         {in(`{"type": "zzzzzz"}`), `is no type; known: string, list`},
		"a list of nothing":    {in(`{"type": "list"}`), "web.json: actions.go.input.x.list: it is missing"},
		"a length below zero":  {in(`{"type": "string", "maxlength": -1}`), "web.json: actions.go.input.x.maxlength: -1 is no length"},
		"an input of no name":  {document(`"input": {"a b": {"type": "string"}}`), `web.json: actions.go.input: "a b" is no name of an input`},
		"too long":             {strings.Repeat(" ", ddl.MaxSize+1), "a DDL has at most"},
	} {
		_, err := ddl.Parse("web.json", []byte(row.source))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v\nwant %s", name, err, row.want)
		}
	}
}

func TestParse_tellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ddl.Parse("web.json", []byte(`{"metadata": {"name": "web"}, "actions": [{"action": "go", "input": {"x": {"type": "q"}, "y": {"type": "list"}}}]}`))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("it says %v", err)
	}
}

func TestParse_warnsOfWhatItCannotUse(t *testing.T) {
	t.Parallel()
	d := parse(t, `
		"input": {
			"a": {"type": "string", "validation": "service_name"},
			"b": {"type": "string", "validation": "^(?!x)"},
			"c": {"type": "integer", "default": "many"}},
		"output": {"n": {"display_as": "N"}},
		"aggregate": [
			{"function": "median", "args": ["n"]}, {"function": "summary", "args": ["nosuch"]}, {"function": "summary"},
			{"function": "average", "args": ["n", {"format": "%999999999d"}]}, {"function": "summary", "args": ["n", 5]}]`)
	for _, want := range []string{
		`actions.go.input.a.validation: there is no validator "service_name" here; the nodes alone check this input`,
		`actions.go.input.b.validation: "^(?!x)" is no regular expression that can be read here`,
		`actions.go.input.c.default: "many" is no whole number`,
		`actions.go.aggregate[0].function: "median" is not known`,
		`actions.go.aggregate[1].args: they must begin with an output of the action, and "nosuch" is none`,
		`actions.go.aggregate[2].args: they must begin`,
		`actions.go.aggregate[3].args: the format "%999999999d" must have 1 of`,
		`actions.go.aggregate[4].args: the second one must be an object`,
	} {
		if !slices.ContainsFunc(d.Warnings, func(w string) bool { return strings.HasPrefix(w, "web.json: "+want) }) {
			t.Errorf("nothing says %s: %s", want, strings.Join(d.Warnings, "\n"))
		}
	}
	if len(d.Warnings) != 8 {
		t.Errorf("there are %d warnings: %s", len(d.Warnings), strings.Join(d.Warnings, "\n"))
	}
	if v, flaws := d.Actions["go"].Bind(map[string]any{"a": "x y", "b": "x"}); len(flaws) != 0 || v["c"] != nil {
		t.Errorf("what cannot be checked is refused: %v, or a bad default is sent: %v", flaws, v)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"nrpe.json", "appmgr.json"} {
		data, err := os.ReadFile(filepath.Join(agents, file))
		if err != nil {
			f.Fatal(err)
		}
		var compact bytes.Buffer // short inputs are mutated faster
		if err := json.Compact(&compact, data); err != nil {
			f.Fatal(err)
		}
		f.Add(compact.Bytes())
	}
	f.Add([]byte(document(`"input": {"x": {"type": "list", "list": ["a"], "default": "a"}, "y": {"type": "string", "validation": "^a$", "maxlength": 9}}`)))
	f.Add([]byte(document(`"output": {"n": {}}, "aggregate": [{"function": "summary", "args": ["n", {"format": "%-5s%% %3d", "true": 1}]}]`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ddl.Parse("web.json", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "web.json:") {
				t.Errorf("the error does not begin with the file: %v", err)
			}
			return
		}
		for _, name := range d.ActionNames() {
			useAll(t, d.Actions[name])
		}
	})
}

// useAll gives an action everything, and holds that what it takes, it takes again.
func useAll(t *testing.T, a *ddl.Action) {
	t.Helper()
	for _, v := range []any{nil, "", "5", "true", "[1]", `{"a":1}`, 5, 0.5, true, []any{"a"}, map[string]any{"a": 1.0}} {
		given := make(map[string]any)
		for _, in := range a.InputNames() {
			given[in] = v
		}
		values, flaws := a.Bind(given)
		if again, more := a.Bind(values); len(flaws) == 0 && (len(more) != 0 || fmt.Sprint(again) != fmt.Sprint(values)) {
			t.Errorf("%s takes %v as %v, and that as %v: %v", a.Name, given, values, again, more)
		}
		data := make(map[string]any)
		for out := range a.Outputs {
			data[out] = v
		}
		for _, s := range a.Summarize([]map[string]any{data, {}, nil}) {
			if len(s.String()) > 4096+len(s.Title) {
				t.Errorf("a summary has %d bytes", len(s.String()))
			}
		}
	}
}
