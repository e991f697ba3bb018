package pdbsim

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field is how a field of an entity is read. A tag, or a path with a pattern, has any number of values.
type field struct {
	get     func(row) []any
	ordered bool // may be compared with < and >
}

// one is a field with one value, which is nil when a row has none.
func one(get func(row) any) field {
	return field{get: func(r row) []any { return []any{get(r)} }}
}

func fieldOf(entity, name string) (field, error) {
	if path, ok := strings.CutPrefix(name, "facts."); ok && entity == "inventory" {
		steps, err := parsePath(path)
		return field{ordered: true, get: func(r row) []any { return dig(r.node.Facts, steps) }}, err
	}
	switch {
	case name == "certname":
		return one(func(r row) any { return r.node.Certname }), nil
	case entity == "facts" && name == "name" || entity == "resources" && name == "type":
		return one(func(r row) any { return r.name }), nil
	case entity == "resources" && name == "title":
		return one(func(r row) any { return r.value }), nil
	case entity == "resources" && name == "tag":
		return field{get: func(r row) []any { return r.tags }}, nil
	case entity == "facts" && name == "value":
		f := one(func(r row) any { return r.value })
		f.ordered = true
		return f, nil
	}
	return field{}, fmt.Errorf("'%s' is not a queryable field of %s", name, entity)
}

// step is one part of the path to a fact: a key, an index, or every key or index that a pattern matches.
type step struct {
	key   string
	index int // from 0; -1 is none
	every *regexp.Regexp
}

// parsePath reads what stands behind facts., such as os.family, "a.b"."c d", list[0] and list.match("\d+").
func parsePath(s string) ([]step, error) {
	var steps []step
	for s != "" || steps == nil {
		part, quoted, rest, err := cutPart(s)
		if err != nil {
			return nil, err
		}
		s = rest
		var index *int
		if at := strings.LastIndexByte(part, '['); at > 0 && strings.HasSuffix(part, "]") {
			if n, err := strconv.Atoi(part[at+1 : len(part)-1]); err == nil && n >= 0 {
				part, index = part[:at], &n
			}
		}
		pattern, isPattern := strings.CutPrefix(part, `match("`)
		if isPattern && !quoted {
			re, err := regexp.Compile("^(?:" + strings.TrimSuffix(pattern, `")`) + ")$")
			if err != nil {
				return nil, fmt.Errorf("the pattern does not compile: %w", err)
			}
			steps = append(steps, step{every: re, index: -1})
			continue
		}
		steps = append(steps, step{key: part, index: -1})
		if index != nil {
			steps = append(steps, step{index: *index})
		}
	}
	return steps, nil
}

// cutPart takes the first part off a path.
func cutPart(s string) (part string, quoted bool, rest string, err error) {
	end := strings.IndexByte(s, '.')
	switch {
	case strings.HasPrefix(s, `"`):
		quoted = true
		end = strings.IndexByte(s[1:], '"') + 2
		if end < 2 || end < len(s) && s[end] != '.' {
			return "", true, "", errors.New("a quote is not closed in the path of a fact")
		}
	case strings.HasPrefix(s, `match("`):
		if end = strings.Index(s, `")`) + 2; end < 2 || end < len(s) && s[end] != '.' {
			return "", false, "", errors.New(`match is not closed with ") in the path of a fact`)
		}
	case end < 0:
		end = len(s)
	}
	part = s[:end]
	if quoted {
		part = part[1 : len(part)-1]
	}
	if part == "" || end == len(s)-1 {
		return "", quoted, "", errors.New("empty AST field component")
	}
	return part, quoted, strings.TrimPrefix(s[end:], "."), nil
}

// dig follows a path. Without a pattern it finds one value, or nil.
func dig(facts map[string]any, steps []step) []any {
	at := []any{facts}
	for _, s := range steps {
		var next []any
		for _, v := range at {
			next = append(next, s.follow(v)...)
		}
		at = next
	}
	if len(at) == 0 && !slices.ContainsFunc(steps, func(s step) bool { return s.every != nil }) {
		return []any{nil}
	}
	return at
}

func (s step) follow(v any) []any {
	var out []any
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			if s.every != nil && s.every.MatchString(k) || s.every == nil && s.index < 0 && k == s.key {
				out = append(out, item)
			}
		}
	case []any:
		for i, item := range v {
			if s.every != nil && s.every.MatchString(strconv.Itoa(i)) || s.every == nil && s.index == i {
				out = append(out, item)
			}
		}
	}
	return out
}
