package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// maxDepth is how deep playbooks may start playbooks.
const maxDepth = 8

// call is what a task, node source or data store gets of its run.
func (p *performer) call(ctx context.Context, s AttemptStarted, first time.Time, notes *notebook) *Call {
	scope := p.scope()
	place, _ := p.run.Place()
	c := &Call{
		Run: RunInfo{
			ID: p.run.ID, Actor: p.run.Requested.Actor, Approvers: p.run.Approvers(),
			Playbook: p.run.Requested.Playbook, Requested: p.run.At, Place: place,
		},
		Path: s.Path, Attempt: s.Attempt, Key: s.Key, Started: first, Note: notes.add,
		Mask: func(text string) string { return p.redact().text(text) },
		Child: func(ctx context.Context, name string, inputs map[string]any) (*Run, error) {
			return p.child(ctx, s, name, inputs)
		},
	}
	p.session.tell(nil) // an attempt before this one told that
	c.progress = func(now Progress) { p.session.tell(&now) }
	if step := p.run.Steps[s.Path]; step != nil {
		c.Describe = step.Description
	}
	c.Store = func(name string) (DataStore, error) {
		return p.store(ctx, name)
	}
	c.Inputs = func(ctx context.Context) (map[string]any, error) {
		out := make(map[string]any)
		for _, in := range p.book.Inputs {
			v, err := scope.Input(ctx, in.Name)
			if err != nil {
				continue // an input without a value is not there; a template that needs it says so
			}
			out[in.Name] = v
		}
		return out, nil
	}
	return c
}

// child starts the run of a playbook task, or joins it when the attempt goes again, and waits for its end.
func (p *performer) child(ctx context.Context, s AttemptStarted, name string, inputs map[string]any) (*Run, error) {
	parent := &Parent{Run: p.run.ID, Path: s.Path, Depth: 1, Locks: p.run.heldLocks()}
	if above := p.run.Requested.Parent; above != nil {
		parent.Depth = above.Depth + 1
		parent.Above = append(slices.Clone(above.Above), above.Run)
		parent.Locks = slices.Concat(above.Locks, parent.Locks)
	}
	if parent.Depth > maxDepth {
		return nil, Errorf(CodeInvalid, "playbooks start each other more than %d deep; look for a cycle", maxDepth)
	}
	if err := p.mayHandOn(name, inputs); err != nil {
		return nil, err
	}
	id, err := p.engine.startChild(ctx, StartRequest{
		Key: childKey(s.Key), Actor: p.run.Requested.Actor, Origin: OriginPlaybook, Playbook: name, Inputs: inputs,
		around: p.session.vault.known(),
	}, parent)
	if err != nil {
		return nil, err
	}
	run, err := p.engine.Wait(ctx, id)
	if err != nil && ctx.Err() != nil && !errors.Is(context.Cause(ctx), errStopping) {
		run, err = p.endChild(context.WithoutCancel(ctx), id, context.Cause(ctx))
	}
	if run == nil {
		run = &Run{ID: id}
	}
	return run, err
}

// mayHandOn is an error when a secret of this run would become something else in the run of another
// playbook, which writes that down, or something else a secret there, which this run has written down.
func (p *performer) mayHandOn(name string, inputs map[string]any) error {
	book, err := p.engine.opts.Books.Get(name)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		in, _ := book.Input(key)
		switch hidden := p.redact().hides(p.engine.redact.value(inputs[key])); {
		case hidden && !in.Secret():
			return Errorf(CodeInvalid, "%s was not started: its input %q would be given a secret, and writes down what it is given; declare it there with type: Secret", name, key)
		case !hidden && in.Secret():
			return Errorf(CodeInvalid, "%s was not started: its input %q is a secret, and what it would be given is none; declare an input with type: Secret here, and hand that on", name, key)
		}
	}
	return nil
}

// endChild cancels a child whose task is over, and waits for its end: it works under the locks of
// this run, and a further try would start a second one beside it.
func (p *performer) endChild(ctx context.Context, id RunID, cause error) (*Run, error) {
	reason := fmt.Sprintf("the task of run %s that started it was stopped: %v", p.run.ID.Short(), cause)
	if err := p.engine.cancel(ctx, id, p.run.Requested.Actor, reason); err != nil && CodeOf(err) != CodeConflict {
		return nil, err
	}
	run, err := p.engine.Wait(ctx, id)
	if err != nil {
		return run, err
	}
	return run, cause
}
