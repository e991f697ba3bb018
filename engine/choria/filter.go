package choria

import (
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Filter selects servers: every list must hold, and of the identities any one. A word between
// slashes is a regular expression.
type Filter struct {
	Agents     []string
	Classes    []string
	Facts      []string // country=uk, with = == != =~ < > <= >=
	Identities []string
	// Compound is an expression that servers evaluate over all of these, such as
	// with("country=uk") and not with("roles::web"); "" for none.
	Compound string
}

// Matcher is the filter as servers evaluate it, for servers that are only described.
func (f Filter) Matcher() (*filter.Matcher, error) {
	w, err := f.wire()
	if err != nil {
		return nil, err
	}
	return filter.New(w)
}

func (f Filter) wire() (wire.Filter, error) {
	w := wire.Filter{Agent: f.Agents, Class: f.Classes, Identity: f.Identities}
	for _, s := range f.Facts {
		fact, err := ParseFact(s)
		if err != nil {
			return w, err
		}
		w.Fact = append(w.Fact, fact)
	}
	if f.Compound != "" {
		w.Compound = [][]map[string]string{{{"expr": f.Compound}}}
	}
	return w, nil
}

// operators in the order in which they must be looked for.
func operators() []string {
	return []string{"==", "!=", "=~", "<=", ">=", "=<", "=>", "=", "<", ">"}
}

// ParseFact reads a comparison such as country=uk. A single = means ==, or =~ before /…/; =< and => are
// <= and >=, as in 2017.
func ParseFact(s string) (wire.Fact, error) {
	at, op := len(s), ""
	for _, o := range operators() {
		if i := strings.Index(s, o); i >= 0 && (i < at || i == at && len(o) > len(op)) {
			at, op = i, o
		}
	}
	name, value := strings.TrimSpace(s[:min(at, len(s))]), ""
	if op != "" {
		value = strings.TrimSpace(s[at+len(op):])
	}
	if op == "" || name == "" || value == "" {
		return wire.Fact{}, fmt.Errorf("%q is not a fact filter; write it as in country=uk or mem>=4", s)
	}
	switch op {
	case "=<":
		op = "<="
	case "=>":
		op = ">="
	case "=":
		op = "=="
		if len(value) > 1 && value[0] == '/' && value[len(value)-1] == '/' {
			op = "=~"
		}
	}
	return wire.Fact{Fact: name, Operator: op, Value: value}, nil
}

// Flaw is what is wrong with a part of a filter. What follows "; " in the error is the remedy.
type Flaw struct {
	Key string // agents, classes, facts, identities or compound
	Err error
}

// Flaws are what servers would take without a word, and match nothing with it, or everything. local is
// for a filter that no server sees; see [filter.Check].
func (f Filter) Flaws(local bool) []Flaw {
	var out []Flaw
	add := func(key string, err error) {
		if err != nil {
			out = append(out, Flaw{key, err})
		}
	}
	for _, list := range []struct {
		key   string
		words []string
	}{{"agents", f.Agents}, {"classes", f.Classes}, {"identities", f.Identities}} {
		for _, w := range list.words {
			add(list.key, filter.CheckWord(w))
		}
	}
	for _, text := range f.Facts {
		fact, err := ParseFact(text)
		if err == nil {
			err = filter.CheckFact(fact)
		}
		add("facts", err)
	}
	if f.Compound != "" {
		add("compound", filter.Check(f.Compound, local))
	}
	return out
}
