package fleetsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

const clusterName = "fleetsim"

// Peer is one more broker of a fleet's cluster. The nodes are connected to the first broker; clients
// reach them through any. Safe for concurrent use.
type Peer struct {
	fleet *Fleet
	opts  server.Options

	mu  sync.Mutex // guards srv
	srv *server.Server
}

// AddBroker adds a broker to a fleet with [Options.Cluster] and [Options.Listen]. It returns when a
// client of the new broker reaches the nodes. The fleet stops it in the end.
func (f *Fleet) AddBroker(ctx context.Context) (*Peer, error) {
	if !f.opts.Cluster || !f.opts.Listen {
		return nil, errors.New("add a simulated broker: the fleet was started without Cluster and Listen")
	}
	f.broker.Lock()
	opts := f.brokerOptions(server.RANDOM_PORT)
	opts.ServerName = fmt.Sprintf("fleetsim-%d", len(f.peers)+2)
	opts.Cluster.Port = server.RANDOM_PORT
	opts.Routes = server.RoutesFromStr(fmt.Sprintf("nats://127.0.0.1:%d", f.clusterPort))
	p := &Peer{fleet: f, opts: *opts}
	f.peers = append(f.peers, p)
	f.broker.Unlock()
	return p, p.Start(ctx)
}

// Start starts the broker again after [Peer.Stop], on the same port. It returns when a client of it
// reaches the nodes.
func (p *Peer) Start(ctx context.Context) error {
	opts := p.opts
	srv, err := startServer(&opts)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.srv = srv
	if addr, ok := srv.Addr().(*net.TCPAddr); ok {
		p.opts.Port = addr.Port
	}
	p.mu.Unlock()
	subject := wire.BroadcastSubject(p.fleet.opts.Collective, discovery)
	for !srv.GlobalAccount().SubscriptionInterest(subject) {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("add a simulated broker: it hears nothing of the nodes: %w", context.Cause(ctx))
		}
	}
	return nil
}

// URL is the address of the broker.
func (p *Peer) URL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fleet.address(p.opts.Port)
}

// Stop takes the broker away. It may be called twice.
func (p *Peer) Stop() {
	p.mu.Lock()
	srv := p.srv
	p.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

func (f *Fleet) stopPeers() {
	f.broker.Lock()
	peers := f.peers
	f.broker.Unlock()
	for _, p := range peers {
		p.Stop()
	}
}
