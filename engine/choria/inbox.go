package choria

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// What is kept in memory is bounded, whatever servers send: together these are far less than 256 MiB.
// Decoding may take 40 times the size of a reply for a moment, one reply at a time and call; see maxChunk.
const (
	// maxReply is the largest reply that is looked at, in bytes.
	maxReply = 1 << 20
	// pendingReplies and pendingBytes bound what the connection holds before it is given to a call.
	pendingReplies = 1 << 18
	pendingBytes   = 16 << 20
	// waitingBytes bounds the replies that wait to be looked at, for all calls of a client together.
	waitingBytes = 32 << 20
	// keptBytes bounds the replies that a call keeps, decoded.
	keptBytes = 32 << 20
	// maxStraggler is the largest answer, in bytes, that is looked at when it came too late for a discovery; one
	// with a token has some 3 KB. maxStragglers may wait.
	maxStraggler  = 16 << 10
	maxStragglers = 1 << 10
	// trimmedText is how much of the status text is kept of a reply for which there is no room.
	trimmedText = 256
)

// inbox receives the replies to one request. The client's lock guards its counters.
type inbox struct {
	replies chan []byte
	large   int // replies larger than maxReply
	dropped int // replies for which there was no room
}

// route hands a reply to the call that waits for it. The subject names the request, so a reply to
// nobody costs no decoding.
func (c *Client) route(m *nats.Msg) {
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	if !c.deliver(id, m.Data) && len(m.Data) <= maxStraggler && c.memory.awaits(id) {
		select {
		case c.stragglers <- straggler{id, m.Data}:
		default: // who was late is a help and never an answer
		}
	}
}

// straggler is an answer that came too late for a discovery.
type straggler struct {
	id   string
	data []byte
}

// learn reads the answers that came too late until ctx ends: not where the connection waits for it.
func (c *Client) learn(ctx context.Context) {
	decoder := c.decoder()
	for {
		select {
		case late := <-c.stragglers:
			if r, err := decoder.Reply(late.data); err == nil && r.ID == late.id && validIdentity(r.Sender) {
				c.memory.learn(late.id, r.Sender)
			}
		case <-ctx.Done():
			return
		}
	}
}

// deliver reports whether a call waits for a reply.
func (c *Client) deliver(id string, data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	box := c.calls[id]
	switch {
	case box == nil:
		c.late++
		return false
	case len(data) > maxReply:
		box.large++
	case c.waiting.Load()+int64(len(data)) > waitingBytes:
		box.dropped++
	default:
		select {
		case box.replies <- data:
			c.waiting.Add(int64(len(data)))
		default:
			box.dropped++
		}
	}
	return true
}

// open makes the inbox of a request. There is one for each id: two calls would take each other's replies.
func (c *Client) open(id string, size int) (*inbox, error) {
	box := &inbox{replies: make(chan []byte, size)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[id] != nil {
		return nil, fmt.Errorf("%w: a call with the request id %q is under way; wait until it has ended", ErrNotSent, id)
	}
	c.calls[id] = box
	return box, nil
}

// close ends an inbox; what still waits in it is late.
func (c *Client) close(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	box := c.calls[id]
	delete(c.calls, id)
	for box != nil && len(box.replies) > 0 {
		c.waiting.Add(-int64(len(<-box.replies)))
		c.late++
	}
}

// count reads the counters of an inbox.
func (c *Client) count(box *inbox) (large, dropped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return box.large, box.dropped
}

// dropped is how many replies the connection could not hold, for all calls together.
func (c *Client) dropped() int {
	n, err := c.sub.Dropped()
	if err != nil {
		return 0 // the connection is closed
	}
	return n
}

// Late is how many replies came, since the client was made, for which no call waited: it was over
// before they arrived, or there never was one.
func (c *Client) Late() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.late
}
