package jgrep

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// document is what statements look into. Inside [ ] one array is replaced by one of its elements.
type document struct {
	root   any
	prefix string // of the array that is replaced
	item   any
}

func (d document) within(prefix string, item any) document {
	return document{root: d.root, prefix: prefix, item: item}
}

// lookup follows a dotted path; `*` stands for any key and `name[2]` for an element.
func (d document) lookup(path string) (any, bool) {
	if d.prefix != "" {
		if path == d.prefix {
			return d.item, true
		}
		if rest, ok := strings.CutPrefix(path, d.prefix+"."); ok {
			return follow(d.item, strings.Split(rest, "."))
		}
	}
	return follow(d.root, strings.Split(path, "."))
}

// array finds the first array on a path.
func (d document) array(path string) (prefix string, items []any) {
	steps := strings.Split(path, ".")
	for i := range steps {
		prefix = strings.Join(steps[:i+1], ".")
		if v, ok := d.lookup(prefix); ok {
			if items, ok := v.([]any); ok {
				return prefix, items
			}
		}
	}
	return "", nil
}

func follow(v any, steps []string) (any, bool) {
	if len(steps) == 0 {
		return v, true
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	key, index, indexed := cutIndex(steps[0])
	if key == "*" {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if found, ok := follow(m[k], steps[1:]); ok {
				return found, true
			}
		}
		return nil, false
	}
	next, ok := m[key]
	if !ok {
		return nil, false
	}
	if indexed {
		items, ok := next.([]any)
		if !ok || index >= len(items) {
			return nil, false
		}
		next = items[index]
	}
	return follow(next, steps[1:])
}

// cutIndex splits "name[2]".
func cutIndex(step string) (key string, index int, ok bool) {
	key, rest, found := strings.Cut(step, "[")
	if !found || !strings.HasSuffix(rest, "]") {
		return step, 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if err != nil || n < 0 {
		return step, 0, false
	}
	return key, n, true
}
