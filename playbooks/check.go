package playbooks

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// Vocabulary knows the types that a playbook may use.
type Vocabulary interface {
	// Task, NodeSet and DataStore check the properties of one type. An unknown type is an error
	// that wraps [ErrUnknownType].
	Task(typ string, p *Properties) error
	NodeSet(typ string, p *Properties) error
	DataStore(typ string, p *Properties) error
	// Names lists the types, for suggestions; kind is "task", "nodes" or "data_stores".
	Names(kind string) []string
}

// checker turns the raw value of a file into a playbook.
type checker struct {
	*source
	vocab Vocabulary
	book  *Playbook
	names names
}

// Parse checks a file and returns its playbook. The error is a *Problems with everything that is
// wrong; warnings alone do not make one and are kept in the playbook.
func Parse(file string, data []byte, v Vocabulary) (*Playbook, error) {
	c := &checker{
		source: &source{file: file, lines: strings.Split(string(data), "\n")}, vocab: v,
		book: &Playbook{File: file, Source: data, Digest: digestOf(data), LogLevel: "info"},
	}
	if root, ok := c.read(data); ok && c.fit() {
		if root.kind == mapping {
			c.top(root)
		} else {
			c.problem(root.pos, "begin with name:", "a playbook is a mapping")
		}
	}
	bad := &Problems{}
	for _, p := range c.problems {
		if p.Warning {
			c.book.Warnings = append(c.book.Warnings, *p)
		} else {
			bad.list = append(bad.list, p)
		}
	}
	if len(bad.list) > 0 {
		bad.sort()
		return nil, bad
	}
	return c.book, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fit reports whether the file is of a size that can be checked.
func (s *source) fit() bool { return s.values <= maxValues }

// lists are the task lists under hooks.
func lists() []string {
	return []string{"pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"}
}

func (c *checker) top(root Value) {
	c.collect(root)
	p := Unrendered(root)
	c.metadata(p)
	c.uses(c.section(p, "uses", mapping))
	c.inputs(c.section(p, "inputs", mapping))
	c.stores(c.section(p, "data_stores", mapping))
	c.locks(c.section(p, "locks", list))
	c.nodes(c.section(p, "nodes", mapping))
	c.book.Tasks = c.tasks(c.section(p, "tasks", list))
	c.hooks(c.section(p, "hooks", mapping))
	c.references()
	if err := p.Err(); err != nil {
		c.take(root.pos, err)
	}
}

// section reads a top-level key whose value must be of a kind.
func (c *checker) section(p *Properties, key string, want kind) Value {
	v := p.Source(key)
	if v.kind == absent || v.kind == scalar && v.plain == nil || v.kind == want {
		return v
	}
	name := map[kind]string{mapping: "mapping", list: "list"}[want]
	c.problem(v.pos, "", "%s should be a %s", key, name)
	return Value{}
}

// collect gathers the names that templates may use, before any is checked.
func (c *checker) collect(root Value) {
	if e, ok := root.entry("inputs"); ok {
		for _, in := range e.Value.entries {
			c.names.inputs = append(c.names.inputs, in.Key)
		}
	}
	if e, ok := root.entry("nodes"); ok {
		for _, set := range e.Value.entries {
			c.names.nodes = append(c.names.nodes, set.Key)
		}
	}
	if e, ok := root.entry("tasks"); ok {
		c.collectTasks(e.Value)
	}
	if e, ok := root.entry("hooks"); ok {
		for _, hook := range e.Value.entries {
			c.collectTasks(hook.Value)
		}
	}
}

func (c *checker) collectTasks(v Value) {
	for _, item := range v.items {
		for _, t := range item.entries {
			if as, ok := t.Value.entry("as"); ok {
				c.names.tasks = append(c.names.tasks, as.Value.raw)
			}
		}
	}
}

func (c *checker) metadata(p *Properties) {
	b := c.book
	b.Name, b.Version = p.RequireText("name"), p.RequireText("version")
	b.Author, b.Description = p.RequireText("author"), p.RequireText("description")
	b.RunAs = p.Text("run_as", "")
	b.Tags = p.Strings("tags")
	b.LogLevel = p.Choice("loglevel", "info", "debug", "info", "warn", "error", "fatal")
	p.Any("$schema")
	p.Any("macros")
	if b.Name != "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`).MatchString(b.Name) {
		p.Remedy("name", "use letters, digits, - and _", "%q is not a name for a playbook", b.Name)
	}
	if b.RunAs != "" && !regexp.MustCompile(`^\w+=[\w.-]+$`).MatchString(b.RunAs) {
		p.Remedy("run_as", "write it as in choria=deploy.bot", "%q is not a caller id", b.RunAs)
	}
	switch onFail := p.Text("on_fail", ""); onFail {
	case "":
	case "fail":
		c.warn(p.Source("on_fail").pos, "remove it", "on_fail never had an effect; failing is what a run does")
	default:
		p.Remedy("on_fail", "give the tasks that may fail fail_ok: true", "on_fail: %s was never carried out by any engine", onFail)
	}
}

