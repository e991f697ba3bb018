package playbooks

import (
	"regexp"
	"slices"
	"strings"
)

// References is what values and expressions name of their playbook.
type References struct {
	Inputs, Nodes, Tasks Names
	Wave                 bool // the wave of a rolling task is read
}

// Names are names of one kind. Where a name is computed, all of them may be meant.
type Names struct {
	List []string // in the order of their places; a name may stand here twice
	All  bool
}

// Has reports whether a name is, or may be, referred to.
func (n Names) Has(name string) bool { return n.All || slices.Contains(n.List, name) }

func (n *Names) add(members []string, whole bool) {
	n.List = append(n.List, members...)
	n.All = n.All || whole
}

// Add adds what other refers to.
func (r *References) Add(other References) {
	r.Inputs.add(other.Inputs.List, other.Inputs.All)
	r.Nodes.add(other.Nodes.List, other.Nodes.All)
	r.Tasks.add(other.Tasks.List, other.Tasks.All)
	r.Wave = r.Wave || other.Wave
}

// References returns what the templates in the value refer to.
func (v Value) References() References {
	var r References
	v.walk(func(t *template) {
		for _, p := range t.parts {
			switch {
			case p.form != nil:
				r.form(p.form)
			case p.expr != nil:
				r.Add(p.expr.References())
			}
		}
	})
	return r
}

func (r *References) form(f *form) {
	switch f.kind {
	case "input":
		r.Inputs.add([]string{f.name}, false)
	case "nodes":
		r.Nodes.add([]string{f.name}, false)
	}
}

// References returns what the expression reads.
func (e *Expression) References() References {
	var r References
	if e == nil {
		return r
	}
	for root, members := range rootsOf(e) {
		r.root(root, members, members == nil)
	}
	return r
}

func (r *References) root(root string, members []string, whole bool) {
	switch root {
	case "inputs", "input":
		r.Inputs.add(members, whole)
	case "nodes":
		r.Nodes.add(members, whole)
	case "tasks":
		r.Tasks.add(members, whole)
	case "wave":
		r.Wave = true
	}
}

// References returns what a task refers to in any of its keys; the tasks inside a rolling task are
// left out.
func (t *Task) References() References {
	var r References
	for _, v := range append([]Value{t.Description, t.Tries, t.TrySleep, t.PreSleep, t.Timeout}, t.Locks...) {
		r.Add(v.References())
	}
	r.Add(t.When.References())
	if t.Rolling != nil {
		for _, v := range append([]Value{t.Rolling.Nodes, t.Rolling.MaxFailures}, t.Rolling.Waves...) {
			r.Add(v.References())
		}
		return r
	}
	r.Add(t.Properties.References())
	t.Properties.conditions(&r)
	return r
}

// References returns what a playbook refers to anywhere.
func (p *Playbook) References() References {
	var r References
	r.Add(p.Timeout.References())
	for _, u := range p.Uses {
		r.Add(u.Range.References())
	}
	for _, l := range p.Locks {
		r.Add(l.References())
	}
	for _, s := range p.DataStores {
		r.Add(s.Properties.References())
	}
	for _, s := range p.NodeSets {
		for _, v := range []Value{s.AtLeast, s.AtMost, s.Limit, s.WhenEmpty, s.Test, s.Properties} {
			r.Add(v.References())
		}
	}
	for _, t := range p.AllTasks() {
		r.Add(t.References())
	}
	return r
}

// mention finds names in the text of an expression. A name such as web-tier cannot be told from a
// subtraction there, so that both readings count.
var mention = regexp.MustCompile(`\b(inputs?|nodes|tasks|wave)(?:\??\.|\[["'])([A-Za-z0-9_-]+)`)

// conditions adds what plain texts name: a property that is a condition, such as expect, is one,
// and which properties are is known to its task type alone. A name too many does no harm.
func (v Value) conditions(r *References) {
	if s, ok := v.plain.(string); ok && v.kind == scalar {
		for _, m := range mention.FindAllStringSubmatch(s, -1) {
			before, _, _ := strings.Cut(m[2], "-")
			r.root(m[1], []string{m[2], before}, false)
		}
	}
	for _, item := range v.items {
		item.conditions(r)
	}
	for _, e := range v.entries {
		e.Value.conditions(r)
	}
}

// Items returns the values of a list, in order; nil for anything else.
func (v Value) Items() []Value { return v.items }

// Lookup returns the value of a key of a mapping; the zero Value when there is none.
func (v Value) Lookup(key string) Value {
	e, _ := v.entry(key)
	return e.Value
}

// PlacedTask is a task and where it stands.
type PlacedTask struct {
	*Task
	List  string // "tasks", or the name of the hook list
	Outer *Task  // the rolling task around it, or nil
}

// AllTasks returns every task in the order in which the lists run; the tasks inside a rolling task
// follow it.
func (p *Playbook) AllTasks() []PlacedTask {
	var out []PlacedTask
	for _, name := range []string{"pre_book", "pre_task", "tasks", "post_task", "on_success", "on_fail", "post_book", "always"} {
		tasks := p.List(name)
		for i := range tasks {
			t := &tasks[i]
			out = append(out, PlacedTask{Task: t, List: name})
			if t.Rolling == nil {
				continue
			}
			for j := range t.Rolling.Tasks {
				out = append(out, PlacedTask{Task: &t.Rolling.Tasks[j], List: name, Outer: t})
			}
		}
	}
	return out
}
