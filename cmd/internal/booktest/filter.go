package booktest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine/choria"
)

// matches evaluates a filter as a server does: every agent, class and fact must hold, and any of the names.
func (w network) matches(n node, f choria.Filter) (bool, error) {
	agents := slices.Collect(maps.Keys(w.agents(n)))
	for _, want := range f.Agents {
		if n.agents != nil && !slices.ContainsFunc(agents, func(have string) bool { return same(want, have, "") }) {
			return false, nil
		}
	}
	for _, want := range f.Classes {
		if !slices.ContainsFunc(n.classes, func(have string) bool { return same(want, have, "(?i)") }) {
			return false, nil
		}
	}
	for _, s := range f.Facts {
		fact, err := choria.ParseFact(s)
		if err != nil {
			return false, err
		}
		if !compare(dig(n.facts, fact.Fact), fact.Operator, fact.Value) {
			return false, nil
		}
	}
	return len(f.Identities) == 0 || slices.ContainsFunc(f.Identities, func(want string) bool { return same(want, n.name, "") }), nil
}

// same compares a word, or matches it when it stands between slashes.
func same(want, have, flags string) bool {
	if len(want) > 2 && want[0] == '/' && want[len(want)-1] == '/' {
		re, err := regexp.Compile(flags + want[1:len(want)-1])
		return err == nil && re.MatchString(have)
	}
	return want == have || flags != "" && strings.EqualFold(want, have)
}

// dig finds a fact by its dotted path.
func dig(facts map[string]any, path string) any {
	var v any = facts
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

// compare compares a fact: text as text without its case, numbers as numbers; a structure compares with nothing.
func compare(have any, operator, want string) bool {
	switch have.(type) {
	case nil, map[string]any, []any:
		return false
	}
	text := fmt.Sprint(have)
	switch operator {
	case "==":
		return strings.EqualFold(text, want)
	case "!=":
		return !strings.EqualFold(text, want)
	case "=~":
		return same("/"+strings.Trim(want, "/")+"/", text, "(?i)")
	}
	order := cmp.Compare(strings.ToLower(text), strings.ToLower(want))
	if _, isText := have.(string); !isText {
		a, errA := strconv.ParseFloat(text, 64)
		b, errB := strconv.ParseFloat(want, 64)
		if errA != nil || errB != nil {
			return false
		}
		order = cmp.Compare(a, b)
	}
	switch operator {
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	}
	return order >= 0
}
