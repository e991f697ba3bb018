package engine

// Waiters is how many callers of Wait the engine knows.
func (e *Engine) Waiters() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, w := range e.waiters {
		n += len(w)
	}
	return n
}

// Working is how many runs have a goroutine.
func (e *Engine) Working() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.runners)
}
