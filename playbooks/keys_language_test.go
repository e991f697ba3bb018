package playbooks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/playbooks"
)

// strict is a vocabulary whose types have no keys of their own.
type strict struct{}

func (strict) Task(_ string, p *playbooks.Properties) error      { return p.Err() }
func (strict) NodeSet(_ string, p *playbooks.Properties) error   { return p.Err() }
func (strict) DataStore(_ string, p *playbooks.Properties) error { return p.Err() }
func (strict) Names(string) []string                             { return []string{"any"} }

// TestSections_areWhatIsRead writes a key that is near to none into each section: the refusal lists
// every key that is read there.
func TestSections_areWhatIsRead(t *testing.T) {
	t.Parallel()
	const unknown = "qqqqqqqqqqqq"
	places := map[string]string{
		"playbook":      head + unknown + ": x\n",
		"input":         head + "inputs:\n  a: {type: String, " + unknown + ": x}\n",
		"choices":       head + "inputs:\n  a: {type: String, choices: {command: [x], " + unknown + ": x}}\n",
		"data store":    head + "data_stores:\n  a: {type: any, " + unknown + ": x}\n",
		"node set":      head + "nodes:\n  a: {type: any, " + unknown + ": x}\n",
		"list of hooks": head + "hooks:\n  " + unknown + ": []\n",
		"task":          head + "tasks:\n  - any: {" + unknown + ": x}\n",
		"approval":      head + "approval: {" + unknown + ": x}\n",
		"rolling":       head + "tasks:\n  - rolling: {nodes: [a], waves: [1], tasks: [{any: {}}], " + unknown + ": x}\n",
	}
	common := map[string][]string{"rolling": names(section(t, "task").Keys)}
	for _, s := range playbooks.Sections() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			_, err := playbooks.Parse("b.yaml", []byte(places[s.Name]), strict{})
			problems, ok := errors.AsType[*playbooks.Problems](err)
			if !ok || len(problems.All()) != 1 {
				t.Fatalf("got %v, want one problem", err)
			}
			list, ok := strings.CutPrefix(problems.All()[0].Remedy, "known: ")
			if !ok {
				t.Fatalf("got the remedy %q, want the list of what is known", problems.All()[0].Remedy)
			}
			want := strings.Split(list, ", ")
			got := append(names(s.Keys), common[s.Name]...)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what is read (-) is not what is described (+):\n%s", diff)
			}
			for _, k := range s.Keys {
				if k.Doc == "" || k.Kind == "" {
					t.Errorf("key %s has no text or no kind", k.Name)
				}
			}
			for _, w := range s.Written {
				if !slices.Contains(names(s.Keys), w) {
					t.Errorf("%s is no key", w)
				}
			}
		})
	}
}

func names(keys []playbooks.Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.Name
	}
	return out
}

func section(t *testing.T, name string) playbooks.Section {
	t.Helper()
	for _, s := range playbooks.Sections() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no section %q", name)
	return playbooks.Section{}
}
