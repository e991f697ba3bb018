package playbooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	p.common = common
	err := check(part.Type, p)
	switch {
	case errors.Is(err, ErrUnknownType):
		c.problem(part.Pos, suggest(part.Type, c.vocab.Names(kind)), "unknown type %q", part.Type)
	case err != nil:
		c.take(part.Pos, err)
	}
}

// setKeys are what every node set may have.
func setKeys() []string {
	return []string{"at_least", "limit", "empty_ok", "when_empty", "test", "uses"}
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
			AtLeast: p.Int("at_least", 1), Limit: p.Int("limit", 0), EmptyOK: p.Bool("empty_ok", false),
			WhenEmpty: p.Source("when_empty"), Test: p.Bool("test", false), Uses: p.Strings("uses"),
		}
		for _, key := range []string{"at_least", "limit", "empty_ok", "test", "uses"} {
			if p.Deferred(key) {
				p.Remedy(key, "write the value", "%s cannot be a template", key)
			}
		}
		if p.Any("limit") != nil && set.Limit < 1 {
			p.Remedy("limit", "write 1 or more, or leave it out", "limit is %d", set.Limit)
		}
		if set.AtLeast < 0 {
			p.Remedy("at_least", "write 0 or more", "at_least is %d", set.AtLeast)
		}
		if set.AtLeast == 0 {
			set.EmptyOK = true
		}
		if set.Limit > 0 && set.Limit < set.AtLeast {
			p.Remedy("limit", "raise limit or lower at_least", "limit %d can never reach at_least %d", set.Limit, set.AtLeast)
		}
		c.takeOnly(p)
		part.Properties = rest.without(setKeys()...)
		c.vocabulary(part, "nodes", c.vocab.NodeSet, part.Properties, append(setKeys(), "type")...)
		set.Part = part
		c.book.NodeSets = append(c.book.NodeSets, set)
	}
}

// takeOnly takes what is wrong with the keys that were read, and leaves the others to somebody else.
func (c *checker) takeOnly(p *Properties) {
	for _, one := range p.problems {
		c.add(one)
	}
}

func (c *checker) hooks(v Value) {
	for _, e := range v.entries {
		target := c.book.Hooks.list(e.Key)
		switch {
		case target == nil:
			c.problem(e.Pos, suggest(e.Key, lists()), "unknown hook list %q", e.Key)
			continue
		case e.Value.kind == scalar && e.Value.plain == nil:
			continue
		case e.Value.kind != list:
			c.problem(e.Pos, "write lines below it that begin with -", "hooks.%s should be a list", e.Key)
			continue
		}
		*target = c.tasks(e.Value)
	}
}

func (h *Hooks) list(name string) *[]Task {
	return map[string]*[]Task{
		"pre_book": &h.PreBook, "pre_task": &h.PreTask, "post_task": &h.PostTask, "on_fail": &h.OnFail,
		"on_success": &h.OnSuccess, "post_book": &h.PostBook, "always": &h.Always,
	}[name]
}

func (c *checker) tasks(v Value) []Task {
	var out []Task
	for _, item := range v.items {
		if item.kind != mapping || len(item.entries) == 0 {
			c.problem(item.pos, "write - type: and the properties below it", "a task is a mapping from its type to its properties")
			continue
		}
		if first := item.entries[0]; len(item.entries) > 1 && first.Value.kind == scalar && first.Value.plain == nil {
			c.problem(item.entries[1].Pos, "indent them further than "+first.Key, "the properties of task %s stand beside it, not below it", first.Key)
			continue
		}
		for _, e := range item.entries {
			out = append(out, c.task(e))
		}
	}
	return out
}

// taskKeys are what every task may have.
func taskKeys() []string {
	return []string{
		"description", "as", "when", "tries", "try_sleep", "pre_sleep", "timeout",
		"fail_ok", "destructive", "idempotent", "approval",
	}
}

func (c *checker) task(e Entry) Task {
	if e.Value.kind != mapping {
		c.problem(e.Pos, "write the properties below it", "task %s has no properties", e.Key)
		return Task{Type: e.Key, Pos: e.Pos}
	}
	p := Unrendered(e.Value)
	t := Task{
		Type: e.Key, Pos: e.Pos, Description: p.Source("description"), As: p.Text("as", ""),
		Tries: p.Source("tries"), TrySleep: p.Source("try_sleep"), PreSleep: p.Source("pre_sleep"),
		Timeout: p.Source("timeout"), FailOK: p.Bool("fail_ok", false), Destructive: p.Bool("destructive", false),
	}
	for _, key := range []string{"fail_ok", "destructive", "idempotent", "as"} {
		if p.Deferred(key) {
			p.Remedy(key, "write the value", "%s cannot be a template", key)
		}
	}
	if n := p.Int("tries", 1); n < 1 {
		p.Remedy("tries", "write 1 or more", "tries is %d; such a task would never run", n)
	}
	p.Duration("try_sleep", 0)
	p.Duration("pre_sleep", 0)
	p.Duration("timeout", 0)
	if p.Has("idempotent") {
		v := p.Bool("idempotent", false)
		t.Idempotent = &v
	}
	if t.As != "" && !resultName.MatchString(t.As) {
		p.Remedy("as", "use letters, digits and _", "%q is not a name for a result", t.As)
	}
	t.When = c.when(p)
	c.approval(p, &t)
	c.takeOnly(p)
	c.resolve(e.Value.without("when"))
	t.Properties = e.Value.without(taskKeys()...)
	c.taskType(&t)
	return t
}

func (c *checker) taskType(t *Task) {
	switch name, _ := t.Properties.entry("name"); {
	case t.Type == "bolt":
		c.problem(t.Pos, "use shell with bolt's own command, or an mcollective task", "the bolt task was removed upstream in 2018")
		return
	case t.Type == "playbook" && name.Value.kind == scalar && name.Value.raw == c.book.Name:
		c.problem(name.Value.pos, "name another playbook, or give the task tries", "playbook %q would start itself without end", c.book.Name)
	}
	c.vocabulary(Part{Type: t.Type, Pos: t.Pos}, "task", c.vocab.Task, t.Properties, taskKeys()...)
}

// when compiles the condition; braces around it are tolerated.
func (c *checker) when(p *Properties) *Expression {
	v := p.Source("when")
	if v.IsZero() {
		return nil
	}
	if b, ok := v.plain.(bool); ok && v.kind == scalar {
		v.raw = fmt.Sprint(b)
	}
	source := strings.TrimSpace(v.raw)
	if v.kind == templated && len(v.tmpl.parts) == 1 {
		source = v.tmpl.parts[0].body
	}
	const remedy = "write a condition such as tasks.upgrade.ran"
	if source == "" || v.kind == list || v.kind == mapping {
		c.problem(v.pos, remedy, "when is not an expression")
		return nil
	}
	e, problem := compile(source, &c.names)
	switch {
	case problem != nil:
		problem.Pos = v.pos
		c.add(problem)
	case !e.maybeBool():
		c.problem(v.pos, remedy, "expression %q is neither true nor false", source)
	}
	return e
}

func (c *checker) approval(p *Properties, t *Task) {
	v := p.Source("approval")
	if v.IsZero() {
		return
	}
	a := Unrendered(v)
	t.Expires = a.Duration("expires", 0)
	if a.Deferred("expires") {
		a.Remedy("expires", "write the value", "expires cannot be a template")
	}
	if err := a.Err(); err != nil {
		c.take(v.pos, err)
	}
}
