package choria

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// stage is how far a call got with a node. Who is no target has none.
type stage int

const (
	unasked stage = iota + 1 // its batch has not begun
	awaited                  // asked just now
	heard                    // answered in time
	silent                   // did not answer in time
	unknown                  // did not answer, and that may be the network's or our own doing
)

var errTimeUp = errors.New("time is up")

// batch asks some nodes and waits until all have answered, or the time is up. When the network
// goes while they are asked, those that were asked are still waited for. Their time begins when they have been
// asked: who is given up too early may still act.
func (k *call) batch(ctx context.Context, nodes []string) error {
	if err := k.client.awaitConnection(ctx, k.q.Timeout); err != nil {
		if k.asked > 0 {
			return fmt.Errorf("the Choria network is out of reach; %d nodes were asked before", k.asked)
		}
		return err
	}
	before := k.client.conn.Stats().Reconnects
	unsent := k.send(ctx, nodes)
	ctx, cancel := context.WithTimeoutCause(ctx, k.q.Timeout, errTimeUp)
	defer cancel()
	err := k.await(ctx)
	if k.missing > 0 {
		verdict := silent
		if !k.client.unbroken(ctx, before) || k.lost() > k.result.Dropped {
			verdict = unknown
		}
		k.readers.drain(k.take)
		k.giveUp(nodes, verdict)
	}
	k.result.Dropped = k.lost()
	if unsent != nil {
		return unsent
	}
	return err
}

// send signs one request and publishes it to each node.
func (k *call) send(ctx context.Context, nodes []string) error {
	filter := wire.Filter{Agent: []string{k.q.Agent}}
	out, err := k.client.sign(ctx, k.client.request(k.q.ID, k.q.Caller, k.q.Agent, k.payload, filter))
	if err != nil && k.asked == 0 {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if err != nil {
		return fmt.Errorf("%w; %d nodes were asked before", err, k.asked)
	}
	for part := range out.parts(nodes) {
		left, err := out.toNodes(part)
		if left {
			for _, n := range part {
				k.stages[n] = awaited
			}
			k.asked += len(part)
			k.missing += len(part)
		}
		if err != nil && k.asked == 0 {
			return fmt.Errorf("%w: ask %s: %w", ErrNotSent, part[0], err)
		}
		if err != nil {
			return fmt.Errorf("the network was lost at %s: %w; %d nodes were asked before", part[0], err, k.asked)
		}
	}
	return nil
}

// certain reports whether a message that was refused for this reason cannot have left. Other errors
// are those of a write, which may have got through.
func certain(err error) bool {
	return slices.ContainsFunc([]error{
		nats.ErrReconnectBufExceeded, nats.ErrConnectionClosed, nats.ErrConnectionDraining, nats.ErrInvalidConnection,
		nats.ErrBadSubject, nats.ErrMaxPayload,
	}, func(target error) bool { return errors.Is(err, target) })
}

// await takes replies until nobody is missing or the time is up, which is no error.
func (k *call) await(ctx context.Context) error {
	for k.missing > 0 {
		select {
		case data := <-k.readers.box.replies:
			k.readers.take(data, k.take)
		case <-ctx.Done():
			k.readers.drain(k.take)
			if errors.Is(context.Cause(ctx), errTimeUp) {
				return nil
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

// giveUp stops waiting for the nodes that have not answered.
func (k *call) giveUp(nodes []string, verdict stage) {
	for _, n := range nodes {
		if k.stages[n] == awaited {
			k.stages[n] = verdict
		}
	}
	k.missing = 0
}

// lost is how many replies could not be held so far.
func (k *call) lost() int {
	_, dropped := k.client.count(k.readers.box)
	return dropped + max(0, k.client.dropped()-k.droppedBefore)
}

// readOutcome is how the replies to a call are read.
func readOutcome(d *wire.Decoder, data []byte) (r reading) {
	r.reply, r.outcome, r.err = d.Outcome(data)
	return r
}

// take counts a reply.
func (k *call) take(got reading) {
	r, o := got.reply, got.outcome
	switch stage := k.stages[r.Sender]; {
	case errors.Is(got.err, wire.ErrUntrusted):
		k.result.Untrusted++
	case got.err != nil:
		k.result.Malformed++
	case r.ID != k.q.ID:
		k.result.Other++
	case stage < awaited:
		k.result.Stranger++
	case stage == heard:
		k.result.Duplicate++
	case stage != awaited:
		k.result.Late++
	default:
		k.stages[r.Sender] = heard
		k.missing--
		reply := Reply{Sender: r.Sender, StatusCode: o.StatusCode, StatusMsg: o.StatusMsg, Data: o.Data}
		if k.q.OnReply != nil {
			k.q.OnReply(reply)
		}
		k.keep(reply)
	}
}

// unbroken reports whether the connection is still the one it was, and the broker still there: then
// every request has reached it, and every reply that it had for us has come.
func (c *Client) unbroken(ctx context.Context, reconnects uint64) bool {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return c.conn.FlushWithContext(ctx) == nil && c.conn.Stats().Reconnects == reconnects && c.conn.IsConnected()
}

func (k *call) finish(nodes []string) Result {
	for _, n := range nodes {
		switch k.stages[n] {
		case silent:
			k.result.Silent = append(k.result.Silent, n)
		case awaited, unknown:
			k.result.Unknown = append(k.result.Unknown, n)
		case heard:
		default:
			k.result.Unasked = append(k.result.Unasked, n)
		}
	}
	slices.Sort(k.result.Silent)
	slices.Sort(k.result.Unknown)
	slices.SortFunc(k.result.Replies, func(a, b Reply) int { return strings.Compare(a.Sender, b.Sender) })
	large, _ := k.client.count(k.readers.box)
	k.result.Malformed += large
	k.result.Dropped = k.lost()
	return k.result
}
