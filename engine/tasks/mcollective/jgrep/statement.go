package jgrep

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// statement is one comparison, or a test for presence.
type statement struct {
	path  string
	op    string // = < > <= >=, + present, - absent, "" a bare word, which never holds
	text  string // the value as written
	value any    // string, int64, float64, bool or nil
	expr  *regexp.Regexp
}

func (s *statement) visit(f func(*statement)) { f(s) }

func (s *statement) match(d document) bool {
	got, found := d.lookup(s.path)
	switch s.op {
	case "+":
		return found && got != nil
	case "-":
		return !found || got == nil
	case "":
		return false
	}
	if s.expr != nil {
		return s.op == "=" && scalar(got) && s.expr.MatchString(fmt.Sprint(got))
	}
	return compare(s.op, normal(got), s.value)
}

func scalar(v any) bool {
	switch v.(type) {
	case nil, []any, map[string]any:
		return false
	}
	return true
}

// normal gives a value of a document the type that a literal of the same spelling has.
func normal(v any) any {
	switch t := v.(type) {
	case string:
		return literal(t)
	case float64:
		if t == math.Trunc(t) && math.Abs(t) < 1<<53 {
			return int64(t)
		}
	case int:
		return int64(t)
	}
	return v
}

// literal types an unquoted word. Words for truth are left to the caller: in a document "true" is text.
func literal(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if strings.Contains(s, ".") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return s
}

func compare(op string, got, want any) bool {
	switch g := got.(type) {
	case nil:
		return op == "=" && want == nil
	case bool:
		w, ok := want.(bool)
		return ok && op == "=" && g == w
	case int64:
		if w, ok := want.(int64); ok {
			return holds(op, cmp.Compare(g, w))
		}
		if _, ok := want.(float64); ok {
			return false // 2017 compared these as text and failed
		}
	case float64:
		if w, ok := want.(float64); ok {
			return holds(op, cmp.Compare(g, w))
		}
		if _, ok := want.(int64); ok {
			return false
		}
	case string:
	default:
		return false
	}
	switch want.(type) {
	case nil, bool:
		return false
	}
	return holds(op, strings.Compare(fmt.Sprint(got), fmt.Sprint(want)))
}

func holds(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	default:
		return order >= 0
	}
}
