package fleetsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// StartBroker starts the broker again after [Fleet.StopBroker], on the same port. The nodes are back
// when it returns.
func (f *Fleet) StartBroker() error {
	if err := f.startBroker(); err != nil {
		return err
	}
	const look, patience = 10 * time.Millisecond, 10 * time.Second
	start := time.Now()
	for {
		err := f.flush(context.Background()) // fails also while the nodes have not seen the old broker go
		if err == nil {
			return nil
		}
		if time.Since(start) > patience {
			return fmt.Errorf("start the simulated broker: the nodes are not back after %s: %w", patience, err)
		}
		time.Sleep(look)
	}
}

// flush waits until the broker knows the nodes' subscriptions. Not with a timer of nats.go, which
// keeps them for the whole process: no second test with virtual time could follow the first.
func (f *Fleet) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return f.conn.FlushWithContext(ctx)
}

func (f *Fleet) startBroker() error {
	f.broker.Lock()
	defer f.broker.Unlock()
	srv, err := startServer(f.brokerOptions(f.port))
	if err != nil {
		return err
	}
	f.srv = srv
	if addr, ok := srv.Addr().(*net.TCPAddr); ok && f.opts.Listen {
		f.port = addr.Port
	}
	if addr := srv.ClusterAddr(); addr != nil {
		f.clusterPort = addr.Port
	}
	return nil
}

// brokerOptions are those of every broker of the fleet. The caller holds the broker's lock.
func (f *Fleet) brokerOptions(port int) *server.Options {
	opts := &server.Options{
		ServerName: "fleetsim", Host: "127.0.0.1", Port: port, DontListen: !f.opts.Listen, NoLog: true, NoSigs: true,
		MaxPayload: 16 << 20, // 5 MB are 12 in version 2, which writes base64 three times over
	}
	if f.opts.Cluster { // as Choria's brokers, they do not tell clients of each other
		opts.Cluster = server.ClusterOpts{Name: clusterName, Host: "127.0.0.1", Port: f.clusterPort, NoAdvertise: true}
	}
	if f.opts.Certs != nil {
		opts.TLSConfig = f.opts.Certs.serverTLS(f.opts.Tokens == nil)
		opts.TLSVerify = f.opts.Tokens == nil
		opts.TLSTimeout = 5
	}
	if f.opts.Tokens != nil {
		opts.AlwaysEnableNonce = true
		opts.CustomClientAuthentication = doorman{issuers: f.opts.Tokens.issuers(), secret: f.secret, logger: f.logger}
	}
	return opts
}

func startServer(opts *server.Options) (*server.Server, error) {
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("start the simulated broker: %w", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		srv.Shutdown()
		return nil, errors.New("start the simulated broker: it is not ready after 10 s")
	}
	return srv, nil
}

// StopBroker takes the broker away; the nodes wait for its return.
func (f *Fleet) StopBroker() {
	f.broker.Lock()
	srv := f.srv
	f.broker.Unlock()
	srv.Shutdown()
	srv.WaitForShutdown()
}

func (f *Fleet) connect(ctx context.Context) error {
	conn, err := f.dial("fleetsim nodes")
	if err != nil {
		return fmt.Errorf("connect the simulated nodes: %w", err)
	}
	f.conn = conn
	for _, subject := range []string{wire.NodeSubject(f.opts.Collective, ">"), wire.BroadcastSubject(f.opts.Collective, "*")} {
		sub, err := conn.Subscribe(subject, f.receiver())
		if err != nil {
			return fmt.Errorf("subscribe the simulated nodes: %w", err)
		}
		if err := sub.SetPendingLimits(-1, -1); err != nil {
			return fmt.Errorf("subscribe the simulated nodes: %w", err)
		}
	}
	if err := f.serveRegistry(); err != nil {
		return err
	}
	return f.flush(ctx)
}

// dial connects something that is part of the fleet to its broker.
func (f *Fleet) dial(name string) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.ReconnectBufSize(-1),
	}
	if f.opts.Tokens != nil {
		opts = append(opts, nats.UserInfo(nodesUser, f.secret))
	}
	url := nats.DefaultURL
	switch {
	case !f.opts.Listen:
		opts = append(opts, nats.InProcessServer(f))
	case f.opts.Certs != nil:
		opts = append(opts, nats.Secure(f.opts.Certs.clientTLS()))
		url = f.URL()
	default:
		url = f.URL()
	}
	return nats.Connect(url, opts...)
}

// URL is the address of the broker; empty when it does not listen.
func (f *Fleet) URL() string {
	if !f.opts.Listen {
		return ""
	}
	f.broker.Lock()
	defer f.broker.Unlock()
	return f.address(f.port)
}

func (f *Fleet) address(port int) string {
	scheme := "nats"
	if f.opts.Certs != nil {
		scheme = "tls"
	}
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
}

// InProcessConn connects to the broker without a socket; see nats.InProcessServer.
func (f *Fleet) InProcessConn() (net.Conn, error) {
	f.broker.Lock()
	srv := f.srv
	f.broker.Unlock()
	if !srv.Running() {
		return nil, errors.New("the simulated broker does not run")
	}
	return srv.InProcessConn()
}
