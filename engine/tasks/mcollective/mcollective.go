// Package mcollective is the task type `mcollective` (also `choria` and `rpc`): it asks named nodes
// to carry out one action of one agent, and holds each of them to its answer.
package mcollective

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/tasks/mcollective/jgrep"
	"github.com/playbot/playbot/playbooks"
)

// Client asks nodes. *choria.Client is one.
type Client interface {
	Call(ctx context.Context, q choria.Request) (choria.Result, error)
}

// defaultBatchSleep is the RPC client's of 2017.
const defaultBatchSleep = time.Second

// Type is the task type. A nil client makes every task fail with a sentence that says what to
// configure. readOnly says which actions only read; such an attempt may be repeated after a crash.
func Type(client Client, readOnly func(action string) bool) engine.TaskType {
	return engine.TaskType{
		Name: "mcollective", Aliases: []string{"choria", "rpc"},
		Summary: "asks nodes to carry out an action of an agent",
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			return decode(p, client, readOnly)
		},
	}
}

// task is one request.
type task struct {
	client        Client
	readOnly      bool
	nodes         []string
	agent, action string
	data          map[string]any
	batchSize     int
	batchSleep    time.Duration
	silent        bool
	summarize     bool
	assert        *jgrep.Expression
}

func decode(p *playbooks.Properties, client Client, readOnly func(string) bool) (engine.Task, error) {
	t := &task{client: client}
	t.nodes = unique(p.RequireStrings("nodes"))
	name := p.RequireText("action")
	var ok bool
	if t.agent, t.action, ok = strings.Cut(name, "."); name != "" && (!ok || t.agent == "" || t.action == "" || strings.Contains(t.action, ".")) {
		p.Remedy("action", "write agent.action, such as puppet.disable", "%q names no action of an agent", name)
	}
	t.readOnly = readOnly != nil && readOnly(name)
	t.data = plainKeys(p.Map("properties"))
	t.batch(p)
	t.silent = p.Bool("silent", false)
	for _, post := range p.Strings("post") {
		if post != "summarize" {
			p.Remedy("post", "write post: [summarize]", "post knows no %q", post)
		}
		t.summarize = true
	}
	if text := p.Text("assert", ""); text != "" {
		var err error
		if t.assert, err = jgrep.Parse(text); err != nil {
			p.Problem("assert", "the assertion cannot be read: %v", err)
		}
	}
	return t, p.Err()
}

// unique keeps the first of equal names: a node is asked, and counted, once.
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

// plainKeys accepts the symbols of 2017: ":message:" and ":message" mean "message".
func plainKeys(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if symbol, ok := strings.CutPrefix(k, ":"); ok {
			k = strings.TrimSuffix(symbol, ":")
		}
		out[k] = v
	}
	return out
}

// batch reads how many nodes are asked at a time: a number, or a share such as "20%".
func (t *task) batch(p *playbooks.Properties) {
	t.batchSleep = p.Duration("batch_sleep_time", defaultBatchSleep)
	text := p.Text("batch_size", "")
	if text == "" {
		return
	}
	share, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(strings.TrimSpace(share))
	if err != nil || n < 1 || percent && n > 100 {
		p.Remedy("batch_size", `write a number of nodes, or a share such as "20%"`, "batch_size cannot be %q", text)
		return
	}
	if percent {
		n = max(1, (len(t.nodes)*n+99)/100)
	}
	t.batchSize = n
}

// Effect implements [engine.Task].
func (t *task) Effect() engine.Effect {
	if t.readOnly {
		return engine.ReadOnly
	}
	return engine.Once
}

// Targets implements [engine.Targeted].
func (t *task) Targets() []string { return t.nodes }

// ActionName implements [engine.ActionNamed].
func (t *task) ActionName() string { return t.agent + "." + t.action }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	if t.client == nil {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent,
			"%s was not sent: no Choria network is configured; set nats.servers in the configuration", t.ActionName())
	}
	answered := 0
	res, err := t.client.Call(ctx, choria.Request{
		Agent: t.agent, Action: t.action, Data: t.data, Nodes: t.nodes, ID: c.Key,
		BatchSize: t.batchSize, BatchSleep: t.batchSleep,
		Before: func(batch []string) error {
			if t.batchSize > 0 {
				c.Note(fmt.Sprintf("asking %d nodes; %d of %d have answered", len(batch), answered, len(t.nodes)))
			}
			return nil
		},
		OnReply: func(r choria.Reply) {
			answered++
			t.note(c, r)
		},
	})
	o := t.sort(res)
	for _, n := range o.Silent {
		c.Note(n + ": no answer")
	}
	return t.judge(ctx, o, err)
}

// note tells what a node said: always when it failed, else unless silent.
func (t *task) note(c *engine.Call, r choria.Reply) {
	switch {
	case !r.OK():
		c.Note(fmt.Sprintf("%s: failed: %s", r.Sender, statusText(r)))
	case !t.silent:
		c.Note(fmt.Sprintf("%s: %s", r.Sender, clip(fields(r.Data))))
	}
}

// judge turns the answers into success or failure, and into a sentence with the counts first.
func (t *task) judge(ctx context.Context, o outcome, err error) (engine.Result, error) {
	result := engine.Result{
		Data: o.data(t.agent, t.action), OKNodes: o.ok, FailedNodes: o.failed(), SilentNodes: o.Silent,
	}
	switch {
	case errors.Is(err, choria.ErrNotSent):
		return engine.Result{Message: err.Error()}, &engine.Error{Code: engine.CodeNotSent, Message: err.Error(), Err: err}
	case err != nil && ctx.Err() != nil:
		result.Message = "cut off: " + o.counts(len(t.nodes))
		return result, context.Cause(ctx)
	case err != nil:
		result.Message = fmt.Sprintf("%v; %s", err, o.counts(len(t.nodes)))
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	case len(o.bad) > 0 || len(o.Silent) > 0 || len(o.ok) == 0:
		result.Message = o.counts(len(t.nodes))
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	}
	if wrong := t.unsatisfied(o); len(wrong) > 0 {
		result.OKNodes, result.FailedNodes = o.without(wrong)
		result.Message = fmt.Sprintf("%d of %d do not satisfy %s: %s", len(wrong), len(t.nodes), t.assert, t.values(wrong))
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	}
	result.Message = o.counts(len(t.nodes))
	if t.summarize {
		result.Message += ": " + summary(o.Replies)
	}
	return result, nil
}

// unsatisfied lists the replies that the assertion does not hold for.
func (t *task) unsatisfied(o outcome) []choria.Reply {
	if t.assert == nil {
		return nil
	}
	var wrong []choria.Reply
	for _, r := range o.Replies {
		if !t.assert.Match(r.Data) {
			wrong = append(wrong, r)
		}
	}
	return wrong
}

// values names some of the nodes with what the assertion looked at.
func (t *task) values(wrong []choria.Reply) string {
	var parts []string
	for _, r := range wrong {
		var seen []string
		for _, path := range t.assert.Paths() {
			seen = append(seen, path+"="+jgrep.Value(r.Data, path))
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", r.Sender, strings.Join(seen, ", ")))
	}
	return few(parts)
}
