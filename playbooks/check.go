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

var (
	bookName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	bookVersion = regexp.MustCompile(`^\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?$`)
	callerID    = regexp.MustCompile(`^\w+=[\w.-]+$`)
	partName    = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	resultName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// checker turns the raw value of a file into a playbook.
type checker struct {
	*source
	vocab Vocabulary
	book  *Playbook
	names names

	count  int     // of tasks so far
	locked []Value // every lock, of the playbook and of tasks
}

// Parse checks a file and returns its playbook. The error is a *Problems with everything that is
// wrong; warnings alone do not make one and are kept in the playbook.
func Parse(file string, data []byte, v Vocabulary) (*Playbook, error) {
	c := &checker{
		source: newSource(file, data), vocab: v,
		book: &Playbook{File: file, Source: data, Digest: digestOf(data), LogLevel: "info"},
	}
	if root, ok := c.read(data); ok && !c.tooMuch {
		if root.kind == mapping {
			c.top(root)
		} else {
			remedy := "begin with name:"
			if root.kind == list {
				remedy = "begin with name:, without - before it"
			}
			c.problem(root.pos, remedy, "a playbook is a mapping")
		}
	}
	all, bad := &Problems{list: c.problems}, &Problems{}
	all.tidy()
	for _, p := range all.list {
		if p.Warning {
			c.book.Warnings = append(c.book.Warnings, *p)
		} else {
			bad.list = append(bad.list, p)
		}
	}
	if len(bad.list) > 0 {
		return nil, bad
	}
	return c.book, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// lists are the task lists under hooks.
func lists() []string {
	return []string{"pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"}
}

func (c *checker) top(root Value) {
	c.collect(root)
	p := Unrendered(root)
	c.metadata(root, p)
	c.inputs(c.section(p, "inputs", mapping)) // first: expressions elsewhere know their types
	c.uses(c.section(p, "uses", mapping))
	c.stores(c.section(p, "data_stores", mapping))
	c.book.Locks = c.lockList(c.section(p, "locks", list))
	c.resolve(Value{kind: list, items: c.book.Locks})
	c.book.Approval = c.approval(p.Source("approval"), false)
	c.timeout(p)
	c.nodes(c.section(p, "nodes", mapping))
	p.written("leases")
	c.book.Leases = p.Choice("leases", LeasesWait, LeasesWait, LeasesFail, LeasesNone)
	c.book.Tasks = c.tasks(c.section(p, "tasks", list))
	c.hooks(c.section(p, "hooks", mapping))
	c.references()
	if err := p.Err(); err != nil {
		c.take(root.pos, err)
	}
}

// timeout reads the time that the whole run may take.
func (c *checker) timeout(p *Properties) {
	if p.Has("timeout") && !p.Deferred("timeout") && p.Duration("timeout", 1) <= 0 {
		p.Remedy("timeout", `write how long the run may take, as in "2h"`, "the timeout of the playbook is no time at all")
	}
	c.book.Timeout = p.Source("timeout")
	c.resolve(c.book.Timeout)
}

// section reads a top-level key whose value must be of a kind.
func (c *checker) section(p *Properties, key string, want kind) Value {
	v := p.Source(key)
	if v.kind == absent || v.kind == scalar && v.plain == nil || v.kind == want {
		return v
	}
	name, remedy := "mapping", "write key: value lines below it"
	if want == list {
		name, remedy = "list", "write lines below it that begin with -"
	}
	c.problem(v.pos, remedy, "%s should be a %s", key, name)
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
			if inner, ok := t.Value.entry("tasks"); ok && t.Key == rollingType {
				c.collectTasks(inner.Value)
			}
			as, ok := t.Value.entry("as")
			if !ok || as.Value.kind != scalar || as.Value.raw == "" {
				continue // which is told where the task is checked
			}
			if slices.Contains(c.names.tasks, as.Value.raw) {
				c.problem(as.Value.pos, "give each task a name of its own", "two tasks are called %q", as.Value.raw)
			}
			c.names.tasks = append(c.names.tasks, as.Value.raw)
		}
	}
}

// metadataKeys describe the book. Nothing in them is a template.
func metadataKeys() []string {
	return []string{"name", "version", "author", "description", "run_as", "tags", "loglevel", "on_fail", "$schema", "macros"}
}

func (c *checker) metadata(root Value, top *Properties) {
	for _, key := range metadataKeys() {
		top.Has(key) // known
	}
	p := plain(root.only(metadataKeys()...))
	defer c.takeOnly(p)
	b := c.book
	b.Name, b.Version = p.RequireText("name"), p.RequireText("version")
	b.Author, b.Description = p.RequireText("author"), p.RequireText("description")
	b.RunAs = p.Text("run_as", "")
	b.Tags = p.Strings("tags")
	b.LogLevel = p.Choice("loglevel", "info", "debug", "info", "warn", "error", "fatal")
	if b.Name != "" && !bookName.MatchString(b.Name) {
		p.Remedy("name", "use letters, digits, - and _", "%q is not a name for a playbook", b.Name)
	}
	if b.Version != "" && !bookVersion.MatchString(b.Version) {
		c.warn(p.Source("version").pos, "write it as in 1.0.0", "%q is not a version", b.Version)
	}
	if b.RunAs != "" && !callerID.MatchString(b.RunAs) {
		p.Remedy("run_as", "write it as in choria=deploy.bot", "%q is not a caller id", b.RunAs)
	}
	if p.Source("on_fail").kind == list {
		p.Remedy("on_fail", "write it under hooks:", "the list on_fail stands at the top level")
		return
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
		if e.Value.kind != templated && (e.Value.kind != scalar || e.Value.plain == nil) {
			c.problem(e.Pos, `write `+e.Key+`: ">= 1.0.0"`, "agent %q has no range of versions", e.Key)
			continue
		}
		c.resolve(e.Value)
		if e.Value.kind == scalar {
			if _, err := ParseVersionRange(e.Value.raw); err != nil { // 1.0 is not 1
				c.take(e.Value.pos, err)
			}
		}
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

func (c *checker) lockList(v Value) []Value {
	if v.kind != list && !v.IsZero() && (v.kind != scalar || v.plain != nil) {
		c.problem(v.pos, "write lines below it that begin with -", "locks should be a list")
	}
	var out []Value
	for _, item := range v.items {
		if item.raw == "" || item.kind != scalar && item.kind != templated {
			c.problem(item.pos, "write store/key, or the name of a store", "a lock is text")
			continue
		}
		out = append(out, item)
	}
	c.locked = append(c.locked, out...)
	return out
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
		if in.Choices == nil {
			continue
		}
		if store, _, ok := strings.Cut(in.Choices.Store, "/"); ok && !slices.Contains(stores, store) {
			c.problem(in.Pos, suggest(store, stores), "the choices of input %q are in the data store %q, which is not declared", in.Name, store)
		}
	}
	for _, l := range c.locked {
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
}
