package mcollective

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
)

// hearing is one attempt as far as it got. It belongs to one goroutine: the client calls back in the
// one that made the call.
type hearing struct {
	task            *task
	call            *engine.Call
	asked, answered int
	flaws           map[string]flaw // of replies, by their sender
	batch           int             // that is being asked
	began           time.Time       // the first batch
	batchBegan      time.Time
	silent          int // of earlier batches
}

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	if t.client == nil {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent,
			"%s was not sent: no Choria network is configured; set nats.servers in the configuration", t.ActionName())
	}
	h := &hearing{task: t, call: c, flaws: make(map[string]flaw)}
	if len(t.nodes) == 0 { // every node was ok in an earlier try
		return t.judge(ctx, t.sort(choria.Result{}, nil), nil)
	}
	if n := len(t.earlier.ok); n > 0 {
		c.Note(fmt.Sprintf("%d of %d nodes were ok in an earlier try and are not asked again", n, t.total()))
	}
	caller, err := t.client.Callers().Person(c.Run.Actor.Team, c.Run.Actor.User)
	if err != nil {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent, "%s was not sent: who started the run has no name that nodes know: %v", t.ActionName(), err)
	}
	res, err := t.client.Call(ctx, choria.Request{
		Agent: t.agent, Action: t.action, Data: t.data, Nodes: t.nodes, Caller: caller, Run: string(c.Run.ID), Key: c.Key, Timeout: t.timeout,
		BatchSize: t.batchSize, BatchSleep: t.batchSleep,
		Before: h.before, Enough: h.enough, OnReply: func(r choria.Reply) { h.reply(ctx, r) },
	})
	o := t.sort(res, h.flaws)
	for _, n := range o.Silent {
		c.Note(n + ": no answer")
	}
	for _, n := range o.Unknown {
		c.Note(n + ": unknown: the network was lost while it was asked, or its answer could not be held")
	}
	if text := ignored(res); text != "" {
		c.Note(text)
	}
	return t.judge(ctx, o, err)
}

// before tells that a batch is about to be asked.
func (h *hearing) before(batch []string) error {
	if h.task.batchSize > 0 {
		h.call.Note(fmt.Sprintf("asking %d of %d nodes; %d have answered", len(batch), len(h.task.nodes), h.answered))
	}
	h.asked += len(batch)
	h.batch, h.batchBegan = h.batch+1, time.Now()
	if h.batch == 1 {
		h.began = h.batchBegan
	}
	h.tell(h.asked - len(batch) - h.answered) // who has not answered before is silent now
	return nil
}

// tell says how far the asking has come.
func (h *hearing) tell(silent int) {
	p := engine.Progress{
		Of: h.task.total(), OK: len(h.task.earlier.ok) + h.answered - len(h.flaws), Failed: len(h.flaws), Silent: silent, Began: h.began,
	}
	if n := h.task.batchSize; n > 0 {
		p.Batch, p.Batches, p.BatchBegan = h.batch, (len(h.task.nodes)+n-1)/n, h.batchBegan
	}
	h.silent = silent
	h.call.Tell(p)
}

// reply holds a node to its answer, and tells it: always when something is wrong with it, else unless silent.
func (h *hearing) reply(ctx context.Context, r choria.Reply) {
	h.answered++
	f, flawed := h.task.flaw(ctx, r)
	switch {
	case flawed:
		h.flaws[r.Sender] = f
		h.call.Note(f.note())
	case !h.task.silent:
		h.call.Note(fmt.Sprintf("%s: %s", r.Sender, clip(fields(r.Data))))
	}
	h.tell(h.silent)
}

// enough reports whether so many nodes failed or kept silent that no more are asked.
func (h *hearing) enough() bool {
	silent := h.asked - h.answered
	if len(h.flaws)+silent <= h.task.maxFailures {
		return false
	}
	h.call.Note(fmt.Sprintf("the other %d nodes are not asked: %d failed, %d did not answer, at most %d allowed",
		len(h.task.nodes)-h.asked, len(h.flaws), silent, h.task.maxFailures))
	return true
}

// judge turns the answers into success or failure, and into a sentence with the counts first.
func (t *task) judge(ctx context.Context, o outcome, err error) (engine.Result, error) {
	result := engine.Result{
		Message: o.counts(), Data: o.data(t.agent, t.action),
		OKNodes: o.ok, FailedNodes: o.failed(), SilentNodes: o.unheard(), UnaskedNodes: o.Unasked,
	}
	switch {
	case errors.Is(err, choria.ErrNotSent):
		return t.notSent(err), &engine.Error{Code: engine.CodeNotSent, Message: err.Error(), Err: err}
	case err != nil && ctx.Err() != nil:
		result.Message = "cut off: " + result.Message
		return result, context.Cause(ctx)
	case err != nil:
		result.Message = fmt.Sprintf("%v; %s", err, result.Message)
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	case len(o.flaws)+len(o.Silent)+len(o.Unknown)+len(o.Unasked) > t.maxFailures:
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	case len(o.ok) == 0: // as in 2017, however many may fail
		result.Message += ", but 1 must be ok"
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	}
	if t.summarize {
		result.Message += ": " + o.summary()
	}
	return result, nil
}

// notSent is the result when no node was asked: what is known of an earlier try still counts.
func (t *task) notSent(err error) engine.Result {
	result := engine.Result{Message: err.Error()}
	if len(t.earlier.ok) > 0 {
		result.OKNodes, result.UnaskedNodes, result.Data = t.earlier.ok, t.nodes, t.earlier.data
	}
	return result
}
