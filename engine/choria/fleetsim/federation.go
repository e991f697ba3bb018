package fleetsim

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Federation is a network of callers, who reach the nodes of some fleets through one Federation Broker
// for each. It has no security of its own. Safe for concurrent use.
type Federation struct {
	srv    *server.Server
	conns  []*nats.Conn
	mu     sync.Mutex // guards passed
	passed []Passed
}

// Passed is one request that a Federation Broker took.
type Passed struct {
	Cluster string
	Targets []string // subjects
}

// StartFederation starts the network; the fleets are named by the clusters of their brokers.
func StartFederation(ctx context.Context, fleets map[string]*Fleet) (*Federation, error) {
	srv, err := startServer(&server.Options{ServerName: "federation", DontListen: true, AlwaysEnableNonce: true, NoLog: true, NoSigs: true, MaxPayload: 16 << 20})
	if err != nil {
		return nil, err
	}
	f := &Federation{srv: srv}
	for cluster, fleet := range fleets {
		if err := f.join(ctx, cluster, fleet); err != nil {
			f.Stop()
			return nil, err
		}
	}
	return f, nil
}

// join makes the Federation Broker of a cluster, as go-choria's: it publishes a request to its targets
// with itself as the one to reply to, and a reply to whom the request named.
func (f *Federation) join(ctx context.Context, cluster string, fleet *Fleet) error {
	outside, err := nats.Connect(nats.DefaultURL, nats.InProcessServer(f), nats.Name("federation broker "+cluster))
	if err != nil {
		return fmt.Errorf("connect a simulated Federation Broker: %w", err)
	}
	f.conns = append(f.conns, outside)
	inside, err := fleet.dial("federation broker " + cluster)
	if err != nil {
		return fmt.Errorf("connect a simulated Federation Broker: %w", err)
	}
	f.conns = append(f.conns, inside)
	_, err = outside.Subscribe(wire.FederationSubject(cluster), func(m *nats.Msg) { f.request(cluster, m.Data, inside) })
	if err != nil {
		return err
	}
	if _, err = inside.Subscribe(wire.CollectiveSubject(cluster), func(m *nats.Msg) { f.reply(m.Data, outside) }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := inside.FlushWithContext(ctx); err != nil {
		return err
	}
	return outside.FlushWithContext(ctx)
}

func (f *Federation) request(cluster string, data []byte, to *nats.Conn) {
	var targets []string
	msg, err := wire.Forward(data, func(replyTo string, fed *wire.Federation) (string, *wire.Federation) {
		if fed == nil {
			return replyTo, nil
		}
		targets = fed.Targets
		return wire.CollectiveSubject(cluster), &wire.Federation{Request: fed.Request, ReplyTo: replyTo}
	})
	if err != nil {
		return
	}
	f.mu.Lock()
	f.passed = append(f.passed, Passed{Cluster: cluster, Targets: targets})
	f.mu.Unlock()
	for _, t := range targets {
		if to.Publish(t, msg) != nil {
			return
		}
	}
}

func (f *Federation) reply(data []byte, to *nats.Conn) {
	var subject string
	msg, err := wire.Forward(data, func(_ string, fed *wire.Federation) (string, *wire.Federation) {
		if fed != nil {
			subject = fed.ReplyTo
		}
		return "", nil
	})
	if err == nil && subject != "" {
		_ = to.Publish(subject, msg) // the caller misses what cannot be published
	}
}

// Passed lists the requests that the Federation Brokers took so far.
func (f *Federation) Passed() []Passed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.passed)
}

// InProcessConn connects a caller without a socket; see nats.InProcessServer.
func (f *Federation) InProcessConn() (net.Conn, error) { return f.srv.InProcessConn() }

// Stop ends the network of the callers, not the fleets.
func (f *Federation) Stop() {
	for _, c := range f.conns {
		c.Close()
	}
	f.srv.Shutdown()
	f.srv.WaitForShutdown()
}
