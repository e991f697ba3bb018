package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// nodesKey is the property under which tasks, of whatever type, name the nodes that they act on.
const nodesKey = "nodes"

// Hold reserves nodes for somebody who is no run of this engine, without asking who has them; by.Run must
// not be one. They are given back when release is called, and with the engine.
func (e *Engine) Hold(by Holder, nodes []string) (release func()) {
	e.leases.restore(lessee{Holder: by}, nodes)
	return func() { e.leases.free(by.Run) }
}

// reserve reserves nodes for the run, all or none, and waits as the playbook says while another run
// has one of them. What it reserves is written down by the time it returns if it had to wait, and
// else returned, to share the commit of what follows.
func (p *performer) reserve(ctx context.Context, nodes []string, pad *notebook) (facts []Payload, waited bool, err error) {
	want := slices.Compact(slices.Sorted(slices.Values(nodes)))
	if missing := p.run.unleased(want); len(missing) > 0 {
		facts = []Payload{NodesLeased{Nodes: missing}}
	}
	by := p.run.lessee(time.Now())
	held := p.engine.leases.try(by, want)
	switch {
	case held == nil:
		return facts, false, nil
	case p.book.Leases == playbooks.LeasesFail && !held.own:
		return nil, false, Errorf(CodeBusy, "%s. Try again when that run has ended", held)
	}
	if err := p.await(ctx, by, want, pad); err != nil {
		return nil, true, err
	}
	return nil, true, p.record(facts...)
}

// await waits for nodes, at most [lockTimeout], and not beyond the moment in which the engine begins to stop.
func (p *performer) await(ctx context.Context, by lessee, nodes []string, pad *notebook) error {
	stopCtx, end := p.engine.untilStop(ctx)
	defer end()
	waitCtx, cancel := context.WithTimeout(stopCtx, lockTimeout)
	defer cancel()
	var known NodesAwaited
	held := p.engine.leases.wait(waitCtx, by, nodes, func(h heldNodes) {
		if h.By.Run != known.Holder.Run || h.queued != known.Queued || h.unread != known.Unread {
			known = h.awaited()
			pad.add(h.String())
			_ = p.record(known) // as in lockAll
		}
	})
	switch {
	case held == nil:
		return nil
	case held.circle:
		return Errorf(CodeBusy, "%s, and that run waits for nodes of this one; run one after the other", held)
	case errors.Is(context.Cause(waitCtx), errStopping):
		return errStopping
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", held, context.Cause(ctx))
	}
	return Errorf(CodeBusy, "%s; waited %s. Try again when that run has ended", held, lockTimeout)
}

// awaited is what is told of the nodes: of a fleet, a few.
func (h heldNodes) awaited() NodesAwaited {
	const most = 10
	n := min(len(h.Nodes), most)
	return NodesAwaited{Nodes: h.Nodes[:n], More: len(h.Nodes) - n, Holder: h.By, Queued: h.queued, Unread: h.unread}
}

// String is the sentence about who has the nodes, since when, and how long that is.
func (h heldNodes) String() string {
	if h.unread {
		return fmt.Sprintf("run %s has not ended and its log cannot be read since %s, so that nobody knows whether it has %s; playbot's own log says what is wrong with it",
			h.By.Run.Short(), h.By.Since.UTC().Format(time.RFC3339), few(h.Nodes))
	}
	is := "are"
	if len(h.Nodes) == 1 {
		is = "is"
	}
	how := "reserved"
	if h.queued {
		how = "wanted first"
	}
	return fmt.Sprintf("%s %s %s by %s (%s) since %s, for %s", few(h.Nodes), is, how, h.By.Run.Short(), h.By.Who,
		h.By.Since.UTC().Format(time.RFC3339), time.Since(h.By.Since).Round(time.Second))
}

// reserveSets reserves the nodes that tasks of the playbook may change: the sets that such a task names
// anywhere, and what stands under `nodes` as far as it is known before the first task.
func (p *performer) reserveSets(ctx context.Context, sets map[string][]string, pad *notebook) error {
	if p.book.Leases == playbooks.LeasesNone {
		return nil
	}
	view := p.view()
	view.Nodes = sets
	var want []string
	for _, t := range p.book.AllTasks() {
		if t.Rolling != nil || !p.engine.mayChangeNodes(t.Task) { //nolint:contextcheck // to decode is to look at nothing outside
			continue
		}
		refs, lists := t.Properties.References(), []playbooks.Value{t.Properties.Lookup(nodesKey)}
		if refs.Wave && t.Outer != nil {
			refs.Add(t.Outer.Rolling.Nodes.References())
			lists = append(lists, t.Outer.Rolling.Nodes)
		}
		for name, nodes := range sets {
			if refs.Nodes.Has(name) {
				want = append(want, nodes...)
			}
		}
		for _, list := range lists {
			want = append(want, p.knownNodes(ctx, list, view)...)
		}
	}
	want = slices.DeleteFunc(want, func(n string) bool { return notANode(n) || p.redact().hides(n) })
	facts, _, err := p.reserve(ctx, want, pad)
	p.leased = facts
	return err
}

// mayChangeNodes reports whether a task as it is written may change nodes. What only its rendered
// properties tell counts as yes, and a node too many does no harm.
func (e *Engine) mayChangeNodes(t *playbooks.Task) bool {
	tt, ok := e.opts.Types.task(t.Type)
	if !ok || t.Properties.Lookup(nodesKey).IsZero() {
		return false
	}
	task, err := tt.Decode(playbooks.Unrendered(t.Properties))
	return err != nil || task.Effect() != ReadOnly
}

// knownNodes renders a list of nodes that does not depend on what a task or a data store will say.
// What cannot be rendered fails its task, when it begins.
func (p *performer) knownNodes(ctx context.Context, v playbooks.Value, view playbooks.Scope) []string {
	refs := v.References()
	if refs.Wave || refs.Tasks.All || len(refs.Tasks.List) > 0 || refs.Inputs.All {
		return nil
	}
	for _, name := range refs.Inputs.List {
		if in, ok := p.book.Input(name); !ok || in.Data != "" {
			return nil
		}
	}
	raw, err := v.Render(ctx, view)
	if err != nil {
		return nil
	}
	return playbooks.FromMap(map[string]any{nodesKey: raw}).Strings(nodesKey)
}

// reserveTargets reserves, before an attempt that changes nodes, those of them that the preparation
// could not know. again says that time has passed, so that what was decided must be decided anew.
func (p *performer) reserveTargets(ctx context.Context, a action, task Task, props *playbooks.Properties) (facts []Payload, again bool, err error) {
	if p.book.Leases == playbooks.LeasesNone || task.Effect() == ReadOnly {
		return nil, false, nil
	}
	if !a.limit.at.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, a.limit.at, Errorf(CodeTimeout, "timed out: %s", a.limit.why))
		defer cancel()
	}
	facts, waited, err := p.reserve(ctx, targets(task, props), &notebook{})
	return facts, err == nil && waited && a.approval != nil, err
}

// targets are the nodes that a task acts on.
func targets(task Task, props *playbooks.Properties) []string {
	if t, ok := task.(Targeted); ok {
		return t.Targets()
	}
	nodes, ok := props.Values()[nodesKey]
	if !ok {
		return nil
	}
	return playbooks.FromMap(map[string]any{nodesKey: nodes}).Strings(nodesKey)
}
