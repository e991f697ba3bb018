package playbooks

import (
	"errors"
	"slices"
)

func (c *checker) stores(v Value) {
	for _, e := range v.entries {
		if part, rest, ok := c.part(e, "data store"); ok {
			c.vocabulary(part, "data_stores", c.vocab.DataStore, rest, "type")
			part.Properties = rest
			c.book.DataStores = append(c.book.DataStores, part)
		}
	}
}

// part reads what a node set and a data store have in common.
func (c *checker) part(e Entry, what string) (Part, Value, bool) {
	if !partName.MatchString(e.Key) {
		c.problem(e.Pos, "use letters, digits, - and _", "%q is not a name for a %s", e.Key, what)
	}
	typ, ok := e.Value.entry("type")
	if e.Value.kind != mapping || !ok || typ.Value.raw == "" {
		c.problem(e.Pos, "add type: …", "%s %q has no type", what, e.Key)
		return Part{}, Value{}, false
	}
	c.resolve(e.Value)
	return Part{Name: e.Key, Type: typ.Value.raw, Pos: typ.Value.pos}, e.Value.without("type"), true
}

// without returns a mapping less some keys.
func (v Value) without(keys ...string) Value {
	return v.filter(func(key string) bool { return !slices.Contains(keys, key) })
}

// only returns some keys of a mapping.
func (v Value) only(keys ...string) Value {
	return v.filter(func(key string) bool { return slices.Contains(keys, key) })
}

func (v Value) filter(keep func(string) bool) Value {
	out := Value{kind: v.kind, pos: v.pos}
	for _, e := range v.entries {
		if keep(e.Key) {
			out.entries = append(out.entries, e)
		}
	}
	return out
}

// vocabulary lets a type check its properties. The common keys are known too, for suggestions.
func (c *checker) vocabulary(part Part, kind string, check func(string, *Properties) error, props Value, common ...string) {
	p := Unrendered(props)
	p.common, p.names = common, &c.names
	err := check(part.Type, p)
	switch {
	case errors.Is(err, ErrUnknownType):
		c.problem(part.Pos, instead(part.Type, c.types(kind)), "unknown type %q", part.Type)
	case err != nil:
		c.take(part.Pos, err)
	}
	for _, w := range p.warnings {
		c.add(w)
	}
}

// types lists what may be written as a type.
func (c *checker) types(kind string) []string {
	names := c.vocab.Names(kind)
	if kind == "task" {
		names = append(names, rollingType)
	}
	return names
}

// setKeys are what every node set may have.
func setKeys() []string {
	return []string{"at_least", "at_most", "limit", "empty_ok", "when_empty", "test", "uses"}
}

func (c *checker) nodes(v Value) {
	c.names.noNodes = true
	defer func() { c.names.noNodes = false }()
	for _, e := range v.entries {
		part, rest, ok := c.part(e, "node set")
		if !ok {
			continue
		}
		p := Unrendered(rest)
		set := NodeSet{
			AtLeast: p.Source("at_least"), AtMost: p.Source("at_most"), Limit: p.Source("limit"), EmptyOK: p.Bool("empty_ok", false),
			WhenEmpty: p.Source("when_empty"), Test: p.Source("test"), Uses: p.Strings("uses"),
		}
		p.written("empty_ok", "uses")
		p.Bool("test", false)
		c.bounds(p, &set)
		c.takeOnly(p)
		part.Properties = rest.without(setKeys()...)
		c.vocabulary(part, "nodes", c.vocab.NodeSet, part.Properties, append(setKeys(), "type")...)
		set.Part = part
		c.book.NodeSets = append(c.book.NodeSets, set)
	}
}

// bounds checks how many nodes a set must and may have, as far as that is not a template.
func (c *checker) bounds(p *Properties, set *NodeSet) {
	atLeast := p.Int("at_least", 1)
	for _, key := range []string{"at_most", "limit"} {
		n := p.Int(key, max(atLeast, 1)) // what is no number is told once
		switch {
		case p.Any(key) != nil && n < 1:
			p.Remedy(key, "write 1 or more, or leave it out", "%s is %d", key, n)
		case n < atLeast:
			p.Remedy(key, "raise "+key+" or lower at_least", "%s %d can never reach at_least %d", key, n, atLeast)
		}
	}
	if atLeast < 0 {
		p.Remedy("at_least", "write 0 or more", "at_least is %d", atLeast)
	}
	if atLeast == 0 && !p.Deferred("at_least") {
		set.EmptyOK = true
	}
}

// takeOnly takes what is wrong with the keys that were read, and leaves the others to somebody else.
func (c *checker) takeOnly(p *Properties) {
	for _, one := range p.problems {
		c.add(one)
	}
}
