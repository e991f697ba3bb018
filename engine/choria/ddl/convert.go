package ddl

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// convert makes a value one of the input's type, and holds it to length, choices and validation. Text
// becomes what it says: "5" an integer, "yes" a boolean, a JSON array an array. Numbers and booleans
// become text where text is wanted. The error is a sentence about the value, with a remedy.
func (in *Input) convert(v any) (any, error) {
	switch in.Type {
	case String:
		return in.text(v)
	case List:
		s, ok := scalarText(v)
		if !ok || !slices.Contains(in.Choices, s) {
			return nil, fmt.Errorf("%s is not among its values; write one of %s", describe(v), strings.Join(in.Choices, ", "))
		}
		return s, nil
	case Boolean:
		if b, ok := boolean(v); ok {
			return b, nil
		}
		return nil, fmt.Errorf("%s is not true or false; write one of them", describe(v))
	case Integer:
		if n, ok := whole(v); ok {
			return n, nil
		}
		return nil, fmt.Errorf("%s is no whole number; write digits, such as 5", describe(v))
	case Float:
		if f, ok := float(v); ok {
			return f, nil
		}
		return nil, fmt.Errorf("%s is no number; write one, such as 0.5", describe(v))
	case Number:
		if n, ok := whole(v); ok {
			return n, nil
		}
		if f, ok := float(v); ok {
			return f, nil
		}
		return nil, fmt.Errorf("%s is no number; write one, such as 5 or 0.5", describe(v))
	case Array:
		return array(v)
	case Hash:
		return hash(v)
	case Any:
	}
	return v, nil
}

func (in *Input) text(v any) (any, error) {
	s, ok := scalarText(v)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is no text; write one value", describe(v))
	case in.MaxLength > 0 && len(s) > in.MaxLength:
		return nil, fmt.Errorf("a text of %d bytes is too long; write at most %d", len(s), in.MaxLength)
	case in.validation != nil && !in.validation.holds(s):
		return nil, fmt.Errorf("%s is refused; it must be %s", describe(v), in.validation.says)
	}
	return s, nil
}

// scalarText is the text of a value that has one.
func scalarText(v any) (string, bool) {
	switch t := v.(type) {
	case string:
		return t, true
	case bool:
		return strconv.FormatBool(t), true
	case int:
		return strconv.Itoa(t), true
	case int64:
		return strconv.FormatInt(t, 10), true
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64), true
	}
	return "", false
}

func boolean(v any) (value, ok bool) {
	switch t := v.(type) {
	case bool:
		return t, true
	case string:
		switch strings.ToLower(strings.TrimSpace(t)) {
		case "true", "t", "yes", "y", "on", "1":
			return true, true
		case "false", "f", "no", "n", "off", "0":
			return false, true
		}
	}
	return false, false
}

// maxWhole is the largest whole number that every JSON reader keeps apart from its neighbours.
const maxWhole = 1 << 53

func whole(v any) (int64, bool) {
	switch t := v.(type) {
	case int:
		return int64(t), true
	case int64:
		return t, true
	case float64:
		if t == math.Trunc(t) && math.Abs(t) <= maxWhole {
			return int64(t), true
		}
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func float(v any) (float64, bool) {
	f := math.NaN()
	switch t := v.(type) {
	case int:
		f = float64(t)
	case int64:
		f = float64(t)
	case float64:
		f = t
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
		if err != nil {
			return 0, false
		}
		f = n
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0) // JSON has neither
}

func array(v any) (any, error) {
	switch t := v.(type) {
	case []any:
		return t, nil
	case []string:
		out := make([]any, len(t))
		for i, s := range t {
			out[i] = s
		}
		return out, nil
	case string:
		var out []any
		if err := json.Unmarshal([]byte(t), &out); err == nil && out != nil {
			return out, nil
		}
	}
	return nil, fmt.Errorf(`%s is no list; write [a, b], or the text of a JSON array`, describe(v))
}

func hash(v any) (any, error) {
	switch t := v.(type) {
	case map[string]any:
		return t, nil
	case string:
		var out map[string]any
		if err := json.Unmarshal([]byte(t), &out); err == nil && out != nil {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%s is no mapping; write key: value lines, or the text of a JSON object", describe(v))
}

// describe names a value. A long text is not repeated: what is cut could be a part of a secret, which
// is recognised as a whole only.
func describe(v any) string {
	switch t := v.(type) {
	case nil:
		return "nothing"
	case string:
		return quote(t)
	case []any, []string:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	s, ok := scalarText(v)
	if !ok {
		return "the value"
	}
	return s
}
