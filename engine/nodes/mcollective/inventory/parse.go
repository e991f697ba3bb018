package inventory

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/playbooks"
)

// shown is how many problems of a file are told.
const shown = 5

// problems are what is wrong with a file, each with its place.
type problems []string

func (p *problems) add(place, format string, args ...any) {
	*p = append(*p, place+": "+fmt.Sprintf(format, args...))
}

func (p *problems) String() string {
	told := min(len(*p), shown)
	text := strings.Join((*p)[:told], "; ")
	if more := len(*p) - told; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// parse checks what was read. problems is nil when there are none.
func parse(content any) (*File, *problems) {
	p := &problems{}
	f := &File{groups: make(map[string]*filter.Matcher)}
	top := p.object("the file", content, []string{"$schema", "nodes"}, []string{"groups"})
	if s, there := top["$schema"]; there && s != schema {
		p.add("$schema", "it is %v; write %s", s, schema)
	}
	for i, item := range p.list("nodes", top["nodes"]) {
		f.nodes = append(f.nodes, p.node(fmt.Sprintf("nodes[%d]", i), item))
	}
	seen := make(map[string]bool)
	for _, n := range f.nodes {
		if n.Identity != "" && seen[n.Identity] {
			p.add("nodes", "%s stands twice", n.Identity)
		}
		seen[n.Identity] = true
	}
	for i, item := range p.list("groups", top["groups"]) {
		p.group(f, fmt.Sprintf("groups[%d]", i), item)
	}
	if len(*p) > 0 {
		return nil, p
	}
	return f, nil
}

// object reads a mapping that must have some keys, may have others, and has no more.
func (p *problems) object(place string, v any, required, optional []string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		p.add(place, "it must be a mapping")
		return nil
	}
	known := slices.Concat(required, optional)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if slices.Contains(known, key) {
			continue
		}
		if near := playbooks.Nearest(key, known); near != "" {
			p.add(place, "unknown key %q, did you mean %q?", key, near)
		} else {
			p.add(place, "unknown key %q", key)
		}
	}
	for _, key := range required {
		if _, there := m[key]; !there {
			p.add(place, "%s is missing", key)
		}
	}
	return m
}

// list reads a list; what is not there is none.
func (p *problems) list(place string, v any) []any {
	list, ok := v.([]any)
	if !ok && v != nil {
		p.add(place, "it must be a list")
	}
	return list
}

func (p *problems) texts(place string, v any) []string {
	var out []string
	for i, item := range p.list(place, v) {
		text, ok := item.(string)
		if !ok {
			p.add(fmt.Sprintf("%s[%d]", place, i), "it must be text; put %v in quotes", item)
			continue
		}
		out = append(out, text)
	}
	return out
}

func (p *problems) name(place string, v any) string {
	name, ok := v.(string)
	if v != nil && (!ok || name == "") {
		p.add(place, "name must be text and not empty")
	}
	return name
}

func (p *problems) node(place string, v any) node {
	m := p.object(place, v, []string{"name", "collectives", "facts", "classes", "agents"}, nil)
	n := node{collectives: p.texts(place+".collectives", m["collectives"])}
	n.Identity, n.Agents, n.Facts = p.name(place, m["name"]), p.texts(place+".agents", m["agents"]), json.RawMessage("{}")
	for _, c := range p.texts(place+".classes", m["classes"]) {
		n.Classes = append(n.Classes, strings.ToLower(c)) // as the file of classes on a server
	}
	facts, ok := m["facts"].(map[string]any)
	if _, there := m["facts"]; there && !ok {
		p.add(place+".facts", "it must be a mapping")
		return n
	}
	raw, err := filter.Raw(facts)
	if err != nil {
		p.add(place+".facts", "%v", err)
	}
	n.Facts = raw
	return n
}

func (p *problems) group(f *File, place string, v any) {
	m := p.object(place, v, []string{"name"}, []string{"filter"})
	name := p.name(place, m["name"])
	if strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) {
		p.add(place, "a name such as %q is not allowed; use letters, digits, _ and -", name)
	}
	if f.groups[name] != nil {
		p.add(place, "group %s stands twice", name)
	}
	what := p.filter(place+".filter", m["filter"])
	if matcher, err := what.Matcher(); err == nil { // else that was told
		f.groups[name] = matcher
	}
}

// filter reads the filter of a group; without one it is every node.
func (p *problems) filter(place string, v any) choria.Filter {
	if v == nil {
		return choria.Filter{}
	}
	m := p.object(place, v, nil, []string{"agents", "classes", "facts", "identities", "compound"})
	what := choria.Filter{
		Agents: p.texts(place+".agents", m["agents"]), Classes: p.texts(place+".classes", m["classes"]),
		Facts: p.texts(place+".facts", m["facts"]), Identities: p.texts(place+".identities", m["identities"]),
	}
	compound, isText := m["compound"].(string)
	if !isText && m["compound"] != nil {
		p.add(place+".compound", "it must be text")
	}
	what.Compound = compound
	for _, flaw := range what.Flaws(true) {
		p.add(place+"."+flaw.Key, "%v", flaw.Err)
	}
	if slices.ContainsFunc(what.Identities, func(w string) bool { return strings.HasPrefix(w, group) }) {
		p.add(place+".identities", "a group cannot be made of groups; repeat what the other one filters")
	}
	return what
}
