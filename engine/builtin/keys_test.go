package builtin_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

// described is a type with its keys.
type described struct {
	keys   []playbooks.Key
	decode func(*playbooks.Properties) error
}

func everyType() map[string]described {
	types := builtin.Types(builtin.Deps{})
	out := make(map[string]described)
	for _, t := range types.Tasks {
		out["task "+t.Name] = described{t.Keys, func(p *playbooks.Properties) error { _, err := t.Decode(p); return err }}
	}
	for _, t := range types.Nodes {
		out["node set "+t.Name] = described{t.Keys, func(p *playbooks.Properties) error { _, err := t.Decode(p); return err }}
	}
	for _, t := range types.Stores {
		out["data store "+t.Name] = described{t.Keys, func(p *playbooks.Properties) error { _, err := t.Decode(p); return err }}
	}
	return out
}

// problems are what a type says of properties.
func (d described) problems(p *playbooks.Properties) string {
	if err := d.decode(p); err != nil {
		return err.Error()
	}
	if err := p.Err(); err != nil {
		return err.Error()
	}
	return ""
}

// names lists the keys, sorted; only the required ones when that is asked.
func (d described) names(required bool) []string {
	var out []string
	for _, k := range d.keys {
		if k.Required || !required {
			out = append(out, k.Name)
		}
	}
	slices.Sort(out)
	return out
}

// TestKeys_areWhatDecodeReads decodes nothing. A key that is read and not described must be one that is always refused.
func TestKeys_areWhatDecodeReads(t *testing.T) {
	t.Parallel()
	for name, d := range everyType() {
		p := playbooks.Unrendered(playbooks.Value{})
		_ = d.decode(p) // says what is missing
		var read []string
		for _, key := range p.Known() {
			if slices.Contains(d.names(false), key) || !strings.Contains(d.problems(playbooks.FromMap(map[string]any{key: "x"})), key+" ") {
				read = append(read, key)
			}
		}
		if got := d.names(false); !slices.Equal(got, read) {
			t.Errorf("%s: the keys are %v, Decode reads %v", name, got, read)
		}
	}
}

// TestKeys_requiredAreThoseThatDecodeMisses gives every key but one.
func TestKeys_requiredAreThoseThatDecodeMisses(t *testing.T) {
	t.Parallel()
	for name, d := range everyType() {
		said := d.problems(playbooks.Unrendered(playbooks.Value{}))
		var missing []string
		for _, k := range d.keys {
			if strings.Contains(said, k.Name+" is missing") {
				missing = append(missing, k.Name)
			}
		}
		slices.Sort(missing)
		if want := d.names(true); !slices.Equal(missing, want) {
			t.Errorf("%s: %v are required, Decode misses %v: %s", name, want, missing, said)
		}
	}
}

// TestKeys_choicesAreAllThereAre writes each choice, and a word that is none.
func TestKeys_choicesAreAllThereAre(t *testing.T) {
	t.Parallel()
	for name, d := range everyType() {
		for _, k := range d.keys {
			if k.Choices == nil {
				continue
			}
			refuses := func(word string) bool {
				var value any = word
				if k.Kind == playbooks.KindTexts {
					value = []any{word}
				}
				said := d.problems(playbooks.FromMap(map[string]any{k.Name: value}))
				return strings.Contains(said, word+`"`) && strings.Contains(said, k.Name)
			}
			for _, word := range k.Choices {
				if refuses(word) {
					t.Errorf("%s: %s does not accept %s", name, k.Name, word)
				}
			}
			if !refuses("NOSUCHWORD") {
				t.Errorf("%s: %s accepts what is not among %v", name, k.Name, k.Choices)
			}
		}
	}
}

// sample is a value of a kind, and one that is none.
func sample(k playbooks.Kind) (good, bad any) {
	mapping, deep := map[string]any{"a": "b"}, []any{[]any{"a"}}
	switch k {
	case playbooks.KindText, playbooks.KindExpression:
		return "x", mapping
	case playbooks.KindBool:
		return true, "perhaps"
	case playbooks.KindInt, playbooks.KindNumber, playbooks.KindShare, playbooks.KindDuration:
		return 5, "perhaps"
	case playbooks.KindTexts:
		return []any{"x"}, "x"
	case playbooks.KindList, playbooks.KindTasks:
		return []any{1}, "x"
	case playbooks.KindMap:
		return mapping, "x"
	case playbooks.KindTextMap:
		return mapping, map[string]any{"a": deep}
	case playbooks.KindCommand:
		return []any{"x"}, mapping
	case playbooks.KindAny:
		return deep, nil
	}
	return nil, nil
}

// TestKeys_kindsAreWhatDecodeAccepts writes a value of another kind.
func TestKeys_kindsAreWhatDecodeAccepts(t *testing.T) {
	t.Parallel()
	for name, d := range everyType() {
		for _, k := range d.keys {
			good, bad := sample(k.Kind)
			if good == nil {
				t.Errorf("%s: %s is of no known kind: %q", name, k.Name, k.Kind)
			}
			says := func(v any) string { return d.problems(playbooks.FromMap(map[string]any{k.Name: v})) }
			if said := says(good); strings.Contains(said, k.Name+" must be") {
				t.Errorf("%s: %s is %s, and does not accept %v: %s", name, k.Name, k.Kind, good, said)
			}
			if said := says(bad); bad != nil && !strings.Contains(said, k.Name+" must be") && !strings.Contains(said, k.Name+" cannot be") &&
				!strings.Contains(said, k.Name+`.a must be`) && !strings.Contains(said, k.Name+" is not") {
				t.Errorf("%s: %s is %s, and accepts %v: %s", name, k.Name, k.Kind, bad, said)
			}
		}
	}
}

func TestKeys_aredocumented(t *testing.T) {
	t.Parallel()
	types := everyType()
	for _, name := range slices.Sorted(maps.Keys(types)) {
		seen := make(map[string]bool)
		for _, k := range types[name].keys {
			if seen[k.Name] {
				t.Errorf("%s: %s is described twice", name, k.Name)
			}
			seen[k.Name] = true
			if !strings.HasSuffix(k.Doc, ".") || strings.Contains(k.Doc, "\n") {
				t.Errorf("%s: the sentence about %s is %q, want one line that ends with a full stop", name, k.Name, k.Doc)
			}
			if k.Required && k.Default != "" {
				t.Errorf("%s: %s is required and has the default %s", name, k.Name, k.Default)
			}
			if k.Default != "" && k.Choices != nil && !slices.Contains(k.Choices, k.Default) {
				t.Errorf("%s: the default %s of %s is not among %v", name, k.Default, k.Name, k.Choices)
			}
			if k.Kind == playbooks.KindDuration && k.Default != "" {
				if _, err := playbooks.ParseDuration(k.Default); err != nil {
					t.Errorf("%s: the default of %s: %s", name, k.Name, fmt.Sprint(err))
				}
			}
		}
	}
}
