package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// prepare does what comes before the first task, in the order of 2017: stores and inputs, locks,
// node sets, then what the nodes themselves say.
func (p *performer) prepare(ctx context.Context) []Payload {
	pad := &notebook{}
	nodes, err := p.preparation(ctx, pad)
	var timeout time.Duration
	if err == nil {
		timeout, err = duration(ctx, "timeout", p.book.Timeout, 0, p.scope())
	}
	if errors.Is(err, errStopping) {
		return nil
	}
	if err != nil {
		return []Payload{PrepareFailed{
			Message: p.redact().text(err.Error()), Notes: p.redact().lines(pad.lines()),
		}}
	}
	prepared := Prepared{Inputs: p.run.Requested.Inputs, Nodes: nodes, Notes: p.redact().lines(pad.lines())}
	if timeout > 0 {
		prepared.Deadline = time.Now().Add(timeout)
	}
	return append(p.leased, prepared)
}

func (p *performer) preparation(ctx context.Context, pad *notebook) (map[string][]string, error) {
	if err := p.engine.vouch(ctx, p.run.Requested.Actor); err != nil {
		return nil, Errorf(CodeDenied, "refused: %v", err)
	}
	if err := p.engine.programs(p.book); err != nil { // asked at the start too; the policy may have changed since
		return nil, err
	}
	if err := p.mayRun(ctx, 0); err != nil { // who is in which group may have changed since it was asked for
		return nil, err
	}
	if err := p.openStores(ctx); err != nil {
		return nil, err
	}
	if err := p.saveInputs(ctx); err != nil {
		return nil, err
	}
	if err := p.lock(ctx, pad); err != nil {
		return nil, err
	}
	nodes, err := p.discoverAll(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range p.book.NodeSets {
		pad.add(fmt.Sprintf("node set %s: %d nodes", set.Name, len(nodes[set.Name])))
	}
	if err := p.mayRun(ctx, countNodes(nodes)); err != nil {
		return nil, err
	}
	if err := p.reserveSets(ctx, nodes, pad); err != nil { // before the nodes are asked: the other run may be changing what they answer
		return nil, err
	}
	if err := p.testNodes(ctx, nodes, pad); err != nil {
		return nil, err
	}
	return nodes, p.checkUses(ctx, nodes, pad)
}

// readiness is a data store that knows before its first use whether it can be read.
type readiness interface {
	Ready(ctx context.Context) error
}

// openStores opens every data store, also one that only the last task needs: what cannot be opened, or
// not be read although an input needs it, fails the run while nothing has changed.
func (p *performer) openStores(ctx context.Context) error {
	for _, part := range p.book.DataStores {
		st, err := p.store(ctx, part.Name)
		if err != nil {
			return err
		}
		isRead := slices.ContainsFunc(p.book.Inputs, func(in playbooks.Input) bool { return strings.HasPrefix(in.Data, part.Name+"/") })
		if r, ok := st.(readiness); ok && isRead {
			if err := r.Ready(ctx); err != nil {
				return fmt.Errorf("data store %q: %w", part.Name, err)
			}
		}
	}
	return nil
}

// saveInputs writes the inputs that are to be remembered to their stores.
func (p *performer) saveInputs(ctx context.Context) error {
	for _, in := range p.book.Inputs {
		v, given := p.run.Requested.Inputs[in.Name]
		if !in.Save || !given {
			continue
		}
		store, key, err := splitStore(in.Data)
		if err != nil {
			return err
		}
		st, err := p.store(ctx, store)
		if err != nil {
			return err
		}
		if err := st.Put(ctx, key, v); err != nil {
			return fmt.Errorf("save input %q to %s: %w", in.Name, in.Data, err)
		}
	}
	return nil
}

// testNodes asks each node of the sets with `test` once whether it is there.
func (p *performer) testNodes(ctx context.Context, nodes map[string][]string, pad *notebook) error {
	var ask []string
	for _, set := range p.book.NodeSets {
		test, err := yesOrNo(ctx, "test", set.Test, p.scope())
		if err != nil {
			return fmt.Errorf("node set %q: %w", set.Name, err)
		}
		if test {
			ask = append(ask, nodes[set.Name]...)
		}
	}
	ask = unique(ask)
	if len(ask) == 0 {
		return nil
	}
	if p.engine.opts.Fleet == nil {
		return Errorf(CodeInvalid, "node sets with test: true need a Choria network; set nats in the configuration")
	}
	silent, err := p.engine.opts.Fleet.Ping(ctx, ask)
	if err != nil {
		return fmt.Errorf("connectivity test: %w", err)
	}
	if len(silent) > 0 {
		return Errorf(CodeFailed, "connectivity test: %d of %d nodes did not answer: %s", len(silent), len(ask), few(silent))
	}
	pad.add(fmt.Sprintf("connectivity test: all %d nodes answered", len(ask)))
	return nil
}

// few names at most ten of a list.
func few(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
