package pdbsim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// truth is that of SQL: what is asked of a value that is not there is neither true nor false, and so
// is its contrary. The smaller of two is their and, the greater their or.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func holds(b bool) truth {
	if b {
		return yes
	}
	return no
}

// condition is asked of a row: one node, with the fact or resource that is looked at.
type condition func(r row) truth

func always(row) truth { return yes }

func both(l, r condition) condition { return func(x row) truth { return min(l(x), r(x)) } }

func either(l, r condition) condition { return func(x row) truth { return max(l(x), r(x)) } }

func contrary(c condition) condition { return func(x row) truth { return -c(x) } }

// related holds for a node of which any row of another entity matches.
func related(entity string, where condition) condition {
	return func(r row) truth {
		return holds(slices.ContainsFunc(rowsOf(entity, r.node), func(x row) bool { return where(x) == yes }))
	}
}

// test is a comparison of a field with values, of which only in has several.
func test(entity, name, op string, want []any) (condition, error) {
	f, err := fieldOf(entity, name)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(op, "<>") && !f.ordered {
		return nil, fmt.Errorf("query operators >,>=,<,<= are not allowed on field %s", name)
	}
	if name == "tag" { // whatever is asked of tags is made lower case first, patterns too
		want = lower(want)
	}
	is, err := compare(op, want)
	if err != nil {
		return nil, err
	}
	return func(r row) truth {
		found := no
		for _, v := range f.get(r) {
			found = max(found, is(v))
		}
		if name == "tag" && r.anyTag {
			return yes
		}
		return found
	}, nil
}

// errNUL is what PostgreSQL says of text that it cannot hold.
var errNUL = errors.New(`ERROR: invalid byte sequence for encoding "UTF8": 0x00`)

func lower(values []any) []any {
	out := slices.Clone(values)
	for i, v := range out {
		if s, isText := v.(string); isText {
			out[i] = strings.ToLower(s)
		}
	}
	return out
}

// compare returns the test of an operator. Values are those of JSON: the text 4 is not the number 4.
func compare(op string, want []any) (func(any) truth, error) {
	if slices.ContainsFunc(want, func(v any) bool { s, _ := v.(string); return strings.ContainsRune(s, 0) }) {
		return nil, errNUL
	}
	switch op {
	case "=":
		return func(have any) truth { return holds(equal(have, want[0])) }, nil
	case "!=": // also of what is not there, as for PuppetDB
		return func(have any) truth { return holds(!equal(have, want[0])) }, nil
	case "in":
		return func(have any) truth {
			return holds(slices.ContainsFunc(want, func(w any) bool { return equal(have, w) }))
		}, nil
	case "~":
		return matching(want[0])
	}
	return func(have any) truth {
		if have == nil {
			return unknown
		}
		c := order(have, want[0])
		return holds(op == ">" && c > 0 || op == "<" && c < 0 || op == ">=" && c >= 0 || op == "<=" && c <= 0)
	}, nil
}

// matching looks at the text of a value, which numbers, booleans and structures have too.
func matching(want any) (func(any) truth, error) {
	pattern, isText := want.(string)
	if !isText {
		return nil, errors.New("the pattern is not text")
	}
	re, err := regexp.Compile("(?s)" + pattern) // to PostgreSQL a dot is any character
	if err != nil {
		return nil, fmt.Errorf("the pattern does not compile: %w", err)
	}
	return func(have any) truth {
		if have == nil {
			return unknown
		}
		text, isText := have.(string)
		if !isText {
			raw, err := json.Marshal(have)
			if err != nil {
				return no
			}
			text = string(raw)
		}
		return holds(re.MatchString(text))
	}, nil
}

func equal(a, b any) bool { return a != nil && b != nil && rank(a) < rankArray && order(a, b) == 0 }

const rankArray = 4

// rank is the order of the kinds of JSON in PostgreSQL.
func rank(v any) int {
	switch v.(type) {
	case string:
		return 1
	case float64:
		return 2
	case bool:
		return 3
	case []any:
		return rankArray
	case map[string]any:
		return rankArray + 1
	}
	return 0
}

// order compares two values as PostgreSQL orders JSON: by their kind first.
func order(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch x := a.(type) {
	case string:
		y, _ := b.(string)
		return strings.Compare(x, y)
	case float64:
		y, _ := b.(float64)
		return cmp.Compare(x, y)
	case bool:
		y, _ := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	}
	return 0
}

// plain is a value as JSON has it: a fact may be given as any kind of number or list.
func plain(v any) any {
	switch v.(type) {
	case nil, string, bool, float64:
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}
