package choria

import (
	"context"
	"encoding/json"
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
	// Caller is in whose name to ask, such as slack=T024BE7LD.U024BE7LF; empty: the client's own. [Client.Callers]
	// says whether another is possible; where it is not, nothing is sent.
	Caller string
	// ID has 32 characters, and one serves all batches; no other call under way may have it. When it is empty, Run and Key make it: it begins with the
	// run's id in lower case, at most 26 characters, and is the same for the same Run and Key. Without a key it is
	// fresh.
	ID, Run, Key string
	Timeout      time.Duration // of each batch, from when all of it was asked; 0 means the client's
	BatchSize    int           // 0 means all at once
	BatchSleep   time.Duration // between batches
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
	// Trimmed says that the data is missing here, because the replies of the call were too large to
	// keep them all. [Request.OnReply] had it.
	Trimmed bool `json:"trimmed,omitempty"`
}

// OK reports whether the action succeeded.
func (r Reply) OK() bool { return r.StatusCode == 0 }

// Result accounts for every server: those that answered, those that did not, those never asked.
// Every server that was asked is in exactly one of Replies, Silent and Unknown.
type Result struct {
	ID      string
	Replies []Reply  // sorted by sender
	Silent  []string // asked, and nothing was heard in time
	// Unknown servers were asked, or may have been, and did not answer while the connection was lost
	// or replies could not be held: nobody knows whether they acted.
	Unknown   []string
	Unasked   []string // a batch was stopped before them
	Stranger  int      // replies of servers that were not asked
	Duplicate int      // second replies
	Late      int      // replies of servers of an earlier batch, whose time was up; see also [Client.Late]
	Other     int      // replies to another request
	Malformed int      // replies that could not be read, or were too large
	Untrusted int      // replies that no known server has signed; see [Options.Issuers]
	Dropped   int      // replies that could not be kept up with; also those of calls at the same time
	Trimmed   int      // replies whose data was not kept
}

// Call asks the named servers and waits for their answers. The result counts also when the error is
// not nil: a call that was cut off keeps what was heard. An error that wraps [ErrNotSent] means
// that no server was asked.
func (c *Client) Call(ctx context.Context, q Request) (Result, error) {
	if len(q.Nodes) == 0 {
		return Result{}, fmt.Errorf("%w: %s.%s has no targets", ErrNotSent, q.Agent, q.Action)
	}
	var err error
	if q.ID == "" {
		if q.ID, err = requestID(q.Run, q.Key, c.security.secret); err != nil {
			return Result{}, fmt.Errorf("%w: %w", ErrNotSent, err)
		}
	}
	if q.Caller, err = c.security.caller(q); err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if q.Timeout == 0 {
		q.Timeout = c.opts.Timeout
	}
	nodes, stages := targets(q.Nodes)
	for _, n := range nodes {
		if !validIdentity(n) {
			return Result{}, fmt.Errorf("%w: %q is not the name of a node", ErrNotSent, n)
		}
	}
	payload, err := q.payload()
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	call := &call{
		client: c, q: q, payload: payload,
		stages: stages, droppedBefore: c.dropped(), result: Result{ID: q.ID, Replies: make([]Reply, 0, len(nodes))},
	}
	box, err := c.open(q.ID, 2*len(nodes)+64)
	if err != nil {
		return Result{}, err
	}
	defer c.close(q.ID)
	call.readers = c.readers(box, readOutcome)
	err = call.batches(ctx, nodes)
	return call.finish(nodes), err
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

// maxIdentity is the length of the longest name of a host, in bytes: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
const maxIdentity = 255

// validIdentity refuses names that would change the subject they are sent to, and those that no host can have.
func validIdentity(name string) bool {
	return name != "" && len(name) <= maxIdentity && !strings.ContainsAny(name, " \t\r\n*>") &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

// call is one call under way.
type call struct {
	client        *Client
	q             Request
	payload       string
	readers       *readers
	stages        map[string]stage // of every target
	asked         int              // nodes that were asked
	missing       int              // nodes that are awaited
	kept          int              // bytes of replies
	droppedBefore int              // replies that the connection could not hold before this call
	result        Result
}

func (k *call) batches(ctx context.Context, nodes []string) error {
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
		if err := k.batch(ctx, batch); err != nil {
			return err
		}
		first = false
	}
	return nil
}

// targets returns the nodes, each once, and their first stage.
func targets(list []string) ([]string, map[string]stage) {
	stages := make(map[string]stage, len(list))
	nodes := make([]string, 0, len(list))
	for _, n := range list {
		if _, again := stages[n]; !again {
			stages[n] = unasked
			nodes = append(nodes, n)
		}
	}
	return nodes, stages
}
