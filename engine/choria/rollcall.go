package choria

import (
	"errors"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// rollCall is one discovery under way.
type rollCall struct {
	client    *Client
	id        string // of the request
	readers   *readers
	sent      time.Time
	found     map[string]bool
	only      map[string]bool // who can answer; nil: anybody
	awaited   map[string]bool // who answered the last time, and has not yet
	untrusted int             // servers that nobody vouches for
	crowded   bool            // more names were heard than there can be servers
}

// maxFound bounds what one discovery keeps: ten times the largest fleet that playbot is made for.
const maxFound = 100_000

// complete reports whether everybody has answered who can.
func (r *rollCall) complete() bool { return r.only != nil && len(r.found) == len(r.only) }

// window is for how long nobody may answer until it is taken that all have.
func (r *rollCall) window() time.Duration {
	switch {
	case len(r.awaited) > 0:
		return r.client.opts.MaxWait
	case len(r.found) == 0:
		return firstAnswer * r.client.opts.Window
	}
	return max(r.client.opts.Window, time.Since(r.sent))
}

// readSender is how the replies to a discovery are read.
func readSender(d *wire.Decoder, data []byte) (r reading) {
	r.reply, r.err = d.Reply(data)
	return r
}

// hear looks at one reply.
func (r *rollCall) hear(got reading) {
	switch {
	case got.err == nil && got.reply.ID == r.id && validIdentity(got.reply.Sender) && (r.only == nil || r.only[got.reply.Sender]):
		r.crowded = r.crowded || len(r.found) == maxFound
		if !r.crowded {
			r.found[got.reply.Sender] = true
		}
		delete(r.awaited, got.reply.Sender)
	case errors.Is(got.err, wire.ErrUntrusted):
		r.untrusted++
		if r.untrusted == 1 {
			r.client.opts.Logger.Warn("servers that nobody vouches for are not discovered", "error", got.err)
		}
	}
}

// end looks at what has come in time, which may be much where signatures are checked, and returns who was found.
// That there is nobody is no error; that there are servers of which none counts is one.
func (r *rollCall) end() ([]string, error) {
	r.readers.drain(r.hear)
	if r.crowded {
		return nil, fmt.Errorf("discover: more than %d servers answered; does one of them invent names?", maxFound)
	}
	if len(r.found) == 0 && r.untrusted > 0 {
		return nil, fmt.Errorf("discover: %d servers answered, and no issuer in nats.issuers vouches for any of them; is its key right, and do the servers sign their replies?", r.untrusted)
	}
	return sorted(r.found), nil
}
