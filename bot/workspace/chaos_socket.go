package workspace

import (
	"context"
	"encoding/json"
	"maps"
	"time"
)

// oldest is the connection that has been open for longest; nil when none is.
func (s *Server) oldest() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if !c.isFrozen() {
			return c
		}
	}
	return nil
}

// CutSocket ends the oldest connection without a word. With midFrame, it ends inside a message.
func (s *Server) CutSocket(midFrame bool) {
	c := s.oldest()
	if c == nil {
		return
	}
	s.mu.Lock()
	s.retire(c)
	s.mu.Unlock()
	if midFrame {
		c.mu.Lock()
		raw := c.ws.NetConn()
		_ = raw.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, _ = raw.Write([]byte{0x81, 126, 0x10, 0x00, '{', '"', 't', 'y'}) // a text of 4,096 bytes, of which four come
		c.mu.Unlock()
	}
	c.close()
}

// ReplaceSocket tells the oldest connection to come back, as Slack does every few hours. It gets no more
// envelopes and ends ten seconds later.
func (s *Server) ReplaceSocket(reason string) {
	c := s.oldest()
	if c == nil {
		return
	}
	s.mu.Lock()
	s.retire(c)
	s.tasks.Go(func() { s.end(c) })
	s.mu.Unlock()
	_ = c.write(map[string]any{"type": "disconnect", "reason": reason}) // a broken connection has no need of it
}

// FreezeSocket makes the oldest connection half open, as a router does that forgets it: nothing goes
// through any more, and neither side is told.
func (s *Server) FreezeSocket() {
	if c := s.oldest(); c != nil {
		c.mu.Lock()
		c.frozen = true
		c.mu.Unlock()
	}
}

// Thaw lets everything through again, to those that are still there.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.mu.Lock()
		c.frozen = false
		c.mu.Unlock()
	}
}

// Frozen reports how many connections are half open.
func (s *Server) Frozen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.conns {
		if c.isFrozen() {
			n++
		}
	}
	return n
}

func (c *conn) isFrozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}

// HoldEnvelopes makes each of the next n envelopes arrive so much later. Whoever waits for the ack gives
// up before that.
func (s *Server) HoldEnvelopes(d time.Duration, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdFault, s.holdFor = n, d
}

// held reports whether an envelope is to come later, and sees to that.
func (s *Server) held(env map[string]any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holdFault == 0 || s.stopped {
		return false
	}
	s.holdFault--
	wait := s.holdFor
	s.tasks.Go(func() {
		if c := s.pickAfter(wait); c != nil {
			_ = c.write(env) // late, and lost if the connection is
		}
	})
	return true
}

func (s *Server) pickAfter(wait time.Duration) *conn {
	if !s.pause(wait) {
		return nil
	}
	return s.pick()
}

// CopyEnvelopes sends a copy of each of the next n envelopes over another connection, when there is one,
// and in an envelope of its own.
func (s *Server) CopyEnvelopes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copyFault = n
}

// copied sends the copy of an envelope that went over a connection.
func (s *Server) copied(env map[string]any, over *conn) {
	s.mu.Lock()
	due := s.copyFault > 0
	if due {
		s.copyFault--
	}
	s.mu.Unlock()
	if !due {
		return
	}
	c := s.pick()
	if c == over || c == nil {
		c = s.pick()
	}
	if c == nil {
		return
	}
	twin := maps.Clone(env)
	twin["envelope_id"] = secret()
	raw, _ := json.Marshal(twin)
	s.mu.Lock()
	s.note("envelope", string(raw), "")
	s.mu.Unlock()
	_ = c.write(twin) // the first one counts
}

// Deliver sends an envelope of any kind and content, and returns what came with its ack.
func (s *Server) Deliver(ctx context.Context, kind string, payload map[string]any) (json.RawMessage, error) {
	return s.deliver(ctx, kind, payload, kind == "slash_commands", nil)
}
