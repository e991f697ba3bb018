package choria

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Request is a call of one action on named servers.
type Request struct {
	Agent, Action string
	Data          map[string]any
	Nodes         []string
	ID            string        // 32 characters; empty means a fresh one. One id serves all batches
	Timeout       time.Duration // of each batch; 0 means the client's
	BatchSize     int           // 0 means all at once
	BatchSleep    time.Duration // between batches
	// OnReply is called for every reply that counts, in the order of arrival, by one goroutine.
	OnReply func(Reply)
	// Before is called before each batch; an error stops this and all further batches.
	Before func(batch []string) error
	// Enough is asked after each batch but the last; true ends the call there, which is no error. The
	// servers that were not asked are [Result.Unasked].
	Enough func() bool
}

// Reply is one server's answer.
type Reply struct {
	Sender     string         `json:"sender"`
	StatusCode int            `json:"statuscode"` // 0 is OK; see the protocol for the others
	StatusMsg  string         `json:"statusmsg"`
	Data       map[string]any `json:"data"`
}

// OK reports whether the action succeeded.
func (r Reply) OK() bool { return r.StatusCode == 0 }

// Result accounts for every server: those that answered, those that did not, those never asked.
type Result struct {
	ID        string
	Replies   []Reply  // sorted by sender
	Silent    []string // asked, and nothing was heard in time
	Unasked   []string // a batch was stopped before them
	Stranger  int      // replies of servers that were not asked
	Duplicate int      // second replies
	Malformed int      // replies that could not be read
	Dropped   int      // replies that could not be kept up with
}

// Call asks the named servers and waits for their answers. The result counts also when the error is
// not nil: a call that was cut off keeps what was heard. An error that wraps [ErrNotSent] means
// that no server was asked.
func (c *Client) Call(ctx context.Context, q Request) (Result, error) {
	if len(q.Nodes) == 0 {
		return Result{}, fmt.Errorf("%w: %s.%s has no targets", ErrNotSent, q.Agent, q.Action)
	}
	if q.ID == "" {
		q.ID = newRequestID()
	}
	if q.Timeout == 0 {
		q.Timeout = c.opts.Timeout
	}
	nodes := unique(q.Nodes)
	for _, n := range nodes {
		if !validIdentity(n) {
			return Result{}, fmt.Errorf("%w: %q is not the name of a node", ErrNotSent, n)
		}
	}
	payload, err := q.payload()
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	call := &call{client: c, q: q, payload: payload, asked: make(map[string]bool), heard: make(map[string]bool), result: Result{ID: q.ID}}
	box := c.open(q.ID, 2*len(nodes)+64)
	defer c.close(q.ID)
	err = call.batches(ctx, nodes, box)
	return call.finish(nodes, box), err
}

func (q Request) payload() (string, error) {
	data := q.Data
	if data == nil {
		data = map[string]any{}
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("encode the properties of %s.%s: %w", q.Agent, q.Action, err)
	}
	payload, err := json.Marshal(wire.Call{Agent: q.Agent, Action: q.Action, Data: raw})
	return string(payload), err
}

// validIdentity refuses names that would change the subject they are sent to.
func validIdentity(name string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n*>") &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

// call is one call under way.
type call struct {
	client  *Client
	q       Request
	payload string
	asked   map[string]bool
	heard   map[string]bool
	result  Result
}

func (k *call) batches(ctx context.Context, nodes []string, box *inbox) error {
	size := k.q.BatchSize
	if size <= 0 {
		size = len(nodes)
	}
	first := true
	for batch := range slices.Chunk(nodes, size) {
		if !first && k.q.Enough != nil && k.q.Enough() {
			return nil
		}
		if !first && k.q.BatchSleep > 0 {
			select {
			case <-time.After(k.q.BatchSleep):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if k.q.Before != nil {
			if err := k.q.Before(batch); err != nil {
				return err
			}
		}
		if err := k.batch(ctx, batch, box); err != nil {
			return err
		}
		first = false
	}
	return nil
}

// batch asks some nodes and waits until all have answered, or the time is up.
func (k *call) batch(ctx context.Context, nodes []string, box *inbox) error {
	ctx, cancel := context.WithTimeoutCause(ctx, k.q.Timeout, errTimeUp)
	defer cancel()
	if err := k.send(ctx, nodes); err != nil {
		return err
	}
	missing := len(nodes)
	for missing > 0 {
		select {
		case data := <-box.replies:
			if k.take(data) {
				missing--
			}
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errTimeUp) {
				return nil // those not heard are silent
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

var errTimeUp = errors.New("time is up")

// send signs one request and publishes it to each node.
func (k *call) send(ctx context.Context, nodes []string) error {
	if err := k.client.awaitConnection(ctx); err != nil {
		if len(k.asked) > 0 {
			return fmt.Errorf("the Choria network is out of reach; %d nodes were asked before", len(k.asked))
		}
		return err
	}
	filter := wire.Filter{Agent: []string{k.q.Agent}}
	msg, err := wire.EncodeRequest(k.client.request(k.q.ID, k.q.Agent, k.payload, filter), k.client.signer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	for _, n := range nodes {
		if err := k.client.conn.Publish(wire.NodeSubject(k.client.opts.Collective, n), msg); err != nil {
			if len(k.asked) == 0 {
				return fmt.Errorf("%w: ask %s: %w", ErrNotSent, n, err)
			}
			return fmt.Errorf("ask %s: %w; %d nodes were asked before", n, err, len(k.asked))
		}
		k.asked[n] = true
	}
	return nil
}

// take counts a reply and reports whether it is the first of a node that was asked.
func (k *call) take(data []byte) bool {
	r, err := decode(data)
	if err != nil || r.ID != k.q.ID {
		k.result.Malformed++
		return false
	}
	var a wire.Answer
	if err := json.Unmarshal([]byte(r.Payload), &a); err != nil {
		k.result.Malformed++
		return false
	}
	switch {
	case !k.asked[r.Sender]:
		k.result.Stranger++
		return false
	case k.heard[r.Sender]:
		k.result.Duplicate++
		return false
	}
	reply := Reply{Sender: r.Sender, StatusCode: a.StatusCode, StatusMsg: a.StatusMsg}
	if err := json.Unmarshal(a.Data, &reply.Data); err != nil && len(a.Data) > 0 && string(a.Data) != "null" {
		k.result.Malformed++
		return false
	}
	k.heard[r.Sender] = true
	k.result.Replies = append(k.result.Replies, reply)
	if k.q.OnReply != nil {
		k.q.OnReply(reply)
	}
	return true
}

func (k *call) finish(nodes []string, box *inbox) Result {
	for _, n := range nodes {
		switch {
		case !k.asked[n]:
			k.result.Unasked = append(k.result.Unasked, n)
		case !k.heard[n]:
			k.result.Silent = append(k.result.Silent, n)
		}
	}
	slices.Sort(k.result.Silent)
	slices.SortFunc(k.result.Replies, func(a, b Reply) int { return strings.Compare(a.Sender, b.Sender) })
	box.mu.Lock()
	defer box.mu.Unlock()
	k.result.Dropped = box.dropped
	return k.result
}

func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	out := make([]string, 0, len(list))
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
