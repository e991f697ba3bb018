package mcollectiveassert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// expression compares one item of a reply with a value.
type expression struct {
	item     string
	operator string // without the ! that inverts it
	invert   bool
	value    any
	pattern  *regexp.Regexp // of =~
}

// operators are those of 2017; = is ==.
func operators() []string { return []string{"<", ">", "<=", ">=", "==", "=", "=~", "in"} }

// read reads the property `expression`. What holds a template is read when the task runs.
func read(p *playbooks.Properties) expression {
	const remedy = "write expression: [item, operator, value], such as [idling, ==, true]"
	if p.Any("expression") == nil && !p.Deferred("expression") {
		p.Remedy("expression", remedy, "expression is missing")
	}
	items := p.List("expression")
	if _, isList := p.Any("expression").([]any); !isList {
		return expression{}
	}
	if len(items) != 3 {
		p.Remedy("expression", remedy, "expression has %d items, not three", len(items))
		return expression{}
	}
	item, isText := items[0].(string)
	operator, isOperator := items[1].(string)
	e := expression{item: symbol(item), value: normal(items[2])}
	rest, inverted := strings.CutPrefix(strings.TrimSpace(operator), "!")
	e.operator, e.invert = strings.TrimSpace(rest), inverted
	if !isText || e.item == "" {
		p.Remedy("expression", remedy, "expression begins with the name of an item of the reply")
	}
	if !isOperator || !slices.Contains(operators(), e.operator) {
		p.Remedy("expression", "use one of "+strings.Join(operators(), ", ")+", with ! before it to invert it", "%q is no operator", fmt.Sprint(items[1]))
	}
	e.check(p)
	return e
}

// check holds the value to what its operator needs.
func (e *expression) check(p *playbooks.Properties) {
	switch e.operator {
	case "in":
		if _, isList := e.value.([]any); !isList {
			p.Remedy("expression", "write [item, in, [a, b]]", "in needs a list of values")
		}
	case "=~":
		text, isText := e.value.(string)
		var err error
		if e.pattern, err = regexp.Compile("(?i)" + text); !isText || err != nil {
			p.Remedy("expression", "write a regular expression", "%v is no regular expression", e.value)
		}
	case "<", ">", "<=", ">=":
		switch e.value.(type) {
		case float64, string:
		default:
			p.Remedy("expression", "write a number or text", "%s needs a number or text, not %s", e.operator, show(e.value))
		}
	}
}

// symbol accepts the symbols of 2017: ":idling:" and ":idling" mean "idling".
func symbol(name string) string {
	if rest, ok := strings.CutPrefix(name, ":"); ok {
		return strings.TrimSuffix(rest, ":")
	}
	return name
}

// String is the expression as people read it.
func (e expression) String() string {
	operator := e.operator
	if e.invert {
		operator = "!" + operator
	}
	return fmt.Sprintf("%s %s %s", e.item, operator, show(e.value))
}

// unsatisfied says why a reply does not satisfy the expression; empty when it does. What cannot be
// compared satisfies nothing, inverted or not.
func (e expression) unsatisfied(reply map[string]any) string {
	raw, there := reply[e.item]
	if !there {
		return "no " + e.item
	}
	got := normal(raw)
	holds, comparable := e.compare(got)
	if comparable && holds != e.invert {
		return ""
	}
	return e.item + "=" + show(got)
}

func (e expression) compare(got any) (holds, comparable bool) {
	switch e.operator {
	case "==", "=":
		return reflect.DeepEqual(got, e.value), true
	case "in":
		list, _ := e.value.([]any)
		return slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(got, v) }), true
	case "=~":
		switch got.(type) {
		case string, float64, bool:
			return e.pattern.MatchString(show(got)), true
		}
		return false, false
	}
	order, comparable := compare(got, e.value)
	switch e.operator {
	case "<":
		return order < 0, comparable
	case ">":
		return order > 0, comparable
	case "<=":
		return order <= 0, comparable
	}
	return order >= 0, comparable
}

// compare orders two numbers, or two texts.
func compare(a, b any) (order int, comparable bool) {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return cmp.Compare(x, y), ok
	}
	x, isText := a.(string)
	y, ok := b.(string)
	return strings.Compare(x, y), isText && ok
}

// normal gives numbers one type, however they were written.
func normal(v any) any {
	switch t := v.(type) {
	case int:
		return float64(t)
	case int64:
		return float64(t)
	case uint64:
		return float64(t)
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = normal(t[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(t))
		for k := range t {
			out[k] = normal(t[k])
		}
		return out
	}
	return v
}

// show writes a value: text as it is, the rest as JSON, and not too long.
func show(v any) string {
	s, isText := v.(string)
	if !isText {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		s = string(raw)
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
