package playbooks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	// maxSize is the largest file that is read.
	maxSize = 1 << 20
	// maxValues bounds what aliases may expand to.
	maxValues = 100_000
	// maxDepth bounds the nesting.
	maxDepth = 64
)

// source is a file while it is being read.
type source struct {
	file     string
	lines    []string
	problems []*Problem
	values   int
}

func (s *source) problem(pos Pos, remedy, format string, args ...any) {
	s.add(&Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (s *source) warn(pos Pos, remedy, format string, args ...any) {
	s.add(&Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy, Warning: true})
}

// add completes a problem with its file and line.
func (s *source) add(p *Problem) {
	p.File = s.file
	if p.Pos.Line > 0 && p.Pos.Line <= len(s.lines) {
		p.Line = s.lines[p.Pos.Line-1]
	}
	s.problems = append(s.problems, p)
}

// take adds what an error holds: problems with places, or a sentence about the place given.
func (s *source) take(pos Pos, err error) {
	if all, ok := errors.AsType[*Problems](err); ok {
		for _, p := range all.All() {
			c := *p
			if c.Pos == (Pos{}) {
				c.Pos = pos
			}
			s.add(&c)
		}
		return
	}
	if one, ok := errors.AsType[*Problem](err); ok {
		c := *one
		if c.Pos == (Pos{}) {
			c.Pos = pos
		}
		s.add(&c)
		return
	}
	s.problem(pos, "", "%s", err)
}

// read decodes the one document of the file.
func (s *source) read(data []byte) (Value, bool) {
	if len(data) > maxSize {
		s.problem(Pos{}, "split the playbook", "the file has %d bytes; a playbook has at most %d", len(data), maxSize)
		return Value{}, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		s.syntax(err)
		return Value{}, false
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		s.problem(Pos{}, "put each playbook into a file of its own", "the file holds more than one document")
		return Value{}, false
	}
	if len(doc.Content) == 0 {
		s.problem(Pos{Line: 1, Column: 1}, "begin with name:", "the file is empty")
		return Value{}, false
	}
	return s.value(doc.Content[0], 0), true
}

func (s *source) syntax(err error) {
	if errors.Is(err, io.EOF) {
		s.problem(Pos{Line: 1, Column: 1}, "begin with name:", "the file is empty")
		return
	}
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := Pos{}
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, after, found := strings.Cut(rest, ": ")
		if line, convErr := strconv.Atoi(number); found && convErr == nil {
			pos, message = Pos{Line: line, Column: 1}, after
		}
	}
	s.problem(pos, "look at the quotes and the indentation at this line and the one above", "this is not YAML: %s", message)
}

// value converts a node. Aliases are followed, merges are merged, templates are parsed.
func (s *source) value(n *yaml.Node, depth int) Value {
	pos := Pos{Line: n.Line, Column: n.Column}
	s.values++
	if depth > maxDepth || s.values > maxValues {
		if s.values <= maxValues+1 || depth == maxDepth+1 {
			s.problem(pos, "make it flatter", "the file nests too deep or its aliases expand to too much")
		}
		s.values = maxValues + 2
		return Value{}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return s.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		v := Value{kind: list, pos: pos}
		for _, c := range n.Content {
			v.items = append(v.items, s.value(c, depth+1))
		}
		return v
	case yaml.MappingNode:
		return s.mapping(n, depth)
	default:
		return s.scalar(n, pos)
	}
}

func (s *source) scalar(n *yaml.Node, pos Pos) Value {
	v := Value{kind: scalar, pos: pos, raw: n.Value, plain: n.Value}
	switch n.Tag {
	case "!!null":
		v.plain = nil
	case "!!bool", "!!int", "!!float":
		if err := n.Decode(&v.plain); err != nil {
			v.plain = n.Value
		}
	case "!!str":
		if strings.Contains(n.Value, "{{") {
			return s.template(n, pos)
		}
	}
	return v
}

func (s *source) template(n *yaml.Node, pos Pos) Value {
	place := place{pos: pos, single: !strings.Contains(n.Value, "\n") && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		place.shift = 1
	}
	t, err := parseTemplate(n.Value, place)
	if err != nil {
		s.take(pos, err)
		return Value{kind: scalar, pos: pos, plain: n.Value, raw: n.Value}
	}
	if plain, ok := t.literal(); ok {
		return Value{kind: scalar, pos: pos, plain: plain, raw: plain}
	}
	return Value{kind: templated, pos: pos, tmpl: t, raw: n.Value}
}

func (s *source) mapping(n *yaml.Node, depth int) Value {
	v := Value{kind: mapping, pos: Pos{Line: n.Line, Column: n.Column}}
	if unquoted(n) {
		s.problem(v.pos, `write "{{ … }}" in quotes`, "a template without quotes is a mapping to YAML")
		return Value{kind: scalar, pos: v.pos, plain: ""}
	}
	var merged []Value
	seen := make(map[string]Pos)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" {
			merged = append(merged, s.merges(c, depth)...)
			continue
		}
		key, pos := symbol(k.Value), Pos{Line: k.Line, Column: k.Column}
		if first, dup := seen[key]; dup {
			s.problem(pos, "remove one of them", "key %q is already set in line %d", key, first.Line)
			continue
		}
		seen[key] = pos
		v.entries = append(v.entries, Entry{Key: key, Pos: pos, Value: s.value(c, depth+1)})
	}
	for _, m := range merged { // what is written here wins over what is merged in
		for _, e := range m.entries {
			if _, set := seen[e.Key]; !set {
				seen[e.Key] = e.Pos
				v.entries = append(v.entries, e)
			}
		}
	}
	return v
}

func (s *source) merges(n *yaml.Node, depth int) []Value {
	v := s.value(n, depth+1)
	if v.kind == list {
		return v.items
	}
	if v.kind != mapping {
		s.problem(v.pos, "write <<: *name", "only a mapping can be merged")
	}
	return []Value{v}
}

// unquoted recognises `{{ x }}` or `{{{ x }}}` without quotes: a mapping whose key is a mapping.
func unquoted(n *yaml.Node) bool {
	return n.Style&yaml.FlowStyle != 0 && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}

// symbol turns a 2017 symbol key, ":message" or ":message:", into its name.
func symbol(key string) string {
	if name := regexp.MustCompile(`^:([A-Za-z_][A-Za-z0-9_]*):?$`).FindStringSubmatch(key); name != nil {
		return name[1]
	}
	return key
}
