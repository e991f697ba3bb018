package choria

import (
	"errors"
	"fmt"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// rollCall is one discovery under way.
type rollCall struct {
	client    *Client
	id        string // of the request
	decoder   wire.Decoder
	found     map[string]bool
	untrusted int // servers that nobody vouches for
}

// hear looks at one reply.
func (r *rollCall) hear(data []byte) {
	r.client.taken(data)
	reply, err := r.decoder.Reply(data)
	switch {
	case err == nil && reply.ID == r.id:
		r.found[reply.Sender] = true
	case errors.Is(err, wire.ErrUntrusted):
		r.untrusted++
		if r.untrusted == 1 {
			r.client.opts.Logger.Warn("servers that nobody vouches for are not discovered", "error", err)
		}
	}
}

// end looks at what has come in time, which may be much where signatures are checked, and returns who was found.
// That there is nobody is no error; that there are servers of which none counts is one.
func (r *rollCall) end(box *inbox) ([]string, error) {
	for range len(box.replies) {
		r.hear(<-box.replies)
	}
	if len(r.found) == 0 && r.untrusted > 0 {
		return nil, fmt.Errorf("discover: %d servers answered, and no issuer in nats.issuers vouches for any of them; is its key right, and do the servers sign their replies?", r.untrusted)
	}
	return sorted(r.found), nil
}
