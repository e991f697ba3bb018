package engine

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// restore reads the runs that have not ended, and notes which nodes they have and which of them are children of
// others, before any of them goes on: a crash gives nothing back. A run that cannot be read is nil.
func (e *Engine) restore(ctx context.Context, ids []RunID) []*Run {
	runs := make([]*Run, len(ids))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(ids)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(ids); i = int(next.Add(1)) - 1 {
				run, err := e.Load(ctx, ids[i])
				if err != nil {
					e.logger.ErrorContext(ctx, "run cannot be read; nobody gets nodes until it can be", "run", ids[i], "error", err)
					if CodeOf(err) != CodeNotFound { // an empty log reserves nothing
						e.leases.hide(ids[i])
					}
					continue
				}
				e.leases.restore(run.lessee(run.LeasedAt), run.Leases)
				e.families.add(run.ID, run.Requested)
				e.active.add(run.ID, run.Requested)
				runs[i] = run
			}
		})
	}
	wg.Wait()
	return runs
}

// take starts the goroutines of runs, each with the run as it was read, or lets it read the run itself. None does
// anything that another can see before all are there: one that joins a child must find its goroutine, and not
// start a second one.
func (e *Engine) take(ids []RunID, runs []*Run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, id := range ids {
		if e.runners[id] != nil || e.stopping {
			continue
		}
		r := &runner{engine: e, id: id, inbox: make(chan mail, inboxSize), run: runs[i]}
		e.runners[id] = r
		e.wg.Go(r.loop)
	}
}
