package engine

import (
	"context"
	"errors"
	"time"
)

// retryLock is the pause before a lock that could not be taken again is tried once more.
const retryLock = time.Second

// mustRelock reports whether the run goes on after a restart with locks that this process has not
// taken: some stores forget them with the process. Taking what the run holds already succeeds at once.
func (r *runner) mustRelock() bool {
	return r.run.Prepared != nil && len(r.run.heldLocks()) > 0 &&
		r.run.Ended.IsZero() && r.run.Cancel == nil && !r.session.holdsLocks()
}

// heldLocks are the locks that the log says the run holds, its own and those of its tasks.
func (r *Run) heldLocks() []string {
	var held []string
	if r.LocksTaken && !r.LocksReleased {
		held = append(held, r.Locks...)
	}
	for _, p := range r.Order {
		if s := r.Steps[p]; s.LockState == LocksHeld {
			held = append(held, s.Locks...)
		}
	}
	return held
}

// openLocks are the locks that the run and its tasks have asked for and not given back, held or not.
func (r *Run) openLocks() []string {
	var open []string
	if !r.LocksReleased {
		open = append(open, r.Locks...)
	}
	for _, p := range r.Order {
		if s := r.Steps[p]; s.LockState == LocksAsked || s.LockState == LocksHeld {
			open = append(open, s.Locks...)
		}
	}
	return open
}

// relock takes the locks of the run again, and waits for them as long as it takes: another run may
// have been faster, and this one must not go on beside it. It gives up only when ctx ends.
func (p *performer) relock(ctx context.Context) {
	for _, name := range p.run.heldLocks() {
		for err := p.lockOne(ctx, name, nil); err != nil; err = p.lockOne(ctx, name, nil) {
			if errors.Is(err, errStopping) {
				return
			}
			p.engine.logger.WarnContext(ctx, "lock cannot be taken again", "run", p.run.ID, "lock", name, "error", p.redact().text(err.Error()))
			select {
			case <-time.After(retryLock):
			case <-ctx.Done():
				return
			}
		}
	}
	p.session.keepLocks()
}

// keepLocks notes that this process holds the locks of the run.
func (s *session) keepLocks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked = true
}

func (s *session) holdsLocks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked
}
