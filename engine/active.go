package engine

import (
	"sync"

	"github.com/playbot/playbot/engine/policy"
)

// activeRuns counts the runs of each person that have not ended. A run that a task has started belongs to that
// task's run and does not count. Safe for concurrent use.
type activeRuns struct {
	mu   sync.Mutex // guards what follows
	of   map[RunID]policy.Subject
	runs map[policy.Subject]int // and those that are being asked for
}

func newActiveRuns() *activeRuns {
	return &activeRuns{of: make(map[RunID]policy.Subject), runs: make(map[policy.Subject]int)}
}

// hold counts a run that is being asked for, and says how many there were before it. It counts until release
// is called: two requests at once cannot both be the last one that is allowed.
func (a *activeRuns) hold(who policy.Subject) (before int, release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before = a.runs[who]
	a.runs[who]++
	return before, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.less(who)
	}
}

// add notes a run that has not ended.
func (a *activeRuns) add(id RunID, request RunRequested) {
	if request.Parent != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.of[id]; !known {
		a.of[id] = subject(request.Actor)
		a.runs[subject(request.Actor)]++
	}
}

// end notes that a run has ended.
func (a *activeRuns) end(id RunID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if who, known := a.of[id]; known {
		delete(a.of, id)
		a.less(who)
	}
}

func (a *activeRuns) less(who policy.Subject) {
	if a.runs[who]--; a.runs[who] <= 0 {
		delete(a.runs, who)
	}
}

func (a *activeRuns) count(who policy.Subject) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[who]
}
