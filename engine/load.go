package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/playbot/playbot/playbooks"
)

// Load reads a run from the engine's log. The result is the caller's.
func (e *Engine) Load(ctx context.Context, id RunID) (*Run, error) {
	return LoadRun(ctx, e.opts.Log, id)
}

// LoadRun folds a run from a log: what there is to say about a run whose engine is elsewhere.
func LoadRun(ctx context.Context, log Log, id RunID) (*Run, error) {
	run := &Run{}
	for ev, err := range log.Read(ctx, id.Stream()) {
		if err != nil {
			return nil, fmt.Errorf("read run %s: %w", id.Short(), err)
		}
		run.Apply(whole(ev))
	}
	if run.ID == "" {
		return nil, Errorf(CodeNotFound, "there is no run %s", id.Short())
	}
	return run, nil
}

// Book returns the version of a playbook that a run uses: from the library, else from the log.
func (e *Engine) Book(ctx context.Context, ref PlaybookRef) (*playbooks.Playbook, error) {
	if book, ok := e.opts.Books.ByDigest(ref.Digest); ok {
		return book, nil
	}
	for ev, err := range e.opts.Log.Read(ctx, PlaybookStream(ref.Digest)) { //nolint:contextcheck // to parse is to look at nothing outside
		if err != nil {
			return nil, fmt.Errorf("read playbook %s: %w", ref.Name, err)
		}
		if kept, ok := ev.Payload.(PlaybookKept); ok {
			return playbooks.Parse(kept.File, kept.Source, e.opts.Types)
		}
	}
	return nil, Errorf(CodeNotFound, "version %s of playbook %s is not kept", ref.Version, ref.Name)
}

// load reads the run and the playbook version that it uses.
func (r *runner) load(ctx context.Context) error {
	run, err := r.run, error(nil) // as [Engine.Resume] has read it
	if run == nil {
		if run, err = r.engine.Load(ctx, r.id); err != nil {
			return err
		}
	}
	if r.engine.leases.hidden(r.id) {
		r.engine.reveal(run)
	}
	r.run, r.written = run, run.Seq
	if !run.Ended.IsZero() { // by another hand, perhaps
		r.engine.leases.free(r.id)
		r.engine.families.end(r.id, run.Requested.Parent)
		r.engine.active.end(r.id)
	}
	r.book, err = r.engine.Book(ctx, run.Requested.Playbook)
	if err != nil && run.Ended.IsZero() {
		return r.endDamaged(ctx, err)
	}
	return r.followParent(ctx)
}

// followParent cancels a run whose parent was stopped when a process died before it could say so.
func (r *runner) followParent(ctx context.Context) error {
	parent := r.run.Requested.Parent
	if parent == nil || r.run.Cancel != nil || r.run.Through || !r.run.Ended.IsZero() {
		return nil
	}
	above, err := r.engine.Load(ctx, parent.Run)
	if err != nil || above.Cancel == nil && above.Ended.IsZero() {
		return err
	}
	by := above.Requested.Actor
	if above.Cancel != nil {
		by = above.Cancel.Actor
	}
	r.record(CancelRequested{Actor: by, Reason: fmt.Sprintf("run %s, which started it, was stopped", parent.Run.Short())})
	return nil
}

// endDamaged ends a run whose playbook can no longer be read, rather than leave it open for ever.
func (r *runner) endDamaged(ctx context.Context, cause error) error {
	r.engine.logger.ErrorContext(ctx, "playbook of a run cannot be read", "run", r.id, "error", cause)
	r.book = &playbooks.Playbook{Name: r.run.Requested.Playbook.Name}
	r.record(RunEnded{Status: RunFailed, Message: fmt.Sprintf(
		"stopped: this version of the playbook cannot be read any more (%v); look at the nodes by hand, locks %v may still be held", cause, r.run.openLocks(),
	)})
	return r.flush(ctx)
}

// whole gives values back the integers that JSON read as floats, so that a resumed run renders "1000000" and not "1e+06".
func whole(ev Event) Event {
	switch p := ev.Payload.(type) {
	case RunRequested:
		p.Inputs = wholeMap(p.Inputs)
		ev.Payload = p
	case Prepared:
		p.Inputs = wholeMap(p.Inputs)
		ev.Payload = p
	case ApprovalAsked:
		p.Sealed = wholeMap(p.Sealed)
		ev.Payload = p
	case AttemptStarted:
		p.Properties = wholeMap(p.Properties)
		ev.Payload = p
	case AttemptEnded:
		p.Result.Data = wholeNumbers(p.Result.Data)
		ev.Payload = p
	default: // the rest holds no values that templates see as numbers
	}
	return ev
}

func wholeMap(m map[string]any) map[string]any {
	for k, v := range m {
		m[k] = wholeNumbers(v)
	}
	return m
}

func wholeNumbers(v any) any {
	switch t := v.(type) {
	case float64:
		if t == math.Trunc(t) && math.Abs(t) < 1<<53 {
			return int(t)
		}
	case []any:
		for i := range t {
			t[i] = wholeNumbers(t[i])
		}
	case map[string]any:
		return wholeMap(t)
	}
	return v
}
