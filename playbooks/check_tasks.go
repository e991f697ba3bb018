package playbooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

func (c *checker) hooks(v Value) {
	for _, e := range v.entries {
		target := c.book.Hooks.list(e.Key)
		switch {
		case target == nil:
			c.problem(e.Pos, instead(e.Key, lists()), "unknown hook list %q", e.Key)
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
			if c.besideItsTask(item, e) {
				continue
			}
			if c.count++; c.count > maxTasks {
				c.problem(e.Pos, "split the playbook, and let a task of type playbook start the parts", "the playbook has more than %d tasks", maxTasks)
				return out
			}
			out = append(out, c.task(e))
		}
	}
	return out
}

// besideItsTask tells of a key that stands beside the type of a task, where another type would. Keys
// of other tools stand there, and ours when they are not indented far enough.
func (c *checker) besideItsTask(item Value, e Entry) bool {
	if e.Value.kind == mapping || c.isType(e.Key) {
		return false
	}
	i := slices.IndexFunc(item.entries, func(o Entry) bool { return o.Value.kind == mapping || c.isType(o.Key) })
	if i < 0 {
		c.problem(e.Pos, instead(e.Key, c.types("task")), "unknown type %q", e.Key)
		return true
	}
	remedy := instead(e.Key, append(taskKeys(), c.types("task")...))
	if slices.Contains(taskKeys(), e.Key) {
		remedy = "indent it further than " + item.entries[i].Key
	}
	c.problem(e.Pos, remedy, "%s stands beside the task %s, not below it", e.Key, item.entries[i].Key)
	return true
}

// isType reports whether tasks of a type may be written.
func (c *checker) isType(typ string) bool {
	return typ == rollingType || typ == "bolt" || !errors.Is(c.vocab.Task(typ, Unrendered(Value{})), ErrUnknownType)
}

// taskKeys are what every task may have.
func taskKeys() []string {
	return []string{
		"description", "as", "when", "tries", "try_sleep", "pre_sleep", "timeout",
		"fail_ok", "destructive", "idempotent", "approval", "locks",
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
	p.written("fail_ok", "destructive", "idempotent", "as")
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
	t.Approval = c.approval(p.Source("approval"), t.Type == rollingType)
	t.Destructive = t.Destructive || t.Approval.EachWave // who is asked for each wave is asked
	t.Locks = c.lockList(p.Source("locks"))
	if t.Type == rollingType {
		t.Rolling = c.rolling(p)
		c.take(e.Pos, p.Err()) // no vocabulary reads the rest
		c.resolve(e.Value.without("when", "approval", "tasks"))
		t.Properties = e.Value.without(append(taskKeys(), "tasks")...)
		return t
	}
	c.takeOnly(p)
	c.resolve(e.Value.without("when", "approval", "expect")) // those are read as what they are
	t.Properties = sentOn(e.Value.without(taskKeys()...))
	c.taskType(&t)
	return t
}

// sentOn reads the properties that leave as JSON with the words of YAML 1.1, as 2017 did.
func sentOn(v Value) Value {
	for i, e := range v.entries {
		if e.Key == "properties" || e.Key == "data" {
			v.entries[i].Value = e.Value.words()
		}
	}
	return v
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
		c.add(v.whyCut(problem))
	case !e.maybeBool():
		c.problem(v.pos, remedy, "expression %q is neither true nor false", source)
	}
	return e
}
