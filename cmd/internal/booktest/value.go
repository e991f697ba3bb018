package booktest

import (
	"slices"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/playbooks"
)

// value is a value of the file with its place. The zero value is absent.
type value struct {
	r *reader
	n *yaml.Node
}

func (v value) there() bool { return v.n != nil && v.node().Tag != "!!null" }

func (v value) pos() playbooks.Pos {
	if v.n == nil {
		return playbooks.Pos{}
	}
	return playbooks.Pos{Line: v.n.Line, Column: v.n.Column}
}

func (v value) problem(remedy, format string, args ...any) {
	v.r.problem(v.pos(), remedy, format, args...)
}

// node is what an alias leads to.
func (v value) node() *yaml.Node {
	if v.n != nil && v.n.Kind == yaml.AliasNode {
		return v.n.Alias
	}
	return v.n
}

func (v value) isList() bool    { return v.n != nil && v.node().Kind == yaml.SequenceNode }
func (v value) isMapping() bool { return v.n != nil && v.node().Kind == yaml.MappingNode }

// entry is a key with its value.
type entry struct {
	key   string
	at    playbooks.Pos
	value value
}

// entries reads a mapping in its order.
func (v value) entries(what string) []entry {
	if !v.there() {
		return nil
	}
	if !v.isMapping() {
		v.problem("write key: value lines", "%s must be a mapping, not %s", what, v.describe())
		return nil
	}
	return v.merged(0)
}

// merged is the entries of a mapping and of what it merges; what is written in it wins.
func (v value) merged(depth int) []entry {
	var out, more []entry
	seen := make(map[string]bool)
	content := v.node().Content
	for i := 0; i+1 < len(content) && depth < maxDepth; i += 2 {
		k, item := content[i], value{v.r, content[i+1]}
		at := playbooks.Pos{Line: k.Line, Column: k.Column}
		switch {
		case k.Tag == "!!merge" && item.isMapping():
			more = append(more, item.merged(depth+1)...)
		case k.Kind != yaml.ScalarNode:
			v.r.problem(at, "write key: value", "a key is one word, not a list or a mapping")
		case seen[k.Value]:
			v.r.problem(at, "remove one of them", "key %q is set twice", k.Value)
		default:
			seen[k.Value] = true
			out = append(out, entry{k.Value, at, item})
		}
	}
	for _, e := range more {
		if !seen[e.key] {
			seen[e.key] = true
			out = append(out, e)
		}
	}
	return out
}

// object reads a mapping that knows certain keys.
func (v value) object(what string, known ...string) map[string]value {
	out := make(map[string]value)
	for _, e := range v.entries(what) {
		if !slices.Contains(known, e.key) {
			v.r.problem(e.at, suggest(e.key, known), "%s has no key %q", what, e.key)
			continue
		}
		out[e.key] = e.value
	}
	return out
}

// items reads a list. One value is a list of one. An entry that is empty would match anything, and is
// refused: most often YAML took its text for a comment.
func (v value) items() []value {
	return slices.DeleteFunc(v.list(), func(item value) bool {
		if !item.there() {
			item.problem("put text that begins with # in quotes, or remove the entry", "the entry is empty")
		}
		return !item.there()
	})
}

// list reads a list as it is.
func (v value) list() []value {
	if !v.there() {
		return nil
	}
	if !v.isList() {
		return []value{v}
	}
	out := make([]value, len(v.node().Content))
	for i, n := range v.node().Content {
		out[i] = value{v.r, n}
	}
	return out
}

// text reads one word or sentence; fallback when it is absent.
func (v value) text(what, fallback string) string {
	if !v.there() {
		return fallback
	}
	if v.node().Kind != yaml.ScalarNode {
		v.problem("write one value", "%s must be text, not %s", what, v.describe())
		return fallback
	}
	return v.node().Value
}

// texts reads a list of words; one word is a list of one.
func (v value) texts(what string) []string {
	var out []string
	for _, item := range v.items() {
		out = append(out, item.text(what, ""))
	}
	return out
}

func (v value) choice(what, fallback string, known ...string) string {
	s := v.text(what, fallback)
	if v.there() && !slices.Contains(known, s) {
		v.problem(suggest(s, known), "%s cannot be %q", what, s)
		return fallback
	}
	return s
}

func (v value) whole(what string, fallback int) int {
	if !v.there() {
		return fallback
	}
	n, err := strconv.Atoi(v.text(what, ""))
	if err != nil || n < 0 {
		v.problem("write a whole number", "%s must be a whole number, not %s", what, v.describe())
		return fallback
	}
	return n
}

func (v value) yes(what string) bool {
	if !v.there() {
		return false
	}
	return v.choice(what, "false", "true", "false") == "true"
}

func (v value) duration(what string, fallback time.Duration) time.Duration {
	if !v.there() {
		return fallback
	}
	d, err := playbooks.ParseDuration(v.text(what, ""))
	if err != nil {
		v.problem(`write seconds, or "90s", "5m", "2h", "1d"`, "%s must be a duration, not %s", what, v.describe())
		return fallback
	}
	return d
}

// data reads any value as plain data: maps with text keys, lists, text, numbers, true and false.
func (v value) data() any { return v.plain(0) }

func (v value) plain(depth int) any {
	if !v.there() {
		return nil
	}
	if v.r.values++; v.r.values > maxValues || depth > maxDepth {
		if v.r.values == maxValues+1 || depth == maxDepth+1 {
			v.problem("make it flatter", "the file nests too deep or its aliases expand to too much")
		}
		return nil
	}
	switch {
	case v.isMapping():
		out := make(map[string]any)
		for _, e := range v.merged(0) {
			out[e.key] = e.value.plain(depth + 1)
		}
		return out
	case v.isList():
		out := make([]any, 0, len(v.node().Content))
		for _, item := range v.list() {
			out = append(out, item.plain(depth+1))
		}
		return out
	}
	var data any
	switch v.node().Tag {
	case "!!bool", "!!int", "!!float":
		if err := v.node().Decode(&data); err == nil {
			return data
		}
	}
	return v.node().Value
}

// mapping reads a mapping as plain data.
func (v value) mapping(what string) map[string]any {
	if v.there() && !v.isMapping() {
		v.problem("write key: value lines", "%s must be a mapping, not %s", what, v.describe())
		return nil
	}
	m, _ := v.data().(map[string]any)
	return m
}

func (v value) describe() string {
	switch {
	case !v.there():
		return "nothing"
	case v.isList():
		return "a list"
	case v.isMapping():
		return "a mapping"
	}
	return strconv.Quote(clip(v.node().Value, 40))
}
