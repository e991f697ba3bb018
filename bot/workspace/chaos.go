package workspace

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// fault is what the next call of a method meets.
type fault struct {
	method string
	status int
	body   string
	retry  int // seconds, of a 429
	after  bool
	left   int
}

func (f *fault) answer(w http.ResponseWriter) {
	if f.retry > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(f.retry))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

// takeFault uses up a fault of a method. The caller holds the lock.
func (s *Server) takeFault(method string) *fault {
	for i, f := range s.faults {
		if f.method != method {
			continue
		}
		if f.left--; f.left == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

func (s *Server) addFault(f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// FailNext makes the next n calls of a method answer with an error of the Web API.
func (s *Server) FailNext(method, name string, n int) {
	s.addFault(&fault{method: method, status: http.StatusOK, body: fmt.Sprintf(`{"ok":false,"error":%q}`, name), left: n})
}

// BreakNext makes the next n calls of a method answer 500. With stored, the call is carried out all
// the same, as happens when Slack answers too late.
func (s *Server) BreakNext(method string, stored bool, n int) {
	s.addFault(&fault{method: method, status: http.StatusInternalServerError, body: "upstream", after: stored, left: n})
}

// RateLimitNext makes the next n calls of a method answer 429.
func (s *Server) RateLimitNext(method string, seconds, n int) {
	s.addFault(&fault{
		method: method, status: http.StatusTooManyRequests, body: `{"ok":false,"error":"ratelimited"}`, retry: seconds, left: n,
	})
}

// DropEnvelopes loses the next n envelopes on their way to the app.
func (s *Server) DropEnvelopes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropFault = n
}

// DoubleEnvelopes sends each of the next n envelopes twice.
func (s *Server) DoubleEnvelopes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dupFault = n
}

// RefuseAcks ignores the next n acks.
func (s *Server) RefuseAcks(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ackFault = n
}

// Disconnect tells every connection to come back, for a reason such as "refresh_requested" or
// "link_disabled". A connection that has been told gets no more envelopes, except after "warning",
// and ends ten seconds later at the latest.
func (s *Server) Disconnect(reason string) {
	s.mu.Lock()
	conns := slices.Clone(s.conns)
	for _, c := range conns {
		if reason != "warning" {
			s.retire(c)
		}
		s.tasks.Go(func() { s.end(c) })
	}
	s.mu.Unlock()
	for _, c := range conns {
		_ = c.write(map[string]any{ // a broken connection has no need of it
			"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "local"},
		})
	}
}

// end closes a connection that was told to come back, if its app does not.
func (s *Server) end(c *conn) {
	t := time.NewTimer(farewell)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.done:
	case <-s.stop:
	}
	c.close()
}

// CutSockets ends every connection without a word.
func (s *Server) CutSockets() {
	s.mu.Lock()
	conns := slices.Clone(s.conns)
	for _, c := range conns {
		s.retire(c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
}

// DeleteMessage removes a message, as a person can.
func (s *Server) DeleteMessage(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channel(channel); ch != nil {
		if m := s.find(ch.ID, ts); m != nil {
			m.Deleted = true
			s.notify(change{Kind: "message", Channel: ch.ID, TS: ts, ThreadTS: m.ThreadTS})
		}
	}
}

// ArchiveChannel archives a channel.
func (s *Server) ArchiveChannel(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channel(channel); ch != nil {
		ch.Archived = true
		s.notify(change{Kind: "channel", Channel: ch.ID})
	}
}

// SetMembers makes these people, by id, the members of a channel, and nobody else.
func (s *Server) SetMembers(channel string, people ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channel(channel); ch != nil {
		ch.Members = slices.Clone(people)
		s.notify(change{Kind: "channel", Channel: ch.ID})
	}
}

// Heal takes back every fault that is still to come.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.ackFault, s.dropFault, s.dupFault, s.copyFault, s.holdFault = nil, 0, 0, 0, 0, 0
}
