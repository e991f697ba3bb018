package engine

import (
	"encoding/json"
	"slices"
	"strings"
)

// masked stands where a secret was.
const masked = "***"

// minSecret is the length below which a secret is not masked: shorter ones would mask ordinary text.
const minSecret = 6

// redactor removes known secrets at the boundary where results are captured, before anything
// else sees them.
type redactor struct {
	replace *strings.Replacer
}

func newRedactor(secrets []string) *redactor {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= minSecret {
			pairs = append(pairs, s, masked)
		}
	}
	return &redactor{replace: strings.NewReplacer(pairs...)}
}

func (r *redactor) text(s string) string { return r.replace.Replace(s) }

func (r *redactor) lines(in []string) []string {
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
	default:
		return v
	}
}

// masks reports whether a secret was removed from v.
func masks(v any) bool {
	switch t := v.(type) {
	case string:
		return strings.Contains(t, masked)
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
	return in
}
