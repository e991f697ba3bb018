package builtin_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/playbooks"
)

const (
	manyStrings = 100_000
	fewStrings  = 5_000 // of a short test
	atOnce      = 500   // in one task
)

// fragments mean something to a template, a shell, YAML, Slack, a terminal, JSON, JGrep, printf or a glob.
func fragments() []string {
	return []string{
		"{{ inputs.v1 }}", "{{{ nodes.web }}}", "{{{{", "{{", "}}", "${v1}", "$(touch owned)", "`touch owned`", "$HOME", "$1", "$@", "$((1+1))", "$'\\n'",
		"'", `"`, `\`, `\'`, `\"`, `'"'"'`, ";", "|", "&", "&&", "||", ">owned", "<owned", "(", ")", "[a-z]*", "*", "?", "~", "#", "!", "!!", "\n", "\r\n", "\t", " ",
		": ", "- ", "&a", "*a", "<<:", "!!binary", "%YAML", "---", "...", "|\n", ">\n", "<!channel>", "<@UBEN>", "<https://x|y>", "*b*", "`c`", "```", ":smile:", "&amp;", "\x1b[31m",
		"\u202e", "\u2028", "\u0085", "\ufeff", "é", "日本", "🙂", "\x01", "\x7f", "%s", "%n", "%%", "\\n", "\\x00", "EOF", "-n", "--", "-e", "=", "a=b", "playbot_1", "null", "true", "0", "1e3", "~", "@", ",", "{a,b}",
	}
}

// hostileStrings draws strings that are put together of fragments, the same ones each time.
func hostileStrings(n int) []string {
	r, parts := rand.New(rand.NewPCG(1, 2)), fragments()
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		out[i] = b.String()
	}
	return out
}

// source is where a value comes from: the name of a person, the reply of a node, or an input.
func source(i int) string {
	switch {
	case i == 0:
		return "run.actor"
	case i%2 == 1:
		return fmt.Sprintf("tasks.ask.data[%d].data.v", i)
	}
	return fmt.Sprintf("inputs.v%d", i)
}

// scope is a run in which people, nodes and inputs have said these values.
func scope(values []string) playbooks.Scope {
	replies := make([]any, len(values))
	for i, v := range values {
		replies[i] = map[string]any{"sender": "web1", "data": map[string]any{"v": v}}
	}
	return playbooks.Scope{
		Run:   map[string]any{"actor": values[0]},
		Tasks: map[string]map[string]any{"ask": {"data": replies}},
		Input: func(_ context.Context, name string) (any, error) {
			var i int
			_, err := fmt.Sscanf(name, "v%d", &i)
			return values[i], err
		},
	}
}

