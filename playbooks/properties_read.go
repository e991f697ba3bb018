package playbooks

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text reads a string; numbers and booleans become their text.
func (p *Properties) Text(key, fallback string) string {
	e, ok := p.value(key)
	if !ok {
		if e.deferred && p.deferred && !slices.Contains(p.anything, key) && e.source.isList(p.names) {
			p.add(e.pos, joined(e.source), "%s must be text, not a list", key)
		}
		return fallback
	}
	switch e.value.(type) {
	case []any:
		p.add(e.pos, joined(e.source), "%s must be text, not a list", key)
		return fallback
	case map[string]any:
		p.add(e.pos, "write one value", "%s must be text, not a mapping", key)
		return fallback
	}
	if _, isText := e.value.(string); !isText && e.source.kind == scalar {
		return e.source.raw // 1.0 stays 1.0
	}
	return text(e.value)
}

// RequireText reads a string that must be there and not be empty.
func (p *Properties) RequireText(key string) string {
	p.require(key)
	s := p.Text(key, "")
	if e, ok := p.value(key); ok && text(e.value) == "" {
		p.add(e.pos, "give it a value", "%s is empty", key)
	}
	return s
}

func (p *Properties) require(key string) {
	if e, ok := p.get(key); !ok || !e.deferred && e.value == nil {
		remedy := "add " + key + ": …"
		if e.source.cut {
			remedy = "put a value that begins with # in quotes: to YAML it is a comment"
		}
		p.add(e.pos, remedy, "%s is missing", key)
	}
}

// Bool reads true or false; the other words of YAML 1.1 count.
func (p *Properties) Bool(key string, fallback bool) bool {
	e, ok := p.value(key)
	if !ok {
		return fallback
	}
	data := e.value
	if word, isText := data.(string); isText {
		data = yesNo(word)
	}
	b, ok := data.(bool)
	if !ok {
		p.add(e.pos, "write true or false", "%s must be true or false, not %s", key, describe(e.value))
		return fallback
	}
	return b
}

// yesNo reads the words that were booleans in 2017, when YAML was 1.1; other words stay text.
func yesNo(word string) any {
	switch word {
	case "yes", "Yes", "YES", "on", "On", "ON":
		return true
	case "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	return word
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

// Strings reads a list of text. One text is not a list of one: that was the trap of 2017 (#161).
func (p *Properties) Strings(key string) []string {
	e, ok := p.value(key)
	if !ok {
		return nil
	}
	items, ok := e.value.([]any)
	if !ok {
		p.add(e.pos, p.listRemedy(key, e.value), "%s must be a list, not %s", key, describe(e.value))
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		switch item.(type) {
		case []any, map[string]any, nil:
			p.add(e.pos, "write [a, b]", "%s must be a list of text, and holds %s", key, describe(item))
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
