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
	prepared := r.run.Prepared != nil && r.run.LocksTaken && !r.run.LocksReleased && len(r.run.Locks) > 0
	return prepared && r.run.Ended.IsZero() && r.run.Cancel == nil && !r.engine.session(r.id, r.book).holdsLocks()
}

// relock takes the locks of the run again, and waits for them as long as it takes: another run may
// have been faster, and this one must not go on beside it. It gives up only when ctx ends.
func (p *performer) relock(ctx context.Context) {
	for _, name := range p.run.Locks {
		for err := p.lockOne(ctx, name, nil); err != nil; err = p.lockOne(ctx, name, nil) {
			if errors.Is(err, errStopping) {
				return
			}
			p.engine.logger.WarnContext(ctx, "lock cannot be taken again", "run", p.run.ID, "lock", name, "error", err)
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
