package commands

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// outline says what a playbook does, under the rules of a policy.
type outline struct {
	book  *playbooks.Playbook
	rules *policy.Policy
}

// task is a task of the main list, in one line.
func (o outline) task(t *playbooks.Task) []Span {
	out := []Span{outside(called(t)), plain(" — "), outside(doing(t))}
	out = append(out, o.gate(t)...)
	if t.When != nil {
		out = append(out, plain(", only when "), code(short(t.When.Source(), 120)))
	}
	if n := t.Tries.Source(); n != "" && n != "1" {
		out = append(out, plain(", up to "), outside(n), plain(" tries"))
	}
	if d := duration(t.Timeout); d != "" {
		out = append(out, plain(", timeout "), outside(d))
	}
	if t.FailOK {
		out = append(out, plain(", may fail"))
	}
	if len(t.Locks) > 0 {
		out = append(out, plain(", holds the lock "), outside(sources(t.Locks)))
	}
	if t.Rolling != nil {
		out = append(out, o.waves(t.Rolling)...)
	}
	return out
}

// waves are the waves of a rolling task, and what is done to each.
func (o outline) waves(r *playbooks.Rolling) []Span {
	nodes := r.Nodes.Source()
	if list := r.Nodes.Items(); len(list) > 0 {
		nodes = short(sources(list), 120)
	}
	text := nodes + " in waves of " + sources(r.Waves)
	if len(r.Waves) > 1 {
		text += ", the last repeated"
	}
	most := r.MaxFailures.Source()
	if most == "" {
		most = "0"
	}
	out := []Span{plain(": "), outside(text + ", at most " + most + " may fail"), plain("; with each wave: ")}
	for i := range r.Tasks {
		if i > 0 {
			out = append(out, plain("; "))
		}
		out = append(out, plain("(%s) ", letter(i)))
		out = append(out, o.task(&r.Tasks[i])...)
	}
	return out
}

// letter counts a, b, c and, behind z, 27, 28.
func letter(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return strconv.Itoa(i + 1)
}

// hooks are the lists around the main one, in the order in which they run.
func (o outline) hooks() Fields {
	var out Fields
	for _, name := range []string{"pre_book", "pre_task", "post_task", "on_success", "on_fail", "post_book", "always"} {
		var spans []Span
		tasks := o.book.List(name)
		for i := range tasks {
			if i > 0 {
				spans = append(spans, plain("; "))
			}
			spans = append(append(spans, outside(called(&tasks[i]))), o.gate(&tasks[i])...)
		}
		if len(spans) > 0 {
			out.Items = append(out.Items, Field{Label: name, Value: spans})
		}
	}
	return out
}

// called is what people see of a task.
func called(t *playbooks.Task) string {
	if s := t.Description.Source(); s != "" {
		return s
	}
	return t.Type + " task"
}

// doing is the type of a task and what it does of what the type can.
func doing(t *playbooks.Task) string {
	if what := property(t, "action"); what != "" {
		return t.Type + " " + what
	}
	if t.Type == "playbook" {
		return strings.TrimSpace(t.Type + " " + property(t, "name"))
	}
	return t.Type
}

func property(t *playbooks.Task, key string) string {
	for _, e := range t.Properties.Entries() {
		if e.Key == key {
			return e.Value.Source()
		}
	}
	return ""
}

// gate says that a task stops and asks, and for what beyond one person's yes.
func (o outline) gate(t *playbooks.Task) []Span {
	if !asks(o.rules, t) {
		return nil
	}
	when := "asks for approval first"
	if t.Approval.EachWave {
		when = "asks for approval before each wave"
	}
	out := []Span{plain(", "), bold(when)}
	if terms := o.terms(t); terms != "" {
		out = append(out, plain(" ("), outside(terms), plain(")"))
	}
	return out
}

// terms are what a gate asks for, as far as it is more than one person's yes in the usual time.
func (o outline) terms(t *playbooks.Task) string {
	a := t.Approval.Or(o.book.Approval)
	terms := o.rules.Tighten(policy.Terms{From: a.From, Count: a.Count, Expires: a.Expires, Reason: a.Reason})
	var parts []string
	if terms.Count > 1 {
		parts = append(parts, fmt.Sprintf("%d people", terms.Count))
	}
	if len(terms.From) > 0 {
		parts = append(parts, "role "+policy.Either(terms.From))
	}
	if terms.Expires != o.rules.Expires() {
		parts = append(parts, "within "+Took(terms.Expires))
	}
	switch terms.Reason {
	case policy.ReasonAlways:
		parts = append(parts, "with a reason")
	case policy.ReasonOnDeny:
		parts = append(parts, "a no with a reason")
	}
	if a.Scope == playbooks.ScopeRun {
		parts = append(parts, "one yes may cover the rest")
	}
	return strings.Join(parts, ", ")
}

// asks reports whether a task waits for an approval: because the playbook says so, or the policy. What
// is in a template is not known here; the policy may gate that too.
func asks(rules *policy.Policy, t *playbooks.Task) bool {
	if t.Destructive {
		return true
	}
	_, gated := rules.Gate(t.PolicyNames()...)
	return gated
}
