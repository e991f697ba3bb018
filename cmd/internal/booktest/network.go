package booktest

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria"
)

// requestTimeout is how long nodes have to answer when a request does not say, as in the client.
const requestTimeout = 20 * time.Second

// network is the Choria network of a case: its nodes give the replies that are declared.
type network struct{ *world }

var (
	_ builtin.Network = network{}
	_ engine.Fleet    = network{}
)

// heard is what one node says, and when.
type heard struct {
	reply  choria.Reply
	after  time.Duration
	silent bool
}

// Callers implements [mcollective.Client].
func (network) Callers() choria.Callers { return choria.Callers{} }

// Call asks nodes in batches, each until all have answered or its time is up.
func (w network) Call(ctx context.Context, q choria.Request) (choria.Result, error) {
	if q.Timeout == 0 {
		q.Timeout = requestTimeout
	}
	nodes := slices.Clone(q.Nodes)
	size := q.BatchSize
	if size <= 0 {
		size = max(len(nodes), 1)
	}
	w.note(q)
	result := choria.Result{ID: q.ID}
	var err error
	done := 0
	for batch := range slices.Chunk(nodes, size) {
		if done > 0 && err == nil && q.Enough != nil && q.Enough() {
			break
		}
		if done > 0 && err == nil {
			err = pause(ctx, q.BatchSleep)
		}
		if err == nil && q.Before != nil {
			err = q.Before(batch)
		}
		if err != nil {
			break
		}
		err = w.batch(ctx, q, batch, &result)
		done += len(batch)
	}
	result.Unasked = nodes[done:]
	slices.Sort(result.Silent)
	slices.SortFunc(result.Replies, func(a, b choria.Reply) int { return cmp.Compare(a.Sender, b.Sender) })
	return result, err
}

func (w network) note(q choria.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, asked{action: q.Agent + "." + q.Action, nodes: slices.Clone(q.Nodes), data: maps.Clone(q.Data)})
}

// batch asks some nodes at once.
func (w network) batch(ctx context.Context, q choria.Request, nodes []string, result *choria.Result) error {
	var replies []heard
	for _, n := range nodes {
		h, err := w.ask(n, q)
		if err != nil {
			result.Silent = append(result.Silent, nodes...)
			return err
		}
		if h.silent || h.after >= q.Timeout {
			result.Silent = append(result.Silent, n)
			continue
		}
		replies = append(replies, h)
	}
	slices.SortStableFunc(replies, func(a, b heard) int { return cmp.Compare(a.after, b.after) })
	began := time.Now()
	for i, h := range replies {
		if err := pause(ctx, h.after-time.Since(began)); err != nil {
			for _, missing := range replies[i:] {
				result.Silent = append(result.Silent, missing.reply.Sender)
			}
			return err
		}
		result.Replies = append(result.Replies, h.reply)
		if q.OnReply != nil {
			q.OnReply(h.reply)
		}
	}
	if len(replies) < len(nodes) {
		return pause(ctx, q.Timeout-time.Since(began))
	}
	return nil
}

// pause waits, and not at all when there is nothing to wait for.
func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask is what one node says. An error says that the case does not declare it.
func (w network) ask(name string, q choria.Request) (heard, error) {
	action := q.Agent + "." + q.Action
	n, known := w.node(name)
	if !known || n.silent || n.agents != nil && n.agents[q.Agent] == "" && q.Agent != "rpcutil" {
		return heard{silent: true}, nil // as a server that is not there, or does not listen for that agent
	}
	call := w.count(action + " " + name)
	for _, r := range w.replies {
		if r.fits(action, name, call) {
			w.use(r.pos)
			return r.heard(name)
		}
	}
	if data, ok := w.builtIn(n, action); ok {
		return heard{reply: choria.Reply{Sender: name, StatusMsg: "OK", Data: data}}, nil
	}
	return heard{}, w.lack("no reply is declared for %s; add it under replies:, as in - %s", action, action)
}

func (r reply) heard(name string) (heard, error) {
	h := heard{after: r.takes, silent: r.silent}
	h.reply = choria.Reply{Sender: name, StatusCode: r.statuscode, StatusMsg: r.statusmsg, Data: map[string]any{}}
	if h.reply.StatusMsg == "" && r.statuscode == 0 {
		h.reply.StatusMsg = "OK"
	}
	if r.data == nil {
		return h, nil
	}
	raw, err := json.Marshal(r.data) // over JSON, as on the wire
	if err == nil {
		err = json.Unmarshal(raw, &h.reply.Data)
	}
	return h, err
}

// builtIn is what every server answers about itself.
func (w network) builtIn(n node, action string) (map[string]any, bool) {
	agents := w.agents(n)
	switch action {
	case "rpcutil.ping":
		return map[string]any{"pong": time.Now().Unix()}, true
	case "rpcutil.inventory":
		return map[string]any{"agents": sorted(agents), "facts": n.facts, "classes": n.classes}, true
	case "rpcutil.agent_inventory":
		list := []any{}
		for _, a := range sorted(agents) {
			list = append(list, map[string]any{"agent": a, "name": a, "version": agents[a]})
		}
		return map[string]any{"agents": list}, true
	}
	return nil, false
}

// agents are those of a node; one that names none has what the playbooks use, in versions that fit.
func (w network) agents(n node) map[string]string {
	if n.agents == nil {
		return w.shelf.fitting()
	}
	return overlay(map[string]string{"rpcutil": w.shelf.fitting()["rpcutil"]}, n.agents)
}

// Ping implements [engine.Fleet].
func (w network) Ping(ctx context.Context, nodes []string) ([]string, error) {
	var silent []string
	for _, name := range nodes {
		if n, ok := w.node(name); !ok || n.silent {
			silent = append(silent, name)
		}
	}
	return silent, w.wait(ctx, len(silent) > 0)
}

// Agents implements [engine.Fleet].
func (w network) Agents(ctx context.Context, nodes []string) (map[string]map[string]string, error) {
	out := make(map[string]map[string]string)
	for _, name := range nodes {
		if n, ok := w.node(name); ok && !n.silent {
			out[name] = w.agents(n)
		}
	}
	return out, w.wait(ctx, len(out) < len(nodes))
}

// wait is how long the network waits for nodes that do not answer.
func (w network) wait(ctx context.Context, missing bool) error {
	if !missing {
		return ctx.Err()
	}
	return pause(ctx, requestTimeout)
}
