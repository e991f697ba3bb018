// Package mcollectiveassert is the task type `mcollective_assert` of early 2017: an mcollective task
// whose every reply must satisfy one comparison. It is deprecated in favour of the `assert` of
// mcollective.
package mcollectiveassert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
)

const (
	maxNamed = 5   // nodes that a sentence names before it says how many more
	maxText  = 300 // bytes of a value in a sentence
)

// Type is the task type. client and readOnly are those of [mcollective.Type].
func Type(client mcollective.Client, readOnly func(action string) bool) engine.TaskType {
	return Described(client, readOnly, nil)
}

// Described is [Type] with the DDLs of [mcollective.Described]; they are asked before anything is sent.
func Described(client mcollective.Client, readOnly func(action string) bool, ddls mcollective.Descriptions) engine.TaskType {
	return engine.TaskType{
		Name: "mcollective_assert", Summary: "asks nodes and compares one item of every reply",
		Deprecated: `use mcollective with assert, such as assert: "idling=true"`, Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) { return decode(p, client, readOnly, ddls) },
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "nodes", Kind: playbooks.KindTexts, Required: true, Doc: "The nodes to ask, such as `\"{{ nodes.web }}\"`. At least one."},
		{Name: "action", Kind: playbooks.KindText, Required: true, Doc: "`agent.action`, such as `puppet.status`. A node that fails or does not answer fails the task."},
		{Name: "properties", Kind: playbooks.KindMap, Doc: "What the action is given."},
		{
			Name: "expression", Kind: playbooks.KindList, Required: true,
			Doc: "Three items: the name of an item of the reply, an operator, a value. The operators are `<`, `>`, `<=`, `>=`, `=` or `==`, `=~` " +
				"(a regular expression, capitals or not) and `in` (the value is a list); `!` before any of them inverts it. A node whose reply lacks the item fails.",
		},
	}
}

type task struct {
	client     mcollective.Client
	readOnly   func(string) bool
	ddls       mcollective.Descriptions
	request    map[string]any // the properties of the mcollective task
	nodes      []string
	action     string
	expression expression
}

func decode(p *playbooks.Properties, client mcollective.Client, readOnly func(string) bool, ddls mcollective.Descriptions) (engine.Task, error) {
	t := &task{
		client: client, readOnly: readOnly, ddls: ddls,
		nodes: unique(p.RequireStrings("nodes")), action: p.RequireText("action"), expression: read(p),
	}
	if agent, action, ok := strings.Cut(t.action, "."); t.action != "" && (!ok || agent == "" || action == "" || strings.Contains(action, ".")) {
		p.Remedy("action", "write agent.action, such as puppet.status", "%q names no action of an agent", t.action)
	} else if ddls != nil {
		ddls.Newest(agent) // looked at when it runs; a DDL that must be fetched is there by then
	}
	t.request = map[string]any{"nodes": p.Any("nodes"), "action": t.action, "properties": p.Map("properties"), "silent": true}
	return t, p.Err()
}

// unique keeps the first of equal names.
func unique(names []string) []string {
	var out []string
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// Effect implements [engine.Task].
func (t *task) Effect() engine.Effect {
	if t.readOnly != nil && t.readOnly(t.action) {
		return engine.ReadOnly
	}
	return engine.Once
}

// Targets implements [engine.Targeted].
func (t *task) Targets() []string { return t.nodes }

// ActionName implements [engine.ActionNamed].
func (t *task) ActionName() string { return t.action }

// Lasts implements [engine.Lasting] as mcollective does: only the policy says which actions read, and an
// action that is not among them goes on at its nodes when the attempt is cut off.
func (t *task) Lasts() time.Duration {
	inner, err := t.asking(t.client)
	if l, ok := inner.(engine.Lasting); ok && err == nil {
		return l.Lasts()
	}
	return 0 // it cannot be asked: Run says why, and sends nothing
}

// asking is the mcollective task that asks, over client.
func (t *task) asking(client mcollective.Client) (engine.Task, error) {
	return mcollective.Described(client, t.readOnly, t.ddls).Decode(playbooks.FromMap(t.request))
}

// Run implements [engine.Task]: it asks as mcollective does, then holds every reply to the expression.
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	heard := &replies{Client: t.client}
	var client mcollective.Client
	if t.client != nil { // else the mcollective task says what to configure
		client = heard
	}
	inner, err := t.asking(client) //nolint:contextcheck // rendered properties need none
	if err != nil {
		return engine.Result{}, err
	}
	result, err := inner.Run(ctx, c)
	if err != nil {
		return result, err
	}
	return t.judge(c, result, heard.all)
}

// judge turns replies into success or failure.
func (t *task) judge(c *engine.Call, result engine.Result, all []choria.Reply) (engine.Result, error) {
	var wrong []string
	failed := make(map[string]bool)
	for _, r := range all {
		if why := t.expression.unsatisfied(r.Data); why != "" {
			why = fmt.Sprintf("%s (%s)", r.Sender, why)
			c.Note(why)
			wrong = append(wrong, why)
			result.FailedNodes, failed[r.Sender] = append(result.FailedNodes, r.Sender), true
		}
	}
	if len(wrong) == 0 {
		result.Message += "; all satisfy " + t.expression.String()
		return result, nil
	}
	result.OKNodes = slices.DeleteFunc(slices.Clone(result.OKNodes), func(n string) bool { return failed[n] })
	result.Message = fmt.Sprintf("%d of %d do not satisfy %s: %s", len(wrong), len(all), t.expression, few(wrong))
	return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
}

// few joins some parts and says how many more there are.
func few(parts []string) string {
	if len(parts) <= maxNamed {
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(parts[:maxNamed], ", "), len(parts)-maxNamed)
}

// replies is a client that remembers what nodes answered, all of it.
type replies struct {
	mcollective.Client

	mu  sync.Mutex // guards all
	all []choria.Reply
}

// Call implements [mcollective.Client].
func (r *replies) Call(ctx context.Context, q choria.Request) (choria.Result, error) {
	res, err := r.Client.Call(ctx, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, res.Replies...)
	return res, err
}
