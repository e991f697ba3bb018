package jgrep

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// statement is one comparison, or a test for presence.
type statement struct {
	path string
	op   string // = < > <= >=, + present, - absent, "" a bare word, which never holds
	want string // the value, without quotes
	expr *regexp.Regexp
}

func (s *statement) visit(f func(*statement)) { f(s) }

func (s *statement) match(d document) bool {
	got, found := d.lookup(s.path)
	switch s.op {
	case "+":
		return found
	case "-":
		return !found
	case "":
		return false
	}
	if s.expr != nil {
		return scalar(got) && s.expr.MatchString(text(got))
	}
	return compare(s.op, got, s.want)
}

func scalar(v any) bool {
	switch v.(type) {
	case nil, []any, map[string]any:
		return false
	}
	return true
}

// text writes a value as JSON does, text without its quotes: a number in full, never as 1e+06.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// compare compares what a document says with the word of a statement. The word has no type of its
// own: it is a number where the document has one, and text where the document has text. Two whole
// numbers compare as such, also when the document has one as text, and so do two with a point; a
// whole number and one with a point do not compare at all, as in 2017.
func compare(op string, got any, want string) bool {
	switch g := got.(type) {
	case nil:
		return op == "=" && want == "null"
	case bool:
		return op == "=" && want == strconv.FormatBool(g)
	case string:
		if order, ok := numeric(number(g), number(want)); ok {
			return holds(op, order)
		}
		return holds(op, strings.Compare(g, want))
	case float64:
		return compareNumber(op, whole(g), want)
	case int:
		return compareNumber(op, int64(g), want)
	}
	return false
}

func compareNumber(op string, got any, want string) bool {
	order, ok := numeric(got, number(want))
	return ok && holds(op, order)
}

// numeric orders two numbers of one kind; false when there are none.
func numeric(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case int64:
		b, ok := b.(int64)
		return cmp.Compare(a, b), ok
	case float64:
		b, ok := b.(float64)
		return cmp.Compare(a, b), ok
	}
	return 0, false
}

// number reads a word as int64 or, when it has a point, as float64; nil when it is no number.
func number(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if strings.Contains(s, ".") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return nil
}

// whole gives a number that JSON made a float64 back the kind that it was written with.
func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
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