func (c *checker) uses(v Value) {
	for _, e := range v.entries {
		c.resolve(e.Value)
		c.book.Uses = append(c.book.Uses, Use{Agent: e.Key, Range: e.Value})
	}
}

// resolve checks the templates in a value.
func (c *checker) resolve(v Value) {
	v.walk(func(t *template) {
		for _, p := range t.resolve(&c.names) {
			c.add(p)
		}
	})
}

func (c *checker) inputs(v Value) {
	for _, e := range v.entries {
		if e.Value.kind != mapping {
			c.problem(e.Pos, "give it a description and a type", "input %q has no properties", e.Key)
			continue
		}
		c.book.Inputs = append(c.book.Inputs, c.input(e))
	}
}

func (c *checker) input(e Entry) Input {
	p := plain(e.Value)
	in := Input{Name: e.Key, Pos: e.Pos, Description: p.Text("description", ""), Data: p.Text("data", "")}
	if !regexp.MustCompile(`^[a-zA-Z0-9_-]+$`).MatchString(e.Key) {
		p.add(e.Pos, "use letters, digits, - and _", "%q is not a name for an input", e.Key)
	}
	in.Dynamic, in.Save = p.Bool("dynamic", false), p.Bool("save", false)
	in.Required = p.Bool("required", true)
	if p.Has("require") {
		in.Required = p.Bool("require", true)
		c.warn(p.Source("require").pos, "write required:", "require: is the documentation's spelling of required:")
	}
	typ := p.RequireText("type")
	var ok bool
	if in.Type, ok = inputTypes()[typ]; !ok && typ != "" {
		p.Remedy("type", suggest(typ, []string{"String", "Integer", "Float", "Numeric", "Array", "Boolean"}), "unknown input type %q", typ)
	}
	if raw := p.Any("validation"); raw != nil {
		val, problem := parseValidation(raw)
		if problem != nil {
			p.Remedy("validation", problem.Remedy, "%s", problem.Message)
		}
		in.Validation = val
	}
	if p.Has("default") {
		in.Default, in.HasDefault = p.Any("default"), p.Any("default") != nil
		if err := in.Check(in.Default); in.HasDefault && err != nil && in.Type != "" {
			p.Remedy("default", in.expects(), "the default of input %q: %s", in.Name, err)
		}
	}
	c.inputStore(p, in)
	if err := p.Err(); err != nil {
		c.take(e.Pos, err)
	}
	return in
}

func (c *checker) inputStore(p *Properties, in Input) {
	switch {
	case in.Data == "" && in.Save:
		p.Remedy("save", "add data: store/key", "input %q cannot be saved without a store", in.Name)
	case in.Data == "" && in.Dynamic && in.Required && !in.HasDefault:
		p.Remedy("dynamic", "add data: store/key", "input %q is dynamic and has no store to read from", in.Name)
	case in.Data != "" && !strings.Contains(in.Data, "/"):
		p.Remedy("data", "write store/key", "%q is not a store path", in.Data)
	}
}

// plain reads a mapping in which nothing is a template, such as an input.
func plain(v Value) *Properties {
	p := &Properties{pos: v.pos}
	for _, e := range v.entries {
		data, ok := e.Value.Literal()
		if !ok {
			data = e.Value.raw
			if e.Value.kind != templated {
				p.add(e.Pos, "write the value", "inputs are never templated")
			}
		}
		p.props = append(p.props, property{key: e.Key, pos: e.Pos, value: data, source: e.Value})
	}
	return p
}

func (c *checker) locks(v Value) {
	for _, item := range v.items {
		c.resolve(item)
		c.book.Locks = append(c.book.Locks, item)
	}
}

// references checks what one section says about another.
func (c *checker) references() {
	var stores, agents []string
	for _, s := range c.book.DataStores {
		stores = append(stores, s.Name)
	}
	for _, u := range c.book.Uses {
		agents = append(agents, u.Agent)
	}
	for _, in := range c.book.Inputs {
		if store, _, ok := strings.Cut(in.Data, "/"); ok && !slices.Contains(stores, store) {
			c.problem(in.Pos, suggest(store, stores), "input %q is bound to the data store %q, which is not declared", in.Name, store)
		}
	}
	for _, l := range c.book.Locks {
		store, _, _ := strings.Cut(l.raw, "/")
		if !strings.Contains(store, "{{") && !slices.Contains(stores, store) {
			c.problem(l.pos, suggest(store, stores), "lock %q is in the data store %q, which is not declared", l.raw, store)
		}
	}
	for _, set := range c.book.NodeSets {
		for _, agent := range set.Uses {
			if !slices.Contains(agents, agent) {
				c.problem(set.Pos, "add "+agent+": \">= …\" to the top-level uses", "node set %q uses agent %q, whose version range is not declared", set.Name, agent)
			}
		}
	}
	seen := map[string]bool{}
	for _, as := range c.names.tasks {
		if seen[as] {
			c.problem(Pos{}, "give each task a name of its own", "two tasks are called %q", as)
		}
		seen[as] = true
	}
}
