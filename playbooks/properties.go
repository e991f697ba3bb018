package playbooks

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Properties are what a task type, node source or data store reads its settings from. The same
// reader serves twice: when a playbook is checked (made by [Unrendered]; what holds a template
// counts as present and reads as zero) and when it runs (made by [Rendered]). Every problem is
// collected; [Properties.Err] returns them all, unknown keys included. Not safe for concurrent use.
type Properties struct {
	props    []property
	pos      Pos
	deferred bool // made for checking
	read     []string
	anything []string // of those read, what may be of any kind
	common   []string // keys that somebody else reads, for suggestions
	names    *names   // what conditions may name; nil when that is not known
	problems []*Problem
	warnings []*Problem
}

type property struct {
	key      string
	pos      Pos
	value    any
	source   Value
	deferred bool
}

// Unrendered reads a mapping for checking.
func Unrendered(v Value) *Properties {
	p := &Properties{pos: v.pos, deferred: true}
	p.mustBeMapping(v)
	for _, e := range v.entries {
		data, ok := e.Value.Literal()
		p.props = append(p.props, property{key: e.Key, pos: e.Pos, value: data, source: e.Value, deferred: !ok})
	}
	return p
}

// Special names the keys whose values are not rendered as others are.
type Special struct {
	Shell      []string // text for a shell: where that has templates it becomes an argument list, see [Value.Shell]
	Conditions []string // expressions about what comes later, see [Condition]
}

// Rendered renders a mapping and reads that.
func Rendered(v Value, ctx context.Context, s Scope, special Special) (*Properties, error) { //nolint:revive // the value is the receiver of the sentence
	p := &Properties{pos: v.pos}
	p.mustBeMapping(v)
	for _, e := range v.entries {
		data, err := e.render(ctx, s, special)
		if err != nil {
			return nil, err
		}
		p.props = append(p.props, property{key: e.Key, pos: e.Pos, value: data, source: e.Value})
	}
	return p, nil
}

func (e Entry) render(ctx context.Context, s Scope, special Special) (any, error) {
	switch {
	case slices.Contains(special.Shell, e.Key):
		if argv, ok, err := e.Value.Shell(ctx, s); ok {
			return argv, err
		}
	case slices.Contains(special.Conditions, e.Key):
		return bind(ctx, e.Value, s)
	}
	return e.Value.Render(ctx, s)
}

// FromMap reads plain data: sealed properties, or those of a test.
func FromMap(m map[string]any) *Properties {
	p := &Properties{}
	for k, v := range m {
		p.props = append(p.props, property{key: k, value: v, source: Lit(v)})
	}
	slices.SortFunc(p.props, func(a, b property) int { return strings.Compare(a.key, b.key) })
	return p
}

func (p *Properties) mustBeMapping(v Value) {
	if v.kind != mapping && v.kind != absent && (v.kind != scalar || v.plain != nil) {
		p.add(v.pos, "write key: value lines", "the properties must be a mapping")
	}
}

func (p *Properties) add(pos Pos, remedy, format string, args ...any) {
	if pos == (Pos{}) {
		pos = p.pos
	}
	p.problems = append(p.problems, &Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (p *Properties) get(key string) (property, bool) {
	p.read = append(p.read, key)
	for _, e := range p.props {
		if e.key == key {
			return e, true
		}
	}
	return property{}, false
}

// value returns a property that is present and not deferred.
func (p *Properties) value(key string) (property, bool) {
	e, ok := p.get(key)
	return e, ok && !e.deferred && e.value != nil
}

// Checking reports whether the properties are only being checked: then nothing outside may be touched.
func (p *Properties) Checking() bool { return p.deferred }

// Has reports whether a key is there.
func (p *Properties) Has(key string) bool {
	_, ok := p.get(key)
	return ok
}

// Deferred reports whether a key holds a template that is not rendered yet.
func (p *Properties) Deferred(key string) bool {
	e, ok := p.get(key)
	return ok && e.deferred
}

// Any returns a value as it is; nil when it is absent or deferred.
func (p *Properties) Any(key string) any {
	p.anything = append(p.anything, key)
	e, _ := p.value(key)
	return e.value
}

// Source returns a value with its templates.
func (p *Properties) Source(key string) Value {
	e, _ := p.get(key)
	return e.source
}

// Values returns everything that is not deferred.
func (p *Properties) Values() map[string]any {
	out := make(map[string]any, len(p.props))
	for _, e := range p.props {
		if !e.deferred {
			out[e.key] = e.value
		}
	}
	return out
}

// Problem records that something is wrong with a key.
func (p *Properties) Problem(key, format string, args ...any) {
	e, _ := p.get(key)
	message, remedy := sentence(fmt.Sprintf(format, args...))
	p.add(e.pos, remedy, "%s", message)
}

// sentence splits what an error says into what is wrong and what to write instead.
func sentence(text string) (message, remedy string) {
	message, remedy, told := strings.Cut(text, "; ")
	if !told {
		remedy = "correct it"
	}
	return message, remedy
}

// Remedy records that something is wrong with a key, and what to write instead.
func (p *Properties) Remedy(key, remedy, format string, args ...any) {
	e, _ := p.get(key)
	p.add(e.pos, remedy, format, args...)
}

// RemedyAt records that something is wrong at a place inside a value.
func (p *Properties) RemedyAt(pos Pos, remedy, format string, args ...any) {
	p.add(pos, remedy, format, args...)
}

// Warn records something about a key that loads but should be changed.
func (p *Properties) Warn(key, remedy, format string, args ...any) {
	e, _ := p.get(key)
	p.warnings = append(p.warnings, &Problem{Pos: e.pos, Message: fmt.Sprintf(format, args...), Remedy: remedy, Warning: true})
}

// Err returns every problem, unknown keys included; nil when there is none. A key is known when it was read.
func (p *Properties) Err() error {
	all := slices.Clone(p.problems)
	for _, e := range p.props {
		if !slices.Contains(p.read, e.key) {
			all = append(all, &Problem{
				Pos: e.pos, Message: fmt.Sprintf("unknown key %q", e.key), Remedy: instead(e.key, p.known()),
			})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &Problems{list: all}
}

// known lists what may be written, each once.
func (p *Properties) known() []string {
	out := append(slices.Clone(p.read), p.common...)
	slices.Sort(out)
	return slices.Compact(out)
}

// describe names a value in messages.
func describe(v any) string {
	switch t := v.(type) {
	case nil:
		return "nothing"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	case string:
		if r := []rune(t); len(r) > 40 {
			t = string(r[:40]) + "…"
		}
		return strconv.Quote(t)
	default:
		return text(t)
	}
}
