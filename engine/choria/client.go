package choria

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

const connectTimeout = 5 * time.Second

// ErrNotSent says that nothing left this machine.
var ErrNotSent = errors.New("nothing was sent")

// Client calls a Choria network. Safe for concurrent use; every call shares one connection.
type Client struct {
	opts   Options
	conn   *nats.Conn
	sub    *nats.Subscription
	signer wire.Signer
	caller string
	reach  *reach

	mu      sync.Mutex // guards what follows
	calls   map[string]*inbox
	waiting int // bytes in all inboxes
	late    int
}

// Connect opens the connection and keeps it open. An error says what to look at.
func Connect(ctx context.Context, o Options) (*Client, error) {
	o = o.withDefaults()
	signer, extra, err := o.security()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reach{logger: o.Logger}
	conn, err := nats.Connect(strings.Join(o.Servers, ","), o.natsOptions(extra, r)...)
	if err != nil {
		return nil, o.connectError(err)
	}
	c := &Client{opts: o, conn: conn, signer: signer, caller: "choria=" + o.Identity, reach: r, calls: make(map[string]*inbox)}
	c.sub, err = conn.Subscribe(wire.ReplySubject(o.Collective, c.caller, "*"), c.route)
	if err == nil {
		err = c.sub.SetPendingLimits(pendingReplies, pendingBytes)
	}
	if err != nil {
		conn.Close()
		return nil, o.connectError(err)
	}
	return c, nil
}

// Close ends the connection. It may be called twice.
func (c *Client) Close() { c.conn.Close() }

// Connected reports whether the network is in reach at this moment.
func (c *Client) Connected() bool { return c.conn.IsConnected() }

// awaitConnection waits until the network is in reach, at most as long as a call may take.
func (c *Client) awaitConnection(ctx context.Context) error {
	const look = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	for !c.conn.IsConnected() {
		if c.conn.IsClosed() {
			return fmt.Errorf("%w: the connection is closed", ErrNotSent)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the Choria network at %s is out of reach (%w); is the broker running, and is nats.servers right?",
				ErrNotSent, strings.Join(c.opts.Servers, ", "), c.reach.reason())
		case <-time.After(look):
		}
	}
	return nil
}

// Discover asks every server with the filter's agents which of them match, and returns their names,
// sorted and each once. It ends when nobody has answered for the window, or after the upper bound.
func (c *Client) Discover(ctx context.Context, f Filter) ([]string, error) {
	if err := c.awaitConnection(ctx); err != nil {
		return nil, err
	}
	id := newRequestID()
	box := c.open(id, discoveryBuffer)
	defer c.close(id)
	w, err := f.wire()
	if err != nil {
		return nil, err
	}
	agent := "discovery"
	msg, err := wire.EncodeRequest(c.request(id, agent, base64.StdEncoding.EncodeToString([]byte("ping")), w), c.signer)
	if err != nil {
		return nil, err
	}
	if err := c.conn.Publish(wire.BroadcastSubject(c.opts.Collective, agent), msg); err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	return c.gather(ctx, id, box)
}

// discoveryBuffer is how many answers to a discovery may wait to be looked at.
const discoveryBuffer = 1 << 16

func (c *Client) gather(ctx context.Context, id string, box *inbox) ([]string, error) {
	found := make(map[string]bool)
	end := time.NewTimer(c.opts.MaxWait)
	defer end.Stop()
	quiet := time.NewTimer(c.opts.Window)
	defer quiet.Stop()
	var decoder wire.Decoder
	for {
		select {
		case data := <-box.replies:
			c.taken(data)
			if r, err := decoder.Reply(data); err == nil && r.ID == id {
				found[r.Sender] = true
			}
			quiet.Reset(c.opts.Window)
		case <-quiet.C:
			return sorted(found), nil
		case <-end.C:
			return sorted(found), nil
		case <-ctx.Done():
			return nil, fmt.Errorf("discover: %w", context.Cause(ctx))
		}
	}
}

func (c *Client) request(id, agent, payload string, f wire.Filter) wire.Request {
	return wire.Request{
		ID: id, Sender: c.opts.Identity, Caller: c.caller, Collective: c.opts.Collective, Agent: agent,
		Time: time.Now(), Filter: f, Payload: payload, ReplyTo: wire.ReplySubject(c.opts.Collective, c.caller, id),
	}
}

// newRequestID returns 32 random hexadecimal digits.
func newRequestID() string {
	id := uuid.New()
	return hex.EncodeToString(id[:])
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
