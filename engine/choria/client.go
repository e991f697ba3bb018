package choria

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
	memory   *memory

	stragglers chan straggler

	stop    context.CancelFunc // of the goroutines that look for brokers and at who was late
	keeping sync.WaitGroup

	waiting atomic.Int64 // bytes in all inboxes; only route adds to them

	mu    sync.Mutex // guards what follows
	calls map[string]*inbox
	late  int
}

// Connect opens the connection and keeps it open. An error says what to look at.
func Connect(ctx context.Context, o Options) (*Client, error) {
	o = o.withDefaults()
	sec, err := o.security()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(append(o.CheckWay(), ctx.Err())...); err != nil {
		return nil, err
	}
	finder, err := o.find(ctx)
	if err != nil {
		return nil, err
	}
	servers, extra := o.Servers, sec.options
	if finder != nil {
		servers, extra = finder.brokers(), append(extra, finder.natsOptions()...)
	}
	r := &reach{logger: o.Logger, changed: finder.poke}
	conn, err := nats.Connect(strings.Join(servers, ","), o.natsOptions(extra, r)...)
	if err != nil {
		return nil, o.connectError(servers, err)
	}
	c := &Client{opts: o, conn: conn, security: sec, reach: r, memory: newMemory(), stragglers: make(chan straggler, maxStragglers), calls: make(map[string]*inbox)}
	c.sub, err = conn.Subscribe(wire.ReplySubject(o.Collective, sec.callers.Own, "*"), c.route)
	if err == nil {
		err = c.sub.SetPendingLimits(pendingReplies, pendingBytes)
	}
	if err != nil {
		conn.Close()
		return nil, o.connectError(servers, err)
	}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.keeping.Go(func() { c.learn(keeping) })
	if finder != nil {
		c.keeping.Go(func() { finder.keep(keeping, conn) })
	}
	return c, nil
}

// Close ends the connection. It may be called twice.
func (c *Client) Close() {
	c.stop()
	c.conn.Close()
	c.keeping.Wait()
	if c.security.end != nil {
		c.security.end()
	}
}

// Connected reports whether the network is in reach at this moment.
func (c *Client) Connected() bool { return c.conn.IsConnected() }

// awaitConnection waits until the network is in reach, at most so long, and no longer than a call usually takes.
func (c *Client) awaitConnection(ctx context.Context, most time.Duration) error {
	const look = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, min(most, c.opts.Timeout))
	defer cancel()
	for !c.conn.IsConnected() {
		if c.conn.IsClosed() {
			return fmt.Errorf("%w: the connection is closed", ErrNotSent)
		}
		select {
		case <-ctx.Done():
			place, question := c.opts.where(c.Brokers())
			return fmt.Errorf("%w: the Choria network at %s is out of reach (%w); is the broker running, and %s",
				ErrNotSent, place, c.reach.reason(), question)
		case <-time.After(look):
		}
	}
	return nil
}

// request is asked in the name of caller. The replies come to our own subject, whoever that is: nobody may listen
// to another's.
func (c *Client) request(id, caller, agent, payload string, f wire.Filter) wire.Request {
	return wire.Request{
		ID: id, Sender: c.opts.Identity, Caller: caller, Collective: c.opts.Collective, Agent: agent,
		Time: time.Now(), Filter: f, Payload: payload, ReplyTo: wire.ReplySubject(c.opts.Collective, c.security.callers.Own, id),
	}
}
