package choria

import (
	"context"
	"errors"
	"fmt"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// ErrNoService says that nobody answered for a service in time.
var ErrNoService = errors.New("no server answers for the service")

// Service asks any one of the servers that offer a service, such as choria_registry, and returns its answer, the first
// that counts. Of the request only Agent, Action, Data and Timeout are used. An error that wraps [ErrNotSent]
// means that nobody was asked, one that wraps [ErrNoService] that nobody answered.
func (c *Client) Service(ctx context.Context, q Request) (Reply, error) {
	if !validIdentity(q.Agent) {
		return Reply{}, fmt.Errorf("%w: %q is not the name of a service", ErrNotSent, q.Agent)
	}
	if q.Timeout == 0 {
		q.Timeout = c.opts.Timeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, q.Timeout, errTimeUp)
	defer cancel()
	if err := c.awaitConnection(ctx, q.Timeout); err != nil {
		return Reply{}, err
	}
	payload, err := q.payload()
	if err != nil {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	id, err := requestID("", "", nil)
	if err != nil {
		return Reply{}, err
	}
	out, err := c.sign(ctx, c.request(id, c.security.callers.Own, q.Agent, payload, wire.Filter{Agent: []string{q.Agent}}))
	if err != nil {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	box, err := c.open(id, serviceBuffer)
	if err != nil {
		return Reply{}, err
	}
	defer c.close(id)
	if err := out.to(wire.ServiceSubject(c.opts.Collective, q.Agent)); err != nil {
		if !errors.Is(err, ErrNotSent) { // it may have left, and nobody can answer
			err = fmt.Errorf("%w: %w", ErrNoService, err)
		}
		return Reply{}, fmt.Errorf("ask the service %s: %w", q.Agent, err)
	}
	return c.firstAnswer(ctx, q.Agent, id, box)
}

// serviceBuffer is how many answers of a service may wait; there is one, or one of each cluster of a federation.
const serviceBuffer = 64

// firstAnswer waits for the first answer that counts, and remembers why the first that did not does not.
func (c *Client) firstAnswer(ctx context.Context, service, id string, box *inbox) (Reply, error) {
	decoder := c.decoder()
	var unfit error
	for {
		select {
		case data := <-box.replies:
			c.waiting.Add(-int64(len(data)))
			r, o, err := decoder.Outcome(data)
			if err == nil && r.ID == id {
				return Reply{Sender: r.Sender, StatusCode: o.StatusCode, StatusMsg: o.StatusMsg, Data: o.Data}, nil
			}
			if unfit == nil {
				unfit = err
			}
		case <-ctx.Done():
			if !errors.Is(context.Cause(ctx), errTimeUp) {
				return Reply{}, context.Cause(ctx)
			}
			if large, _ := c.count(box); large > 0 {
				unfit = fmt.Errorf("it has more than %d bytes", maxReply)
			}
			if unfit != nil {
				return Reply{}, fmt.Errorf("the service %s gives no answer that counts: %w", service, unfit)
			}
			return Reply{}, fmt.Errorf("%w %s", ErrNoService, service)
		}
	}
}
