package engine

import (
	"encoding/json"
	"slices"
	"strings"
)

// Masked stands where a secret was.
const Masked = "***"

// redactor removes known secrets at the boundary where results are captured, before anything
// else sees them. Secrets are also found in the spellings of [spellings].
type redactor struct {
	replace *strings.Replacer // nil: there are no secrets
}

// newRedactor removes secrets of the program, unless they are so short that they would mask ordinary
// text, and those that were given for a run, which are long enough: see [playbooks.MinSecret].
func newRedactor(program []string, given ...string) *redactor {
	var found []string
	for _, s := range program {
		if len(s) >= minSecret {
			found = append(found, spellings(s)...)
		}
	}
	for _, s := range given {
		found = append(found, spellings(s)...)
	}
	if len(found) == 0 {
		return &redactor{}
	}
	// The longest first: one that begins with another must go as a whole.
	slices.SortStableFunc(found, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range found {
		pairs = append(pairs, s, Masked)
	}
	return &redactor{replace: strings.NewReplacer(pairs...)}
}

func (r *redactor) text(s string) string {
	if r.replace == nil {
		return s
	}
	return r.replace.Replace(s)
}

// hides reports whether v holds a secret, v being plain JSON data.
func (r *redactor) hides(v any) bool {
	switch t := v.(type) {
	case string:
		return r.text(t) != t
	case []any:
		return slices.ContainsFunc(t, r.hides)
	case map[string]any:
		for k, item := range t {
			if r.hides(k) || r.hides(item) {
				return true
			}
		}
		return false
	case int, float64:
		return r.number(t)
	}
	return false
}

// number reports whether the digits of a number hold a secret.
func (r *redactor) number(v any) bool {
	if r.replace == nil {
		return false
	}
	digits, err := json.Marshal(v)
	return err == nil && r.hides(string(digits))
}

func (r *redactor) lines(in []string) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, l := range in {
		out[i] = r.text(l)
	}
	return out
}

// value makes v plain JSON data without secrets, so that what is kept can always be written and read again.
func (r *redactor) value(v any) any {
	if v == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "the data cannot be kept: " + r.text(err.Error())
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return "the data cannot be kept: " + r.text(err.Error())
	}
	return r.walk(wholeNumbers(out))
}

func (r *redactor) walk(v any) any {
	switch t := v.(type) {
	case string:
		return r.text(t)
	case []any:
		for i := range t {
			t[i] = r.walk(t[i])
		}
		return t
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, v := range t {
			out[r.text(k)] = r.walk(v)
		}
		return out
	case int, float64:
		if r.number(t) {
			return Masked
		}
	}
	return v
}

// masks reports whether a secret was removed from v.
func masks(v any) bool {
	switch t := v.(type) {
	case string:
		return strings.Contains(t, Masked)
	case []any:
		return slices.ContainsFunc(t, masks)
	case map[string]any:
		for k, v := range t {
			if masks(k) || masks(v) {
				return true
			}
		}
	}
	return false
}

func (r *redactor) tree(m map[string]any) map[string]any {
	out, ok := r.value(m).(map[string]any)
	if !ok {
		return nil
	}
	return out
}

func (r *redactor) result(in Result) Result {
	in.Message = r.text(in.Message)
	in.Data = r.value(in.Data)
	in.OKNodes, in.FailedNodes = r.lines(in.OKNodes), r.lines(in.FailedNodes)
	in.SilentNodes, in.UnaskedNodes = r.lines(in.SilentNodes), r.lines(in.UnaskedNodes)
	return in
}
