package engine

import (
	"context"
	"maps"
	"slices"
	"time"
)

// retryRead is the pause before the log of a run that could not be read is read once more.
const retryRead = 5 * time.Second

// hide notes that a run has not ended and cannot be read: nobody knows which nodes it has.
func (t *leaseTable) hide(run RunID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unread[run] = time.Now()
}

// reveal notes what a run has that could not be read before, and grants what was waiting for that.
func (t *leaseTable) reveal(by lessee, nodes []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grant(by, nodes)
	delete(t.unread, by.Run)
	t.settle()
}

// hidden reports whether a run cannot be read yet; the empty id is any run.
func (t *leaseTable) hidden(run RunID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.unread[run]
	return ok || run == "" && len(t.unread) > 0
}

// unknown is a run that may have the nodes that somebody asks for; nil when all runs outside of its line are
// known. The caller holds mu.
func (t *leaseTable) unknown(by lessee, nodes []string) *heldNodes {
	if len(t.unread) == 0 || len(nodes) == 0 {
		return nil
	}
	for _, run := range slices.Sorted(maps.Keys(t.unread)) {
		if !by.shares(lessee{Holder: Holder{Run: run}}) {
			return &heldNodes{Nodes: nodes, By: Holder{Run: run, Since: t.unread[run]}, unread: true}
		}
	}
	return nil
}

// reveal notes what a run is and has that could not be read at first.
func (e *Engine) reveal(run *Run) {
	if run.Ended.IsZero() {
		e.families.add(run.ID, run.Requested)
		e.active.add(run.ID, run.Requested)
	}
	e.leases.reveal(run.lessee(run.LeasedAt), run.Leases)
}

// unreadable gives up for now because the run could not be read; it is read again later, unless it is not there.
func (r *runner) unreadable(ctx context.Context, err error) {
	r.engine.logger.ErrorContext(ctx, "run cannot be loaded", "run", r.id, "error", err)
	if CodeOf(err) == CodeNotFound {
		r.engine.leases.reveal(lessee{Holder: Holder{Run: r.id}}, nil) // an empty log reserves nothing
		r.giveUp(err)
		return
	}
	r.refuse(err, time.Now().Add(retryRead), false)
}

// mayLeaveChild reports whether an action would go on beside a run that cannot be read, and that may be a
// child of this one: an attempt that was cut off may have started it.
func (r *runner) mayLeaveChild(a action) bool {
	if !a.goesOn() || !r.engine.leases.hidden("") {
		return false
	}
	for _, s := range r.run.Steps {
		if slices.ContainsFunc(s.Attempts, func(a Attempt) bool { return a.Outcome == nil }) {
			return true
		}
	}
	return false
}
