package mcollective

import (
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/playbooks"
)

// onTheWay is added to the time that a DDL gives an action on the node: a request and its reply travel
// too. Choria's own client adds its discovery time-out, which is as long.
const onTheWay = 2 * time.Second

// Descriptions know the DDLs of agents. *ddl.Index and *registry.Registry are such.
type Descriptions interface {
	// Newest returns the DDL of an agent in its newest version; nil when none is known. It does not wait.
	Newest(agent string) *ddl.DDL
}

// describe holds what the task is given to the DDL of the agent, as far as it is known already; without
// a DDL everything stays as it is written.
func (t *task) describe(p *playbooks.Properties, known Descriptions) {
	if known == nil || t.action == "" {
		return
	}
	d := known.Newest(t.agent)
	if d == nil {
		return
	}
	action := d.Actions[t.action]
	if action == nil {
		p.Remedy("action", instead(t.agent, t.action, d.ActionNames()), "agent %s has no action %q, says its DDL %s", t.agent, t.action, d.Version)
		return
	}
	t.described, t.timeout = action, d.Timeout+onTheWay
	if p.Checking() {
		check(p, action)
		return
	}
	values, flaws := action.Bind(t.data)
	for _, f := range flaws {
		p.Remedy("properties", f.Remedy, "%s", f.Message)
	}
	t.data = values
}

// instead is the remedy for an unknown action.
func instead(agent, action string, known []string) string {
	if near := playbooks.Nearest(action, known); near != "" {
		return fmt.Sprintf("did you mean %q?", agent+"."+near)
	}
	return "it has: " + strings.Join(known, ", ")
}

// check looks at properties with templates: what is written out is held to the DDL, what is not counts
// as given.
func check(p *playbooks.Properties, action *ddl.Action) {
	source := p.Source("properties")
	if p.Deferred("properties") && len(source.Entries()) == 0 {
		return // one template gives all of them
	}
	places := make(map[string]playbooks.Pos)
	given := make(map[string]any)
	var later []string
	for _, e := range source.Entries() {
		name := plainKey(e.Key)
		places[name] = e.Pos
		value, written := e.Value.Literal()
		if in := action.Inputs[name]; written && in != nil && in.Type == ddl.String && isBare(value) {
			p.RemedyAt(e.Pos, "put the value in quotes", "input %s of %s.%s must be text, and YAML reads a number or a truth value", name, action.Agent, action.Name)
			written = false
		}
		if written {
			given[name] = value
		} else {
			later = append(later, name)
		}
	}
	_, flaws := action.Bind(given, later...)
	for _, f := range flaws {
		if pos, ok := places[f.Input]; ok {
			p.RemedyAt(pos, f.Remedy, "%s", f.Message)
		} else {
			p.Remedy("properties", f.Remedy, "%s", f.Message)
		}
	}
}

// isBare reports whether YAML made something else of what was meant as text: 2.0 is the number 2, and
// 0755 is 493.
func isBare(v any) bool {
	switch v.(type) {
	case int, int64, uint64, float64, bool:
		return true
	}
	return false
}

// described sums up the replies as the DDL says; "" when it says nothing.
func (o outcome) described() string {
	if o.task.described == nil {
		return ""
	}
	var replies []map[string]any
	large := 0
	for _, r := range o.Replies {
		switch {
		case o.flawed(r.Sender):
		case r.Trimmed:
			large++
		default:
			replies = append(replies, r.Data)
		}
	}
	for _, reply := range o.task.earlier.data {
		replies = append(replies, dataOf(reply))
	}
	var parts []string
	for _, s := range o.task.described.Summarize(replies) {
		parts = append(parts, s.String())
	}
	if len(parts) > 0 && large > 0 {
		parts = append(parts, fmt.Sprintf("%d × %s", large, tooLarge))
	}
	return strings.Join(parts, "; ")
}
