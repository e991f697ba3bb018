package bot

import (
	"context"
	"sync"
	"time"
)

// How long, and how many, requests are remembered. Slack sends events again for six minutes; a day also
// covers what it may repeat after an outage. What starts a run is remembered by the store too.
const (
	seenLife   = 24 * time.Hour
	answerLife = 10 * time.Minute
	maxSeen    = 100_000
)

// seen remembers requests by their own identity, which is that of the click, command or event and not
// that of its envelope: Slack may deliver one twice, in other envelopes and over other connections.
type seen struct {
	mu    sync.Mutex // guards what follows
	byKey map[string]*request
	order []*request // by time
	kept  int        // how many of the first have no answer any more
}

// request is one that was taken. The first copy is handled, the others get the same answer.
type request struct {
	key  string
	at   time.Time
	done chan struct{} // closed when the first copy has been handled

	mu     sync.Mutex // guards what follows
	acked  bool
	answer any
}

func newSeen() *seen { return &seen{byKey: map[string]*request{}} }

// begin returns the request with a key, and whether it was there before. Whoever is the first must end it.
func (s *seen) begin(key string) (r *request, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.expire(now)
	if r = s.byKey[key]; r != nil {
		return r, true
	}
	r = &request{key: key, at: now, done: make(chan struct{})}
	s.byKey[key] = r
	s.order = append(s.order, r)
	return r, false
}

// expire forgets what is old. The caller holds the lock.
func (s *seen) expire(now time.Time) {
	for len(s.order) > 0 && (now.Sub(s.order[0].at) > seenLife || len(s.order) >= maxSeen) {
		if first := s.order[0]; s.byKey[first.key] == first { // not one that was forgotten and came again
			delete(s.byKey, first.key)
		}
		s.order[0], s.order = nil, s.order[1:]
		s.kept = max(s.kept-1, 0)
	}
	for s.kept < len(s.order) && now.Sub(s.order[s.kept].at) > answerLife {
		s.order[s.kept].drop()
		s.kept++
	}
}

// forget lets a request come again.
func (s *seen) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// keep returns an ack that copies of the request can repeat.
func (r *request) keep(ack func(any)) func(any) {
	return func(payload any) {
		r.mu.Lock()
		r.acked, r.answer = true, payload
		r.mu.Unlock()
		ack(payload)
	}
}

func (r *request) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = nil
}

func (r *request) end() { close(r.done) }

// repeat acknowledges a copy as the first one was, once that is handled: until then nothing is on disk.
// One that was dropped is not acknowledged, so that Slack sends it again.
func (r *request) repeat(ctx context.Context, ack func(any)) {
	select {
	case <-r.done:
	case <-ctx.Done():
		return
	}
	r.mu.Lock()
	acked, answer := r.acked, r.answer
	r.mu.Unlock()
	if acked {
		ack(answer)
	}
}
