package playbooks

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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
	problems []*Problem
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

// Rendered renders a mapping and reads that. The keys named in shellText hold text for a shell:
// where that has templates it becomes an argument list, see [Value.Shell].
func Rendered(v Value, ctx context.Context, s Scope, shellText ...string) (*Properties, error) { //nolint:revive // the value is the receiver of the sentence
	p := &Properties{pos: v.pos}
	p.mustBeMapping(v)
	for _, e := range v.entries {
		data, err := e.render(ctx, s, slices.Contains(shellText, e.Key))
		if err != nil {
			return nil, err
		}
		p.props = append(p.props, property{key: e.Key, pos: e.Pos, value: data, source: e.Value})
	}
	return p, nil
}

func (e Entry) render(ctx context.Context, s Scope, shellText bool) (any, error) {
	if shellText {
		if argv, ok, err := e.Value.Shell(ctx, s); ok {
			return argv, err
		}
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
	p.add(e.pos, "", format, args...)
}

// Remedy records that something is wrong with a key, and what to write instead.
func (p *Properties) Remedy(key, remedy, format string, args ...any) {
	e, _ := p.get(key)
	p.add(e.pos, remedy, format, args...)
}

// Text reads a string; numbers and booleans become their text.
func (p *Properties) Text(key, fallback string) string {
	e, ok := p.value(key)
	if !ok {
		return fallback
	}
	switch e.value.(type) {
	case []any, map[string]any:
		p.add(e.pos, "write one value", "%s must be text, not %s", key, describe(e.value))
		return fallback
	}
	if e.source.kind == scalar {
		return e.source.raw
	}
	return text(e.value)
}

// RequireText reads a string that must be there and not be empty.
func (p *Properties) RequireText(key string) string {
	p.require(key)
	s := p.Text(key, "")
	if e, ok := p.value(key); ok && s == "" {
		p.add(e.pos, "give it a value", "%s is empty", key)
	}
	return s
}

func (p *Properties) require(key string) {
	if e, ok := p.get(key); !ok || !e.deferred && e.value == nil {
		p.add(e.pos, "add "+key+": …", "%s is missing", key)
	}
}

// Bool reads true or false.
func (p *Properties) Bool(key string, fallback bool) bool {
	e, ok := p.value(key)
	if !ok {
		return fallback
	}
	b, ok := e.value.(bool)
	if !ok {
		p.add(e.pos, "write true or false", "%s must be true or false, not %s", key, describe(e.value))
		return fallback
	}
	return b
}

// Int reads a whole number; digits in a string count.
func (p *Properties) Int(key string, fallback int) int {
	e, ok := p.value(key)
	if !ok {
		return fallback
	}
	n, ok := wholeNumber(e.value)
	if !ok {
		p.add(e.pos, "write a whole number", "%s must be a whole number, not %s", key, describe(e.value))
		return fallback
	}
	return n
}

func wholeNumber(v any) (int, bool) {
	switch t := v.(type) {
	case int:
		return t, true
	case int64:
		return int(t), true
	case float64:
		return int(t), t == float64(int(t))
	case string:
		n, err := strconv.Atoi(strings.TrimSpace(t))
		return n, err == nil
	}
	return 0, false
}

// Duration reads a duration: a bare number is seconds, else "90s", "5m", "2h", "1d".
func (p *Properties) Duration(key string, fallback time.Duration) time.Duration {
	e, ok := p.value(key)
	if !ok {
		return fallback
	}
	d, err := ParseDuration(e.value)
	if err != nil {
		p.add(e.pos, `write seconds, or "90s", "5m", "2h", "1d"`, "%s must be a duration, not %s", key, describe(e.value))
		return fallback
	}
	return d
}

// ParseDuration reads a duration as playbooks and people write it: a bare number is seconds; d is a day of 24 hours.
func ParseDuration(v any) (time.Duration, error) {
	s := strings.TrimSpace(text(v))
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return checkDuration(time.Duration(n*float64(time.Second)), n)
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return checkDuration(time.Duration(n*24*float64(time.Hour)), n*86400)
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return checkDuration(d, d.Seconds())
}

func checkDuration(d time.Duration, seconds float64) (time.Duration, error) {
	const century = 100 * 365 * 86400
	if seconds != seconds || seconds < 0 || seconds > century { // not a number, negative, or it would overflow
		return 0, fmt.Errorf("a duration lies between 0 and a century")
	}
	return d, nil
}

// Strings reads a list of text. One text is not a list of one: that was the trap of 2017 (#161).
func (p *Properties) Strings(key string) []string {
	e, ok := p.value(key)
	if !ok {
		return nil
	}
	items, ok := e.value.([]any)
	if !ok {
		p.add(e.pos, "write [a, b], or a template that gives a list", "%s must be a list, not %s", key, describe(e.value))
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		switch item.(type) {
		case []any, map[string]any, nil:
			p.add(e.pos, "", "%s must be a list of text, and holds %s", key, describe(item))
		default:
			out = append(out, text(item))
		}
	}
	return out
}

// RequireStrings reads a list of text that must be there and not be empty.
func (p *Properties) RequireStrings(key string) []string {
	p.require(key)
	out := p.Strings(key)
	if e, ok := p.value(key); ok && len(out) == 0 {
		if _, isList := e.value.([]any); isList {
			p.add(e.pos, "name at least one", "%s is empty", key)
		}
	}
	return out
}

// Map reads a mapping.
func (p *Properties) Map(key string) map[string]any {
	e, ok := p.value(key)
	if !ok {
		return nil
	}
	m, ok := e.value.(map[string]any)
	if !ok {
		p.add(e.pos, "write key: value lines", "%s must be a mapping, not %s", key, describe(e.value))
	}
	return m
}

// StringMap reads a mapping of text to text; numbers and booleans become their text.
func (p *Properties) StringMap(key string) map[string]string {
	m := p.Map(key)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		switch v.(type) {
		case []any, map[string]any:
			p.Remedy(key, "write one value", "%s.%s must be text, not %s", key, k, describe(v))
		default:
			out[k] = text(v)
		}
	}
	return out
}

// List reads a list of anything.
func (p *Properties) List(key string) []any {
	e, ok := p.value(key)
	if !ok {
		return nil
	}
	items, ok := e.value.([]any)
	if !ok {
		p.add(e.pos, "write [a, b]", "%s must be a list, not %s", key, describe(e.value))
	}
	return items
}

// Choice reads one of several words.
func (p *Properties) Choice(key, fallback string, allowed ...string) string {
	s := p.Text(key, fallback)
	if e, ok := p.value(key); ok && !slices.Contains(allowed, s) {
		p.add(e.pos, suggest(s, allowed), "%s cannot be %q", key, s)
		return fallback
	}
	return s
}

// Err returns every problem, unknown keys included; nil when there is none. A key is known when it was read.
func (p *Properties) Err() error {
	all := slices.Clone(p.problems)
	for _, e := range p.props {
		if !slices.Contains(p.read, e.key) {
			all = append(all, &Problem{
				Pos: e.pos, Message: fmt.Sprintf("unknown key %q", e.key), Remedy: suggest(e.key, p.known()),
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
	out := slices.Clone(p.read)
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
		if len(t) > 40 {
			t = t[:40] + "…"
		}
		return strconv.Quote(t)
	default:
		return text(t)
	}
}
