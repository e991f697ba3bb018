package playbooks

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

type kind int

const (
	absent kind = iota
	scalar
	list
	mapping
	templated
)

// Value is a value of a playbook with the places where it was written and its templates parsed. It
// is immutable once the playbook is loaded. The zero Value is absent.
type Value struct {
	kind    kind
	pos     Pos
	plain   any    // of a scalar
	raw     string // of a scalar, as it was written
	bare    bool   // of a scalar: it was written without quotes
	cut     bool   // of a bare scalar: a comment follows in its line, perhaps by mistake
	items   []Value
	entries []Entry
	tmpl    *template
}

// Entry is one key of a mapping.
type Entry struct {
	Key   string
	Pos   Pos
	Value Value
}

// IsZero reports whether the value is absent.
func (v Value) IsZero() bool { return v.kind == absent }

// Pos is where the value was written.
func (v Value) Pos() Pos { return v.pos }

// Source is the text of a value as it was written, templates included; "" for a list or a mapping.
func (v Value) Source() string {
	switch v.kind {
	case templated:
		return v.tmpl.source
	case scalar:
		return text(v.plain)
	case absent, list, mapping:
	}
	return ""
}

// Entries returns the entries of a mapping, in order; nil for anything else.
func (v Value) Entries() []Entry { return v.entries }

// entry finds a key of a mapping.
func (v Value) entry(key string) (Entry, bool) {
	for _, e := range v.entries {
		if e.Key == key {
			return e, true
		}
	}
	return Entry{}, false
}

// Lit makes a value of plain data, in which nothing is a template.
func Lit(data any) Value {
	switch t := data.(type) {
	case []any:
		v := Value{kind: list}
		for _, item := range t {
			v.items = append(v.items, Lit(item))
		}
		return v
	case map[string]any:
		v := Value{kind: mapping}
		for _, k := range sortedKeys(t) {
			v.entries = append(v.entries, Entry{Key: k, Value: Lit(t[k])})
		}
		return v
	default:
		return Value{kind: scalar, plain: data, raw: text(data)}
	}
}

// Literal returns the plain data when nothing in the value is a template.
func (v Value) Literal() (any, bool) {
	if v.hasTemplate() {
		return nil, false
	}
	data, err := v.Render(context.Background(), Scope{})
	return data, err == nil
}

// Filled is text with a word in the place of each template. ok is false for what is no text with
// templates in it, and for a template that stands alone.
func (v Value) Filled(word string) (text string, ok bool) {
	if v.kind != templated || len(v.tmpl.parts) < 2 {
		return "", false
	}
	var b strings.Builder
	for _, p := range v.tmpl.parts {
		if p.body == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(word)
		}
	}
	return b.String(), true
}

// asWritten is plain data in which templates are text like any other.
func (v Value) asWritten() any {
	switch v.kind {
	case scalar:
		if _, isText := v.plain.(string); !isText {
			return v.plain
		}
		return v.raw
	case templated:
		return v.raw
	case list:
		out := make([]any, len(v.items))
		for i, item := range v.items {
			out[i] = item.asWritten()
		}
		return out
	case mapping:
		out := make(map[string]any, len(v.entries))
		for _, e := range v.entries {
			out[e.Key] = e.Value.asWritten()
		}
		return out
	default:
		return nil
	}
}

// words makes booleans of the words of YAML 1.1 that stand without quotes, as in `force: yes`. Only
// what is sent on as JSON is read so; elsewhere the reader of a property knows what it wants.
func (v Value) words() Value {
	out := v
	if v.kind == scalar && v.bare {
		if word, ok := v.plain.(string); ok {
			out.plain = yesNo(word)
		}
	}
	out.items, out.entries = nil, nil
	for _, item := range v.items {
		out.items = append(out.items, item.words())
	}
	for _, e := range v.entries {
		e.Value = e.Value.words()
		out.entries = append(out.entries, e)
	}
	return out
}

func (v Value) hasTemplate() bool {
	if v.kind == templated {
		return true
	}
	for _, item := range v.items {
		if item.hasTemplate() {
			return true
		}
	}
	for _, e := range v.entries {
		if e.Value.hasTemplate() {
			return true
		}
	}
	return false
}

// Render evaluates every template in the value, once: what comes out is never looked at again. The
// result is made of map[string]any, []any, string, int, float64, bool and nil. An error is a *Problem.
func (v Value) Render(ctx context.Context, s Scope) (any, error) {
	switch v.kind {
	case absent:
		return nil, nil
	case scalar:
		return v.plain, nil
	case list:
		out := make([]any, len(v.items))
		for i, item := range v.items {
			data, err := item.Render(ctx, s)
			if err != nil {
				return nil, err
			}
			out[i] = data
		}
		return out, nil
	case mapping:
		out := make(map[string]any, len(v.entries))
		for _, e := range v.entries {
			data, err := e.Value.Render(ctx, s)
			if err != nil {
				return nil, err
			}
			out[e.Key] = data
		}
		return out, nil
	default:
		return v.tmpl.render(ctx, s)
	}
}

// walk calls visit for every template in the value.
func (v Value) walk(visit func(*template)) {
	if v.kind == templated {
		visit(v.tmpl)
	}
	for _, item := range v.items {
		item.walk(visit)
	}
	for _, e := range v.entries {
		e.Value.walk(visit)
	}
}

// text is how a value looks in the middle of a string: lists joined, mappings as JSON.
func text(data any) string {
	switch t := data.(type) {
	case nil:
		return ""
	case string:
		return t
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	case []any:
		parts := make([]string, len(t))
		for i, item := range t {
			parts[i] = text(item)
		}
		return strings.Join(parts, ", ")
	case []string:
		return strings.Join(t, ", ")
	case map[string]any:
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // <, > and & stay as they are
		if err := enc.Encode(t); err != nil {
			return fmt.Sprint(t)
		}
		return strings.TrimSuffix(b.String(), "\n")
	default:
		return fmt.Sprint(t)
	}
}
