package mcollective

import (
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/playbooks"
)

// templates holds filters to what the playbook wrote. Somebody who types a value must not change what
// is compared: with values in it, a filter compares the same as with a plain word in the place of each.
// One that is a template and nothing else is what its value says.
type templates struct{ *playbooks.Properties }

// plainWord stands in the place of each template.
const plainWord = "x"

func (t templates) check(f choria.Filter) {
	if t.Checking() {
		if text, mixed := t.Source("compound").Filled(plainWord); mixed && filter.Shape(text) == "" {
			t.Remedy("compound", `write an expression such as with("tier={{ inputs.tier }}")`, "the expression cannot be read")
		}
		return
	}
	t.empty(f)
	if text, mixed := t.Source("compound").Filled(plainWord); mixed && filter.Shape(text) != filter.Shape(f.Compound) {
		t.changed("compound", f.Compound)
	}
	for _, list := range []struct {
		key   string
		words []string
		shape func(string) string
	}{{"agents", f.Agents, wordShape}, {"classes", f.Classes, wordShape}, {"identities", f.Identities, wordShape}, {"facts", f.Facts, factShape}} {
		items := t.Source(list.key).Items()
		if len(items) != len(list.words) {
			continue // one template gives all of them
		}
		for i, item := range items {
			if text, mixed := item.Filled(plainWord); mixed && list.shape(text) != list.shape(list.words[i]) {
				t.changed(list.key, list.words[i])
			}
		}
	}
}

// empty refuses a filter that its template leaves empty: it would select everything.
func (t templates) empty(f choria.Filter) {
	for key, n := range map[string]int{
		"agents": len(f.Agents), "classes": len(f.Classes), "identities": len(f.Identities), "facts": len(f.Facts), "compound": len(f.Compound),
	} {
		if _, written := t.Source(key).Literal(); t.Has(key) && n == 0 && !written {
			t.Remedy(key, "give the template a value; a set without this filter leaves the key out", "the value of a template leaves %s empty, and that would select every node", key)
		}
	}
}

func (t templates) changed(key, text string) {
	t.Remedy(key, "give values only: no slashes around them, no operators, no quotes", "the value of a template would change what %q compares", text)
}

func wordShape(word string) string {
	switch {
	case strings.HasPrefix(word, "group:"):
		return "group"
	case strings.HasPrefix(word, "/") && strings.HasSuffix(word, "/"):
		return "pattern"
	}
	return "word"
}

// factShape is the operator, and the name as far as it is more than a path of words.
func factShape(text string) string {
	fact, err := choria.ParseFact(text)
	if err != nil {
		return ""
	}
	return fact.Operator + strings.Map(func(r rune) rune {
		if strings.ContainsRune(`*?#|@!{}[]()\"`, r) {
			return r
		}
		return -1
	}, fact.Fact)
}