// hostileBook hands every input over in every way there is.
func hostileBook() string {
	var inputs, argv, environment, bare, double, single, properties, message strings.Builder
	for i := range atOnce {
		from := source(i)
		fmt.Fprintf(&inputs, "  v%d: {type: String}\n", i)
		fmt.Fprintf(&argv, ", '{{ %s }}'", from)
		fmt.Fprintf(&environment, "        V%d: '{{ %s }}'\n", i, from)
		fmt.Fprintf(&bare, " {{ %s }}", from)
		fmt.Fprintf(&double, ` "{{ %s }}"`, from)
		fmt.Fprintf(&single, ` '{{{ %s }}}'`, from)
		fmt.Fprintf(&properties, "        v%d: '{{ %s }}'\n", i, from)
		fmt.Fprintf(&message, "{{ %s }}\x1f", from)
	}
	const print = `printf '%s\\0'`
	return "name: b\nversion: 1.0.0\nauthor: A\ndescription: D\ninputs:\n" + inputs.String() + "hooks: {pre_book: [{log: {message: a, as: ask}}]}\ntasks:\n" +
		"  - shell:\n      description: argv\n      command: [sh, -c, 'printf ''%s\\0'' \"$@\" > out', sh" + argv.String() + "]\n" +
		"  - shell:\n      description: environment\n      command: env -0 > out\n      environment:\n" + environment.String() +
		"  - shell:\n      description: bare\n      command: |\n        " + strings.ReplaceAll(print, `\\`, `\`) + bare.String() + " > out\n" +
		"  - shell:\n      description: in double quotes\n      command: |\n        " + strings.ReplaceAll(print, `\\`, `\`) + double.String() + " > out\n" +
		"  - shell:\n      description: in single quotes\n      command: |\n        " + strings.ReplaceAll(print, `\\`, `\`) + single.String() + " > out\n" +
		"  - mcollective:\n      description: RPC properties\n      action: appmgr.status\n      nodes: [web1]\n      properties:\n" + properties.String() +
		"  - log:\n      description: template\n      message: " + fmt.Sprintf("%q", message.String()) + "\n"
}

// handOver renders a task, runs it in an empty folder, and returns what arrived.
type handOver struct {
	types engine.Types
	fleet *fleetsim.Fleet
	dir   string
}

func (h handOver) arrived(t *testing.T, task playbooks.Task, values []string) []string {
	t.Helper()
	if task.Type == "log" {
		v, err := task.Properties.Entries()[0].Value.Render(t.Context(), scope(values))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(v.(string), "\x1f"), "\x1f")
	}
	for _, tt := range h.types.Tasks {
		if tt.Name != task.Type {
			continue
		}
		p, err := playbooks.Rendered(task.Properties, t.Context(), scope(values), playbooks.Special{Shell: tt.ShellText, Conditions: tt.Conditions})
		if err != nil {
			t.Fatal(err)
		}
		if task.Type == "shell" {
			p = inFolder(p, h.dir)
		}
		decoded, err := tt.Decode(p)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := decoded.Run(t.Context(), tasktest.Call(nil)); err != nil {
			t.Fatalf("%s: %v %v", task.Description.Source(), err, r)
		}
	}
	return h.read(t, task)
}

// inFolder adds the folder, which is not known when the playbook is written.
func inFolder(p *playbooks.Properties, dir string) *playbooks.Properties {
	m := p.Values()
	m["cwd"] = dir
	return playbooks.FromMap(m)
}

func (h handOver) read(t *testing.T, task playbooks.Task) []string {
	t.Helper()
	out := make([]string, atOnce)
	if task.Type == "mcollective" {
		calls := h.fleet.Calls()
		data := calls[len(calls)-1].Data
		for i := range out {
			out[i], _ = data[fmt.Sprintf("v%d", i)].(string)
		}
		return out
	}
	data, err := os.ReadFile(filepath.Join(h.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(bytes.TrimSuffix(data, []byte{0})), "\x00")
	if task.Description.Source() != "environment" {
		return lines
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, "=")
		var i int
		if n, _ := fmt.Sscanf(name, "V%d", &i); n == 1 && fmt.Sprintf("V%d", i) == name {
			out[i] = value
		}
	}
	return out
}

// Whatever a value holds, and whoever said it, it stays a value: 100,000 strings, each in seven ways.
func TestHostile_strings_arrive_byte_by_byte(t *testing.T) {
	t.Parallel()
	n := manyStrings
	if testing.Short() {
		n = fewStrings
	}
	fleet, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: []fleetsim.Node{{Name: "web1"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Stop)
	client, err := choria.Connect(t.Context(), choria.Options{InProcess: fleet, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	types := builtin.Types(builtin.Deps{Network: client})
	book, err := playbooks.Parse("b.yaml", []byte(hostileBook()), types)
	if err != nil {
		t.Fatal(err)
	}
	all := hostileStrings(n)
	h := handOver{types: types, fleet: fleet, dir: t.TempDir()}
	for from := 0; from < n; from += atOnce {
		values := all[from : from+atOnce]
		for _, task := range book.Tasks {
			got := h.arrived(t, task, values)
			if len(got) != atOnce {
				t.Fatalf("%s: %d of %d values arrived", task.Description.Source(), len(got), atOnce)
			}
			for i := range values {
				if got[i] != values[i] {
					t.Fatalf("%s: %q arrived as %q", task.Description.Source(), values[i], got[i])
				}
			}
		}
	}
	left, err := os.ReadDir(h.dir)
	if err != nil || len(left) != 1 {
		t.Errorf("something was carried out: %v (%v)", left, err)
	}
}
