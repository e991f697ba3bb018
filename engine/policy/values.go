package policy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// Values are what an input may be: one of some patterns, or in one of some ranges. The zero Values allow nothing.
type Values struct {
	Like   []string // patterns as of path.Match, of a text, a number, true or false as people type it
	Ranges []Range  // of numbers
}

// Range is of numbers, both ends included. An end that is open is an infinity.
type Range struct{ AtLeast, AtMost float64 }

// Check says what is wrong with values; nil when nothing is.
func (v Values) Check() error {
	if len(v.Like)+len(v.Ranges) == 0 {
		return errors.New("no value is allowed; name one, or leave the input out")
	}
	for _, p := range v.Like {
		if err := CheckPattern(p); err != nil {
			return err
		}
	}
	for _, r := range v.Ranges {
		if !(r.AtLeast <= r.AtMost) { // not a number is in no range
			return fmt.Errorf("no number is %s; at_least must not be above at_most", r)
		}
	}
	return nil
}

// Allow reports whether an input may have a value. Of a list each item must be allowed, and there must be one:
// to playbooks an empty list often means everything. Mappings and nothing are never allowed.
func (v Values) Allow(value any) bool {
	switch t := value.(type) {
	case []any:
		return len(t) > 0 && !slices.ContainsFunc(t, func(item any) bool { return !v.scalar(item) })
	case []string:
		return len(t) > 0 && !slices.ContainsFunc(t, func(item string) bool { return !v.scalar(item) })
	default:
		return v.scalar(value)
	}
}

func (v Values) scalar(value any) bool {
	switch t := value.(type) {
	case string:
		return matchAny(v.Like, t)
	case bool:
		return matchAny(v.Like, strconv.FormatBool(t))
	}
	n, ok := number(value)
	if !ok {
		return false
	}
	return matchAny(v.Like, NumberText(n)) || slices.ContainsFunc(v.Ranges, func(r Range) bool { return n >= r.AtLeast && n <= r.AtMost })
}

func number(value any) (float64, bool) {
	switch t := value.(type) {
	case int:
		return float64(t), true
	case int64:
		return float64(t), true
	case uint64:
		return float64(t), true
	case float64:
		return t, !math.IsNaN(t)
	}
	return 0, false
}

// NumberText is a number as patterns see it: 5, 0.5.
func NumberText(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// String says what is allowed: "bravo or ch*", "1 to 10".
func (v Values) String() string {
	out := slices.Clone(v.Like)
	for _, r := range v.Ranges {
		out = append(out, r.String())
	}
	return Either(out)
}

// MarshalYAML writes values as a configuration has them.
func (v Values) MarshalYAML() (any, error) {
	out := make([]any, 0, len(v.Like)+len(v.Ranges))
	for _, p := range v.Like {
		out = append(out, p)
	}
	for _, r := range v.Ranges {
		ends := map[string]float64{}
		if !math.IsInf(r.AtLeast, -1) {
			ends["at_least"] = r.AtLeast
		}
		if !math.IsInf(r.AtMost, 1) {
			ends["at_most"] = r.AtMost
		}
		out = append(out, ends)
	}
	return out, nil
}

// String says which numbers are meant.
func (r Range) String() string {
	low, high := NumberText(r.AtLeast), NumberText(r.AtMost)
	switch {
	case math.IsInf(r.AtLeast, -1) && math.IsInf(r.AtMost, 1):
		return "any number"
	case math.IsInf(r.AtLeast, -1):
		return "at most " + high
	case math.IsInf(r.AtMost, 1):
		return "at least " + low
	}
	return low + " to " + high
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
