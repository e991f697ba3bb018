// Package mcollective is the task type `mcollective` (also `choria` and `rpc`): it asks named nodes
// to carry out one action of one agent, and holds each of them to its answer.
package mcollective

import (
	"context"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/tasks/mcollective/jgrep"
	"github.com/playbot/playbot/playbooks"
)

// Client asks nodes, and says in whose name it can. *choria.Client is one.
type Client interface {
	Call(ctx context.Context, q choria.Request) (choria.Result, error)
	Callers() choria.Callers
}

// defaultBatchSleep is the RPC client's of 2017.
const defaultBatchSleep = time.Second

// Type is the task type. A nil client makes every task fail with a sentence that says what to
// configure. readOnly says which actions only read; such an attempt may be repeated after a crash.
func Type(client Client, readOnly func(action string) bool) engine.TaskType {
	return Described(client, readOnly, nil)
}

// Described is [Type] with DDLs: what an agent is given is checked and converted before it is sent. An
// agent without one is asked as it is written. nil knows none.
func Described(client Client, readOnly func(action string) bool, ddls Descriptions) engine.TaskType {
	return engine.TaskType{
		Name: "mcollective", Aliases: []string{"choria", "rpc"},
		Summary: "asks nodes to carry out an action of an agent",
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			return decode(p, client, readOnly, ddls)
		},
		Conditions: []string{"expect"}, Keys: keys(),
	}
}

// task is one request.
type task struct {
	client        Client
	readOnly      bool
	nodes         []string
	agent, action string
	data          map[string]any
	described     *ddl.Action   // nil when no DDL is known
	timeout       time.Duration // of a batch; 0 is the client's
	batchSize     int
	batchSleep    time.Duration
	silent        bool
	summarize     bool
	assert        *jgrep.Expression
	expect        *playbooks.Condition
	maxFailures   int  // nodes that may fail or keep silent
	onlyFailed    bool // a further try asks only the nodes that are not ok yet
	earlier       earlier
}

func decode(p *playbooks.Properties, client Client, readOnly func(string) bool, ddls Descriptions) (engine.Task, error) {
	t := &task{client: client}
	t.nodes = unique(p.RequireStrings("nodes"))
	name := p.RequireText("action")
	var ok bool
	if t.agent, t.action, ok = strings.Cut(name, "."); name != "" && (!ok || t.agent == "" || t.action == "" || strings.Contains(t.action, ".")) {
		p.Remedy("action", "write agent.action, such as puppet.disable", "%q names no action of an agent", name)
	}
	t.readOnly = readOnly != nil && readOnly(name)
	t.data = plainKeys(p.Map("properties"))
	t.describe(p, ddls)
	t.batch(p)
	t.silent = p.Bool("silent", false)
	for _, post := range p.Strings("post") {
		if post != "summarize" {
			p.Remedy("post", "write post: [summarize]", "post knows no %q", post)
		}
		t.summarize = true
	}
	t.assert = assertion(p)
	t.expect = p.Condition("expect")
	t.onlyFailed = p.Choice("retry", "all", "all", "failed") == "failed"
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
		out[plainKey(k)] = v
	}
	return out
}

func plainKey(k string) string {
	if symbol, ok := strings.CutPrefix(k, ":"); ok {
		return strings.TrimSuffix(symbol, ":")
	}
	return k
}

// batch reads how many nodes are asked at a time, and how many of all may fail.
func (t *task) batch(p *playbooks.Properties) {
	t.batchSleep = p.Duration("batch_sleep_time", defaultBatchSleep)
	if size, ok := share(p, "batch_size", 1); ok {
		t.batchSize = max(1, size.Of(len(t.nodes)))
	}
	if most, ok := share(p, "max_failures", 0); ok {
		t.maxFailures = most.AtMost(len(t.nodes))
	}
}

// share reads a number of nodes or a share of them; ok is false when there is none.
func share(p *playbooks.Properties, key string, least int) (s playbooks.Share, ok bool) {
	text := p.Text(key, "")
	if text == "" {
		return s, false
	}
	s, err := playbooks.ParseShare(text)
	if err != nil || s.Number < least {
		p.Remedy(key, `write a number of nodes, or a share such as "20%"`, "%s cannot be %q", key, text)
		return s, false
	}
	return s, true
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

// withoutDDL is how long an agent that nothing is known about may take: twice what Choria gives one whose
// DDL says nothing.
const withoutDDL = 20 * time.Second

// Lasts implements [engine.Lasting]: a server ends an action when the time of its DDL is over.
func (t *task) Lasts() time.Duration {
	if t.timeout > 0 {
		return t.timeout
	}
	return withoutDDL
}

// ActionName implements [engine.ActionNamed].
func (t *task) ActionName() string { return t.agent + "." + t.action }
