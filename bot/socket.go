package bot

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of a connection: docs.slack.dev/apis/events-api/using-socket-mode.
const (
	// silence is how long nothing may come before a connection counts as dead. Slack pings more often.
	silence = 30 * time.Second
	// ackWrite is how long writing an ack may take; one that is later than 3 s is of no use.
	ackWrite = 3 * time.Second
	// maxFrame bounds an envelope; the largest view has 250 KB.
	maxFrame = 4 << 20
	// frameBuffer holds the largest ack in one frame: Slack seems not to put split ones together.
	frameBuffer = 32 << 10
)

// frame is an envelope as it came. It is read by us: what a client library cannot decode would never be
// acked.
type frame struct {
	Type       string          `json:"type"`
	EnvelopeID string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
	at         time.Time       // the earliest time at which it can have been sent
}

// age is how old a frame may be.
func (f frame) age() time.Duration {
	if f.at.IsZero() {
		return 0
	}
	return time.Since(f.at)
}

// link is one Socket Mode connection.
type link struct {
	ws      *websocket.Conn
	leaving chan struct{} // closed when Slack says that the connection is about to end
	gone    chan struct{} // closed when nothing more is read

	once sync.Once
	mu   sync.Mutex // guards writing
}

// greeting is what Slack says when a connection is open, or is to end.
type greeting struct {
	Connections int    `json:"num_connections"`
	Reason      string `json:"reason"`
}

// dialer is the configured dialer with what every connection needs.
func (b *Bot) dialer() *websocket.Dialer {
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: silence}
	if b.opts.Dialer != nil {
		d = *b.opts.Dialer
	}
	d.WriteBufferSize = max(d.WriteBufferSize, frameBuffer)
	dial := d.NetDialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	d.NetDialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return timed(c), nil
	}
	return &d
}

// timedConn is a connection that fails when nothing has come for too long, as when the other side is gone
// without a word. A machine that was suspended may miss that, and then reads what was sent long ago: so it
// keeps by the clock on the wall how long nothing was read before the latest bytes.
type timedConn struct {
	net.Conn
	mu   sync.Mutex // guards what follows
	over bool       // nothing more is to be read
	last time.Time
	gap  time.Duration // the last one that was too long
	woke time.Time     // when that ended
}

func timed(c net.Conn) *timedConn { return &timedConn{Conn: c, last: time.Now().Round(0)} }

// Read implements net.Conn.
func (c *timedConn) Read(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Round(0)
	if gap := now.Sub(c.last); gap > 2*silence { // more than a connection can be quiet
		c.gap, c.woke = gap, now
	}
	c.last = now
	return n, err
}

func (c *timedConn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return os.ErrDeadlineExceeded
	}
	return c.SetReadDeadline(time.Now().Add(silence))
}

// stop ends reading, also when another read is just about to begin.
func (c *timedConn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	_ = c.SetReadDeadline(time.Unix(1, 0)) // it may be closed already
}

// stopped reports whether stop was called.
func (c *timedConn) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// caughtUp is how long what was sent meanwhile may take to be read.
const caughtUp = 2 * time.Second

// earliest is when what was read just now can have been sent at the earliest.
func (c *timedConn) earliest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.woke.IsZero() || now.Sub(c.woke) > caughtUp {
		return now
	}
	return c.woke.Add(-c.gap)
}

// below is the connection that was dialled, under whatever encrypts it.
func below(c net.Conn) *timedConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	w, _ := c.(*timedConn)
	return w
}

// dial opens a connection.
func (b *Bot) dial(ctx context.Context) (*link, error) {
	_, address, err := b.api.StartSocketModeContext(ctx)
	if err != nil {
		return nil, err
	}
	ws, resp, err := b.dialer().DialContext(ctx, address, http.Header{"Origin": []string{"https://api.slack.com"}})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // there is nothing in it that we need
	}
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("open the socket: %w (%s)", err, resp.Status)
		}
		return nil, fmt.Errorf("open the socket: %w", err)
	}
	ws.SetReadLimit(maxFrame)
	return &link{ws: ws, leaving: make(chan struct{}), gone: make(chan struct{})}, nil
}

// read hands every envelope to take until the connection ends, and says why it did.
func (l *link) read(take func(frame), hear func(kind string, g greeting)) error {
	defer close(l.gone)
	for {
		_, raw, err := l.ws.ReadMessage()
		if err != nil {
			return err
		}
		f := frame{at: time.Now()}
		if w := below(l.ws.NetConn()); w != nil {
			f.at = w.earliest()
		}
		if err := json.Unmarshal(raw, &f); err != nil && f.EnvelopeID == "" {
			hear("unreadable", greeting{Reason: err.Error()})
			continue
		}
		switch f.Type {
		case "hello", "disconnect":
			var g greeting
			if err := json.Unmarshal(raw, &g); err != nil {
				g.Reason = err.Error()
			}
			if hear(f.Type, g); f.Type == "disconnect" {
				l.once.Do(func() { close(l.leaving) })
			}
		default:
			if f.EnvelopeID != "" {
				take(f)
			}
		}
	}
}

// errGone says that an ack cannot be sent because its connection has ended.
var errGone = errors.New("the connection has ended")

// ack acknowledges an envelope.
func (l *link) ack(id string, payload any) error {
	if l.over() {
		return errGone
	}
	raw, err := json.Marshal(struct {
		EnvelopeID string `json:"envelope_id"`
		Payload    any    `json:"payload,omitempty"`
	}{id, payload})
	if err != nil {
		return fmt.Errorf("encode the ack: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ws.SetWriteDeadline(time.Now().Add(ackWrite)); err != nil {
		return err
	}
	return l.ws.WriteMessage(websocket.TextMessage, raw)
}

// over reports whether the connection has ended. One that we only stopped reading still takes acks.
func (l *link) over() bool {
	select {
	case <-l.gone:
		w := below(l.ws.NetConn())
		return w == nil || !w.stopped()
	default:
		return false
	}
}

// stopReading ends read; acks can still be sent.
func (l *link) stopReading() {
	if w := below(l.ws.NetConn()); w != nil {
		w.stop()
	}
}

// close says goodbye, so that Slack does not count the connection any longer, and ends it.
func (l *link) close() {
	farewell := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = l.ws.WriteControl(websocket.CloseMessage, farewell, time.Now().Add(time.Second)) // it may be dead already
	_ = l.ws.Close()
}
