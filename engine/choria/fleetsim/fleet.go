package fleetsim

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Options describe a fleet.
type Options struct {
	Nodes      []Node
	Collective string // default mcollective
	Listen     bool   // listen on a loopback port; else only connections in this process
	Cluster    bool   // more brokers may be added, see [Fleet.AddBroker]; wants Listen
	// Without Certs and Tokens the fleet is insecure; with Certs alone it has the `file` security. With Tokens it
	// speaks version 2, and when it listens as well, Certs protect the connection.
	Certs  *Certs
	Tokens *Tokens
	// Registry answers requests for the descriptions of agents, as Choria's service choria_registry, with these texts by
	// agent; nil: there is no such service.
	Registry  map[string]string
	RedChecks int           // after an upgrade check_load is red this often before it is green; -1 is for ever
	RunTime   time.Duration // of a puppet run; default 3 s
	Logger    *slog.Logger  // nil: discarded
}

// Node is one simulated server.
type Node struct {
	Name    string
	Facts   map[string]any
	Classes []string
	Agents  map[string]string // agent -> version; nil means [Agents]
	// Deactivated servers are known to PuppetDB and do not answer.
	Deactivated bool
	// Running is how long a puppet run that is under way at the start still takes.
	Running time.Duration
}

// Agents are the agents that a node has when it says nothing else.
func Agents() map[string]string {
	return map[string]string{
		"rpcutil": "0.29.4", "puppet": "1.13.1", "haproxy": "1.0.2", "appmgr": "2.3.0",
		"nrpe": "4.2.0", "service": "4.0.1", "package": "5.4.0",
	}
}

// Fleet is a running network. Safe for concurrent use.
type Fleet struct {
	opts   Options
	logger *slog.Logger
	secret string // of the nodes' connection, where tokens are asked for
	conn   *nats.Conn
	wg     sync.WaitGroup
	quit   chan struct{}
	once   sync.Once

	// broker guards what follows up to mu. It is not mu: a connection that is made again asks for them while
	// it is locked, and nodes send over that connection while mu is.
	broker      sync.Mutex
	srv         *server.Server
	port        int
	clusterPort int
	peers       []*Peer

	mu      sync.Mutex // guards what follows
	nodes   map[string]*nodeState
	order   []string
	calls   []Call
	faults  []*Fault
	stopped bool
}

// Call is one request that reached one node.
type Call struct {
	Node, Agent, Action string
	Data                map[string]any
	RequestID, Caller   string
	Time                time.Time
}

// Start starts a broker and its nodes.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	if o.Collective == "" {
		o.Collective = "mcollective"
	}
	if o.RunTime == 0 {
		o.RunTime = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{
		opts: o, logger: o.Logger, secret: rand.Text(), quit: make(chan struct{}), nodes: make(map[string]*nodeState),
		port: server.RANDOM_PORT, clusterPort: server.RANDOM_PORT,
	}
	for _, n := range o.Nodes {
		state, err := newNodeState(n)
		if err != nil {
			return nil, err
		}
		f.nodes[n.Name] = state
		f.order = append(f.order, n.Name)
	}
	if err := f.startBroker(); err != nil {
		return nil, err
	}
	if err := f.connect(ctx); err != nil {
		f.Stop()
		return nil, err
	}
	return f, nil
}

// Stop ends the fleet. It may be called twice.
func (f *Fleet) Stop() {
	f.once.Do(func() {
		f.mu.Lock()
		f.stopped = true
		f.mu.Unlock()
		close(f.quit)
		if f.conn != nil {
			f.conn.Close()
		}
		f.wg.Wait()
		f.stopPeers()
		f.StopBroker()
	})
}

