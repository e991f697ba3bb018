package playbooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// starter is a playbook that starts others, one in each line from the sixth on.
func starter(name, version string, others ...string) string {
	source := named(name, version) + "tasks:\n"
	for _, o := range others {
		source += "  - playbook: {name: " + o + "}\n"
	}
	if len(others) == 0 {
		source += "  - any: {}\n"
	}
	return source
}

// starting is a vocabulary that knows playbook tasks too.
type starting struct{ anything }

func (starting) Task(typ string, p *playbooks.Properties) error {
	if typ == "playbook" {
		return nil
	}
	return anything{}.Task(typ, p)
}

func together(t *testing.T, declared []string, sources map[string]string) map[string]string {
	t.Helper()
	var books []*playbooks.Playbook
	for _, file := range []string{"a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml"} {
		if sources[file] == "" {
			continue
		}
		b, err := playbooks.Parse(file, []byte(sources[file]), starting{})
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	out := make(map[string]string)
	for file, p := range playbooks.Together(books, declared) {
		out[file] = p.Error()
	}
	return out
}

func TestTogether(t *testing.T) {
	t.Parallel()
	for sentence, row := range map[string]struct {
		sources  map[string]string
		declared []string
		want     map[string]string
	}{
		"a chain is right": {
			sources: map[string]string{"a.yaml": starter("a", "1", "b", "c"), "b.yaml": starter("b", "1", "c"), "c.yaml": starter("c", "1")},
		},
		"a circle is told once, at the task": {
			sources: map[string]string{"a.yaml": starter("a", "1", "c", "b"), "b.yaml": starter("b", "1", "a"), "c.yaml": starter("c", "1")},
			want:    map[string]string{"a.yaml": "a.yaml:7:22: the playbooks start each other without end: a → b → a; take out one of these playbook tasks"},
		},
		"two circles are told once each": {
			sources: map[string]string{
				"a.yaml": starter("a", "1", "b"), "b.yaml": starter("b", "1", "c"), "c.yaml": starter("c", "1", "a"),
				"d.yaml": starter("d", "1", "e"), "e.yaml": starter("e", "1", "d", "a"),
			},
			want: map[string]string{
				"a.yaml": "a.yaml:6:22: the playbooks start each other without end: a → b → c → a; take out one of these playbook tasks",
				"d.yaml": "d.yaml:6:22: the playbooks start each other without end: d → e → d; take out one of these playbook tasks",
			},
		},
		"two circles through one playbook are told at their tasks": {
			sources: map[string]string{"a.yaml": starter("a", "1", "b", "c", "b"), "b.yaml": starter("b", "1", "a"), "c.yaml": starter("c", "1", "a")},
			want: map[string]string{"a.yaml": "a.yaml:6:22: the playbooks start each other without end: a → b → a; take out one of these playbook tasks\n" +
				"a.yaml:7:22: the playbooks start each other without end: a → c → a; take out one of these playbook tasks"},
		},
		"what is not there is told with what is near": {
			sources: map[string]string{"a.yaml": starter("a", "1", "handle", "nothing"), "b.yaml": starter("handler", "1")},
			want: map[string]string{"a.yaml": "a.yaml:6:22: there is no playbook \"handle\" to start; did you mean \"handler\"?\n" +
				"a.yaml:7:22: there is no playbook \"nothing\" to start; add a playbook of that name to the folder, or correct the name"},
		},
		"what does not load is told elsewhere": {
			sources: map[string]string{"a.yaml": starter("a", "1", "broken")}, declared: []string{"broken"},
		},
		"what a template names is not known yet": {
			sources: map[string]string{"a.yaml": named("a", "1") + "inputs:\n  x: {type: String}\ntasks:\n  - playbook: {name: \"{{ inputs.x }}\"}\n"},
		},
		"a name belongs to one file": {
			sources: map[string]string{"a.yaml": named("a", "1"), "b.yaml": "version: 1\n" + strings.ReplaceAll(named("a", "2"), "version: 2\n", "")},
			want:    map[string]string{"b.yaml": `b.yaml:2:7: the name "a" is taken by a.yaml; give one of them another name`},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			got := together(t, row.declared, row.sources)
			if fmt.Sprint(got) != fmt.Sprint(row.want) {
				t.Errorf("got\n%v\nwant\n%v", got, row.want)
			}
		})
	}
}

func TestDeclaredNames_are_those_of_the_file_and_in_it(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"version: 1\nname: \"bee\"\nfoo": "[b bee]", "name: bee # x": "[b bee]", " name: bee": "[b]", "name: [": "[b]",
	} {
		if got := fmt.Sprint(playbooks.DeclaredNames("books/b.yaml", []byte(source))); got != want {
			t.Errorf("%q: got %s, want %s", source, got, want)
		}
	}
}

func TestTogether_bears_many_circles(t *testing.T) {
	t.Parallel()
	var books []*playbooks.Playbook
	for i := range 1000 { // a circle of a thousand, and one of two around each
		b, err := playbooks.Parse(fmt.Sprintf("%d.yaml", i), []byte(starter(fmt.Sprintf("b%d", i), "1", fmt.Sprintf("b%d", (i+1)%1000), fmt.Sprintf("b%d", (i+999)%1000))), starting{})
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, b)
	}
	if got := playbooks.Together(books, nil); len(got) < 300 {
		t.Errorf("got problems in %d files, want them in one of each two that start each other", len(got))
	}
}
