package fleetsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Options describe a fleet.
type Options struct {
	Nodes      []Node
	Collective string        // default mcollective
	Listen     bool          // listen on a loopback port; else only connections in this process
	Certs      *Certs        // the `file` security with these; nil is insecure
	RedChecks  int           // after an upgrade check_load is red this often before it is green; default 2, -1 is for ever
	RunTime    time.Duration // of a puppet run; default 3 s
	Logger     *slog.Logger  // nil: discarded
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
		"rpcutil": "1.3.0", "puppet": "1.13.1", "haproxy": "1.0.2", "appmgr": "2.3.0",
		"nrpe": "4.2.0", "service": "4.0.1", "package": "5.4.0",
	}
}

// Fleet is a running network. Safe for concurrent use.
type Fleet struct {
	opts   Options
	logger *slog.Logger
	srv    *server.Server
	conn   *nats.Conn
	port   int
	wg     sync.WaitGroup
	quit   chan struct{}
	once   sync.Once

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
func Start(_ context.Context, o Options) (*Fleet, error) {
	if o.Collective == "" {
		o.Collective = "mcollective"
	}
	if o.RedChecks == 0 {
		o.RedChecks = 2
	}
	if o.RunTime == 0 {
		o.RunTime = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{opts: o, logger: o.Logger, quit: make(chan struct{}), nodes: make(map[string]*nodeState), port: server.RANDOM_PORT}
	for _, n := range o.Nodes {
		f.nodes[n.Name] = newNodeState(n)
		f.order = append(f.order, n.Name)
	}
	if err := f.StartBroker(); err != nil {
		return nil, err
	}
	return f, f.connect()
}

// StartBroker starts the broker again after [Fleet.StopBroker], on the same port.
func (f *Fleet) StartBroker() error {
	opts := &server.Options{
		ServerName: "fleetsim", Host: "127.0.0.1", Port: f.port, DontListen: !f.opts.Listen, NoLog: true, NoSigs: true,
		MaxPayload: 8 << 20,
	}
	if f.opts.Certs != nil {
		opts.TLSConfig = f.opts.Certs.serverTLS()
		opts.TLSVerify = true
		opts.TLSTimeout = 5
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("start the simulated broker: %w", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		srv.Shutdown()
		return errors.New("start the simulated broker: it is not ready after 10 s")
	}
	f.srv = srv
	if addr, ok := srv.Addr().(*net.TCPAddr); ok && f.opts.Listen {
		f.port = addr.Port
	}
	return nil
}

// StopBroker takes the broker away; the nodes wait for its return.
func (f *Fleet) StopBroker() {
	f.srv.Shutdown()
	f.srv.WaitForShutdown()
}

func (f *Fleet) connect() error {
	opts := []nats.Option{nats.Name("fleetsim nodes"), nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond)}
	url := nats.DefaultURL
	switch {
	case !f.opts.Listen:
		opts = append(opts, nats.InProcessServer(f.srv))
	case f.opts.Certs != nil:
		opts = append(opts, nats.Secure(f.opts.Certs.clientTLS()))
		url = f.URL()
	default:
		url = f.URL()
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		return fmt.Errorf("connect the simulated nodes: %w", err)
	}
	f.conn = conn
	for _, subject := range []string{wire.NodeSubject(f.opts.Collective, ">"), wire.BroadcastSubject(f.opts.Collective, "*")} {
		sub, err := conn.Subscribe(subject, f.receive)
		if err != nil {
			return fmt.Errorf("subscribe the simulated nodes: %w", err)
		}
		if err := sub.SetPendingLimits(-1, -1); err != nil {
			return fmt.Errorf("subscribe the simulated nodes: %w", err)
		}
	}
	return conn.Flush()
}

// URL is the address of the broker; empty when it does not listen.
func (f *Fleet) URL() string {
	if !f.opts.Listen {
		return ""
	}
	scheme := "nats"
	if f.opts.Certs != nil {
		scheme = "tls"
	}
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, f.port)
}

// InProcessConn connects to the broker without a socket; see nats.InProcessServer.
func (f *Fleet) InProcessConn() (net.Conn, error) { return f.srv.InProcessConn() }

// Stop ends the fleet. It may be called twice.
func (f *Fleet) Stop() {
	f.once.Do(func() {
		f.mu.Lock()
		f.stopped = true
		f.mu.Unlock()
		close(f.quit)
		f.conn.Close()
		f.wg.Wait()
		f.StopBroker()
	})
}

// receive handles one message: for one node by its name, or for every node that has the agent.
func (f *Fleet) receive(m *nats.Msg) {
	var verifier wire.Verifier = wire.Insecure{}
	if f.opts.Certs != nil {
		verifier = f.opts.Certs.authority()
	}
	req, err := wire.DecodeRequest(m.Data, verifier)
	if err != nil {
		f.logger.Warn("request refused", "error", err)
		return
	}
	if name, ok := strings.CutPrefix(m.Subject, wire.NodeSubject(f.opts.Collective, "")); ok {
		f.deliver(name, req)
		return
	}
	for _, name := range f.order {
		f.deliver(name, req)
	}
}

// deliver lets one node answer when it exists and the filter matches it.
func (f *Fleet) deliver(name string, req wire.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[name]
	if n == nil || n.Deactivated || f.stopped || !n.matches(req.Filter) {
		return
	}
	if req.Agent == "discovery" {
		f.answer(n, "discovery", req, "pong")
		return
	}
	var call wire.Call
	if err := json.Unmarshal([]byte(req.Payload), &call); err != nil {
		f.logger.Warn("call cannot be read", "node", name, "error", err)
		return
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
		f.reply(n, action, req, wire.Answer{Action: call.Action, StatusCode: 1, StatusMsg: fault.message()}, fault)
		return
	}
	if fault != nil && fault.Kind == Silent {
		return
	}
	f.reply(n, action, req, f.act(n, call, data), fault)
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
	if fault != nil {
		f.misbehave(n, action, req, string(payload), *fault)
		return
	}
	f.answer(n, action, req, string(payload))
}

func (f *Fleet) answer(n *nodeState, _ string, req wire.Request, payload string) {
	f.publish(req.ReplyTo, wire.Reply{ID: req.ID, Sender: n.Name, Agent: req.Agent, Time: time.Now(), Payload: payload})
}

func (f *Fleet) publish(subject string, r wire.Reply) {
	msg, err := wire.EncodeReply(r)
	if err == nil {
		err = f.conn.Publish(subject, msg)
	}
	if err != nil {
		f.logger.Warn("reply cannot be sent", "node", r.Sender, "error", err)
	}
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