// receiver handles the messages of one subscription: for one node by its name, or for every node.
// A request to many nodes is the same bytes for each of them; it is read and checked once.
func (f *Fleet) receiver() nats.MsgHandler {
	decode := f.decoder()
	var last []byte
	var req request
	return func(m *nats.Msg) {
		if !bytes.Equal(m.Data, last) {
			last = nil
			var err error
			if req.Request, err = decode(m.Data); err != nil {
				f.logger.Warn("request refused", "error", err)
				return
			}
			if req.matcher, err = filter.New(req.Filter); err != nil {
				f.logger.Warn("the filter of a request cannot be read", "error", err)
				return
			}
			last = m.Data
		}
		f.receive(m.Subject, req)
	}
}

// decoder reads and checks requests as the servers do.
func (f *Fleet) decoder() func([]byte) (wire.Request, error) {
	if f.opts.Tokens != nil {
		gate := token.Gate{Issuers: f.opts.Tokens.issuers()}
		return func(data []byte) (wire.Request, error) { return wire.DecodeRequest2(data, gate) }
	}
	var verifier wire.Verifier = wire.Insecure{}
	if f.opts.Certs != nil {
		verifier = f.opts.Certs.authority()
	}
	return func(data []byte) (wire.Request, error) { return wire.DecodeRequest(data, verifier) }
}

// request is a request with its filter ready for use.
type request struct {
	wire.Request

	matcher *filter.Matcher
}

func (f *Fleet) receive(subject string, req request) {
	if req.Expired(time.Now()) {
		f.logger.Warn("request refused: it is too old, or the clocks differ", "request", req.ID, "time", req.Time)
		return
	}
	if name, ok := strings.CutPrefix(subject, wire.NodeSubject(f.opts.Collective, "")); ok {
		f.deliver(name, req)
		return
	}
	for _, name := range f.order {
		f.deliver(name, req)
	}
}

// deliver lets one node answer when it exists and the filter matches it.
func (f *Fleet) deliver(name string, req request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[name]
	if n == nil || n.Deactivated || f.stopped || !req.matcher.Matches(n.server) {
		return
	}
	if req.Agent == discovery {
		f.send(n, req.Request, "pong", f.take(name, discovery))
		return
	}
	var call wire.Call
	if err := json.Unmarshal([]byte(req.Payload), &call); err != nil {
		f.logger.Warn("call cannot be read", "node", name, "error", err)
		return
	}
	if _, has := n.Agents[call.Agent]; !has {
		return // as a server that does not listen for that agent
	}
	data := map[string]any{}
	if err := json.Unmarshal(call.Data, &data); err != nil && len(call.Data) > 0 {
		data = nil
	}
	f.calls = append(f.calls, Call{
		Node: name, Agent: call.Agent, Action: call.Action, Data: data, RequestID: req.ID, Caller: req.Caller, Time: time.Now(),
	})
	action := call.Agent + "." + call.Action
	fault := f.take(name, action)
	if fault != nil && fault.Kind == Fail {
		f.reply(n, action, req.Request, wire.Answer{Action: call.Action, StatusCode: codeAborted, StatusMsg: fault.message()}, nil)
		return
	}
	if fault != nil && fault.Kind == Silent {
		return
	}
	f.reply(n, action, req.Request, f.act(n, call, data), fault)
}

func (f *Fleet) reply(n *nodeState, action string, req wire.Request, a wire.Answer, fault *Fault) {
	if len(a.Data) == 0 {
		a.Data = json.RawMessage("{}")
	}
	payload, err := json.Marshal(a)
	if err != nil {
		f.logger.Error("answer cannot be written", "action", action, "error", err)
		return
	}
	f.send(n, req, string(payload), fault)
}

// Calls returns every request that reached a node, in order.
func (f *Fleet) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Count is how often an action ("appmgr.upgrade") reached a node; an empty node counts all.
func (f *Fleet) Count(node, action string) int {
	n := 0
	for _, c := range f.Calls() {
		if (node == "" || c.Node == node) && c.Agent+"."+c.Action == action {
			n++
		}
	}
	return n
}
