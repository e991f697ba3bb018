package workspace

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Socket Mode: docs.slack.dev/apis/events-api/using-socket-mode.
const (
	ackTimeout   = 3 * time.Second  // a click or command that is not acked by then is lost
	pingInterval = 10 * time.Second // clients give up after 30 s without a ping
	maxAck       = 20 << 10         // Slack drops acks of this size and more
	maxConns     = 10
	writeTimeout = 5 * time.Second
	farewell     = 10 * time.Second // from a disconnect envelope to the end of the connection
)

var (
	errNoConnection = errors.New("dispatch_failed: the app is not connected")
	errNotAcked     = errors.New("operation_timeout: the app did not answer within 3 seconds")
)

// conn is one open socket of an app.
type conn struct {
	ws *websocket.Conn

	mu     sync.Mutex // guards writes, and what follows
	acks   map[string]chan json.RawMessage
	frozen bool // nothing goes through, and nobody is told
	done   chan struct{}
	once   sync.Once
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.ws.Close() // it may be closed already
	})
}

func (c *conn) write(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.send(v)
}

// send writes. The caller holds the lock of the connection.
func (c *conn) send(v any) error {
	if c.frozen {
		return nil
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)) // WriteJSON reports it
	return c.ws.WriteJSON(v)
}

// expect waits for the ack of an envelope; nil gives up on it.
func (c *conn) expect(id string, wait chan json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait == nil {
		delete(c.acks, id)
		return
	}
	c.acks[id] = wait
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	ticket := r.PathValue("ticket")
	ok := s.tickets[ticket] && len(s.conns) < maxConns && !s.stopped
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !ok {
		http.Error(w, "link_disabled", http.StatusForbidden)
		return
	}
	// Slack's clients send an Origin of their own; the ticket is what counts here.
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s.greet(&conn{ws: ws, acks: map[string]chan json.RawMessage{}, done: make(chan struct{})})
}

// greet counts a connection and says hello. It holds the lock of the connection meanwhile, so that
// no envelope overtakes the hello; nothing is written while the lock of the server is held, since a
// client that does not read would stop everything.
func (s *Server) greet(c *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.mu.Lock()
	hello := map[string]any{
		"type": "hello", "num_connections": len(s.conns) + 1, "connection_info": map[string]any{"app_id": s.opts.AppID},
		"debug_info": map[string]any{"host": "local", "build_number": 1, "approximate_connection_time": 18060},
	}
	open := !s.stopped
	if open {
		s.conns = append(s.conns, c)
		s.tasks.Go(func() { s.pings(c) })
		s.tasks.Go(func() { s.read(c) })
		s.wake()
	}
	s.mu.Unlock()
	if !open || c.send(hello) != nil {
		c.close() // read forgets it
	}
}

func (s *Server) pings(c *conn) {
	t := time.NewTicker(pingInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			c.mu.Lock()
			var err error
			if !c.frozen {
				err = c.ws.WriteControl(websocket.PingMessage, []byte("Ping from local workspace"), time.Now().Add(writeTimeout))
			}
			c.mu.Unlock()
			if err != nil {
				c.close()
				return
			}
		case <-c.done:
			return
		}
	}
}

// read takes acks until the connection ends.
func (s *Server) read(c *conn) {
	defer s.forget(c)
	for {
		_, raw, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(raw, &ack) != nil || ack.EnvelopeID == "" || c.isFrozen() {
			continue
		}
		if !s.accepts(len(raw), ack.Payload) {
			continue
		}
		c.mu.Lock()
		wait := c.acks[ack.EnvelopeID]
		delete(c.acks, ack.EnvelopeID)
		c.mu.Unlock()
		if wait != nil {
			wait <- ack.Payload
		}
	}
}

// accepts notes an ack, and says whether it counts.
func (s *Server) accepts(size int, payload json.RawMessage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	problem := ""
	switch {
	case s.ackFault > 0:
		s.ackFault--
		problem = "fault"
	case size >= maxAck:
		problem = "ack_too_large"
		s.violate("ack", problem, nil)
	}
	s.note("ack", string(payload), problem)
	return problem == ""
}

func (s *Server) forget(c *conn) {
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retire(c)
}

// retire sends no more envelopes to a connection. The caller holds the lock.
func (s *Server) retire(c *conn) {
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	s.wake()
}

// Connected reports how many sockets are open.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}
