package choria

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

const connectTimeout = 5 * time.Second

// ErrNotSent says that nothing left this machine.
var ErrNotSent = errors.New("nothing was sent")

// Client calls a Choria network. Safe for concurrent use; every call shares one connection.
type Client struct {
	opts     Options
	conn     *nats.Conn
	sub      *nats.Subscription
	security security
	reach    *reach

	mu      sync.Mutex // guards what follows
	calls   map[string]*inbox
	waiting int // bytes in all inboxes
	late    int
}

// Connect opens the connection and keeps it open. An error says what to look at.
func Connect(ctx context.Context, o Options) (*Client, error) {
	o = o.withDefaults()
	sec, err := o.security()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reach{logger: o.Logger}
	conn, err := nats.Connect(strings.Join(o.Servers, ","), o.natsOptions(sec.options, r)...)
	if err != nil {
		return nil, o.connectError(err)
	}
	c := &Client{opts: o, conn: conn, security: sec, reach: r, calls: make(map[string]*inbox)}
	c.sub, err = conn.Subscribe(wire.ReplySubject(o.Collective, sec.callers.Own, "*"), c.route)
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
func (c *Client) Close() {
	c.conn.Close()
	if c.security.end != nil {
		c.security.end()
	}
}

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
	id, err := requestID("", "", nil)
	if err != nil {
		return nil, err
	}
	box := c.open(id, discoveryBuffer)
	defer c.close(id)
	w, err := f.wire()
	if err != nil {
		return nil, err
	}
	agent := "discovery"
	ask := c.request(id, c.security.callers.Own, agent, base64.StdEncoding.EncodeToString([]byte("ping")), w)
	msg, err := wire.Encode(ctx, c.security.version, ask, c.security.sealer)
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
	end := time.NewTimer(c.opts.MaxWait)
	defer end.Stop()
	quiet := time.NewTimer(c.opts.Window)
	defer quiet.Stop()
	roll := rollCall{client: c, id: id, decoder: c.decoder(), found: make(map[string]bool)}
	for {
		select {
		case data := <-box.replies:
			roll.hear(data)
			quiet.Reset(c.opts.Window)
		case <-quiet.C:
			return roll.end(box)
		case <-end.C:
			return roll.end(box)
		case <-ctx.Done():
			return nil, fmt.Errorf("discover: %w", context.Cause(ctx))
		}
	}
}

// decoder reads replies to this client's requests.
func (c *Client) decoder() wire.Decoder {
	return wire.Decoder{Version: c.security.version, Senders: c.security.senders}
}

// request is asked in the name of caller. The replies come to our own subject, whoever that is: nobody may listen
// to another's.
func (c *Client) request(id, caller, agent, payload string, f wire.Filter) wire.Request {
	return wire.Request{
		ID: id, Sender: c.opts.Identity, Caller: caller, Collective: c.opts.Collective, Agent: agent,
		Time: time.Now(), Filter: f, Payload: payload, ReplyTo: wire.ReplySubject(c.opts.Collective, c.security.callers.Own, id),
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
