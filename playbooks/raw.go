package playbooks

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	// maxSize is the largest file that is read: ten times the longest playbook that anybody showed.
	maxSize = 256 << 10
	// maxValues bounds what a file holds, aliases expanded.
	maxValues = 20_000
	// maxTasks bounds the tasks of a playbook, those of its hook lists and waves included.
	maxTasks = 1000
	// maxProblems bounds what is told of one file: nobody mends more at a time.
	maxProblems = 200
	// maxDepth bounds the nesting.
	maxDepth = 64
)

// source is a file while it is being read.
type source struct {
	file     string
	lines    []string
	problems []*Problem
	values   int  // read so far
	tooMuch  bool // a bound was reached: nothing more is read
}

func newSource(file string, data []byte) *source {
	s := &source{file: file}
	if len(data) <= maxSize {
		s.lines = strings.Split(string(data), "\n")
	}
	return s
}

func (s *source) problem(pos Pos, remedy, format string, args ...any) {
	s.add(&Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (s *source) warn(pos Pos, remedy, format string, args ...any) {
	s.add(&Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy, Warning: true})
}

// add completes a problem with its file and line.
func (s *source) add(p *Problem) {
	if len(s.problems) > maxProblems {
		return
	}
	if len(s.problems) == maxProblems {
		p = &Problem{Pos: p.Pos, Message: fmt.Sprintf("there are more than %d problems", maxProblems), Remedy: "mend those above first"}
	}
	p.File = s.file
	if p.Pos == (Pos{}) {
		p.Pos = Pos{Line: 1, Column: 1}
	}
	if last := len(s.lines); last > 0 && p.Pos.Line > last { // what is missing at the end stands behind it
		p.Pos = Pos{Line: last, Column: 1}
	}
	if p.Pos.Line > 0 && p.Pos.Line <= len(s.lines) {
		p.Line = s.line(p.Pos.Line)
	}
	s.problems = append(s.problems, p)
}

// take adds what an error holds: problems with places, or a sentence about the place given.
func (s *source) take(pos Pos, err error) {
	if err == nil {
		return
	}
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
	message, remedy := sentence(err.Error())
	s.problem(pos, remedy, "%s", message)
}

// value converts a node. Aliases are followed, merges are merged, templates are parsed.
func (s *source) value(n *yaml.Node, depth int) Value {
	pos := Pos{Line: n.Line, Column: n.Column}
	// Long texts cost more, because an alias may repeat them.
	s.values += 1 + len(n.Value)/64
	switch {
	case s.tooMuch:
	case depth > maxDepth:
		s.problem(pos, "make it flatter", "the file nests deeper than %d levels", maxDepth)
		s.tooMuch = true
	case s.values > maxValues:
		s.problem(pos, "split the playbook, and let a task of type playbook start the parts", "the file holds more than %d values, aliases expanded", maxValues)
		s.tooMuch = true
	}
	if s.tooMuch {
		return Value{}
	}
	switch n.Kind {
	case yaml.AliasNode:
		return s.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		v := Value{kind: list, pos: pos}
		for _, c := range n.Content {
			if s.tooMuch {
				break
			}
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
	v := Value{kind: scalar, pos: pos, raw: n.Value, plain: n.Value, bare: n.Style == 0, cut: s.cut(n)}
	switch n.Tag {
	case "!!null":
		v.plain = nil
	case "!!bool", "!!int", "!!float":
		v.plain = s.number(n, pos)
	case "!!str":
		if strings.Contains(n.Value, "{{") {
			return s.template(n, pos)
		}
	case "!!timestamp", "!!merge": // text here
	default:
		s.problem(pos, "remove it", "the tag %s means nothing in a playbook", n.Tag)
	}
	return v
}

// number decodes what is no text. What JSON cannot hold, an event could not keep either.
func (s *source) number(n *yaml.Node, pos Pos) any {
	var data any
	if err := n.Decode(&data); err != nil {
		s.problem(pos, "write it in quotes, or correct it", "%q is not of the type that its tag %s says", n.Value, n.Tag)
		return nil
	}
	switch t := data.(type) {
	case int, bool:
		return t
	case float64:
		if !math.IsNaN(t) && !math.IsInf(t, 0) {
			return t
		}
	}
	s.problem(pos, "write it in quotes if it is text", "the number %s is out of range", n.Value)
	return nil
}

// template parses the templates of a text. Whether a section has templates is known later, and so
// are problems reported later.
func (s *source) template(n *yaml.Node, pos Pos) Value {
	t := parseTemplate(n.Value, s.place(n))
	if plain, ok := t.literal(); ok {
		return Value{kind: scalar, pos: pos, plain: plain, raw: n.Value}
	}
	return Value{kind: templated, pos: pos, tmpl: t, raw: n.Value}
}

func (s *source) mapping(n *yaml.Node, depth int) Value {
	v := Value{kind: mapping, pos: Pos{Line: n.Line, Column: n.Column}}
	if unquoted(n) {
		bad := &Problem{Pos: v.pos, Message: "a template without quotes is a mapping to YAML", Remedy: `write "{{ … }}" in quotes`}
		s.add(bad)
		return Value{kind: templated, pos: v.pos, tmpl: &template{broken: bad}}
	}
	var merged []Value
	seen := make(map[string]Pos)
	for i := 0; i+1 < len(n.Content) && !s.tooMuch; i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" {
			merged = append(merged, s.merges(c, depth)...)
			continue
		}
		pos := Pos{Line: k.Line, Column: k.Column}
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			s.problem(pos, "write key: value", "a key is one word, not a list or a mapping")
			continue
		}
		key := symbol(k.Value)
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
	all := []Value{v}
	if v.kind == list {
		all = v.items
	}
	for _, one := range all {
		if one.kind != mapping && !s.tooMuch {
			s.problem(Pos{Line: n.Line, Column: n.Column}, "write <<: *name", "only a mapping can be merged")
		}
	}
	return all
}

// unquoted recognises `{{ x }}` or `{{{ x }}}` without quotes: a mapping whose key is a mapping.
func unquoted(n *yaml.Node) bool {
	return n.Style&yaml.FlowStyle != 0 && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}

var symbolKey = regexp.MustCompile(`^:([A-Za-z_][A-Za-z0-9_]*):?$`)

// symbol turns a 2017 symbol key, ":message" or ":message:", into its name.
func symbol(key string) string {
	if name := symbolKey.FindStringSubmatch(key); name != nil {
		return name[1]
	}
	return key
}
