package engine

import "time"

// Progress is how far an attempt on nodes has come, for people who watch. It is in memory only: nothing is
// decided by it, and a restart forgets it.
type Progress struct {
	Path    Path
	Attempt int
	Of      int // nodes of the task
	OK      int // that answered, and are ok; those of an earlier try included
	Failed  int // that answered, and are not
	Silent  int // whose time was up
	// Batch is the batch that is being asked, of so many; both are 0 for a task without batches.
	Batch, Batches int
	Began          time.Time // the asking; by default the attempt
	BatchBegan     time.Time
}

// Done is how many nodes are accounted for.
func (p Progress) Done() int { return p.OK + p.Failed + p.Silent }

// leastBatches is from how many batches on the time of the others is more than a guess.
const leastBatches = 3

// Rest is how long the rest may take, going by the batches that are over; false while they say too little,
// and for a task without batches, which waits for its slowest node.
func (p Progress) Rest(now time.Time) (time.Duration, bool) {
	over := p.Batch - 1
	if over < leastBatches || p.Batches < p.Batch {
		return 0, false
	}
	each := p.BatchBegan.Sub(p.Began) / time.Duration(over)
	rest := each*time.Duration(p.Batches-over) - now.Sub(p.BatchBegan)
	return rest, rest > 0
}

// Tell says how far the task has come. It may be called concurrently, and as often as something changes.
func (c *Call) Tell(p Progress) {
	if c.progress != nil {
		p.Path, p.Attempt = c.Path, c.Attempt
		if p.Began.IsZero() {
			p.Began = c.Started
		}
		c.progress(p)
	}
}

// Progress is how far the latest attempt of a run that this process has begun has come, as far as its task
// tells. That it has ended is for the log to say.
func (e *Engine) Progress(id RunID) (Progress, bool) {
	e.mu.Lock()
	s := e.sessions[id]
	e.mu.Unlock()
	if s == nil {
		return Progress{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.progress == nil {
		return Progress{}, false
	}
	return *s.progress, true
}

func (s *session) tell(p *Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = p
}
