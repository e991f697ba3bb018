package choria

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// outgoing is a signed request on its way to servers: directly, or through the Federation Brokers of
// every cluster of a federation, which look for the servers behind them.
type outgoing struct {
	send       func(subject string, message []byte) error
	collective string
	clusters   []string // of the federation; none: directly
	sealed     wire.Sealed
	message    []byte // for servers that are reached directly
}

// sign makes a request ready to be sent.
func (c *Client) sign(ctx context.Context, r wire.Request) (outgoing, error) {
	sealed, err := wire.Seal(ctx, c.security.version, r, c.security.sealer)
	if err != nil {
		return outgoing{}, err
	}
	out := outgoing{send: c.conn.Publish, collective: c.opts.Collective, clusters: c.opts.Federation, sealed: sealed}
	if len(out.clusters) == 0 {
		out.message, err = sealed.Message()
	}
	return out, err
}

// parts splits nodes into those that are asked with one message.
func (o outgoing) parts(nodes []string) iter.Seq[[]string] {
	if len(o.clusters) == 0 {
		return slices.Chunk(nodes, 1)
	}
	return slices.Chunk(nodes, wire.MaxTargets)
}

// toNodes asks the nodes of one part. left says whether any of them may have been asked, also when there
// is an error.
func (o outgoing) toNodes(part []string) (left bool, err error) {
	if len(o.clusters) == 0 {
		return o.publish(wire.NodeSubject(o.collective, part[0]), o.message)
	}
	targets := make([]string, 0, len(part))
	for _, n := range part {
		targets = append(targets, wire.NodeSubject(o.collective, n))
	}
	return o.federated(targets)
}

// to publishes to one subject, such as that of all servers with an agent. An error wraps [ErrNotSent] when
// nothing can have left.
func (o outgoing) to(subject string) error {
	var left bool
	var err error
	if len(o.clusters) == 0 {
		left, err = o.publish(subject, o.message)
	} else {
		left, err = o.federated([]string{subject})
	}
	if err != nil && !left {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return err
}

// federated gives the request to one Federation Broker of every cluster: nobody knows which of them a
// server is behind, and those that it is not behind reach nobody.
func (o outgoing) federated(targets []string) (left bool, err error) {
	msg, err := o.sealed.Federated(targets)
	if err != nil {
		return false, err
	}
	for _, cluster := range o.clusters {
		one, err := o.publish(wire.FederationSubject(cluster), msg)
		left = left || one
		if err != nil {
			return left, fmt.Errorf("through the federation %s: %w", cluster, err)
		}
	}
	return left, nil
}

func (o outgoing) publish(subject string, msg []byte) (left bool, err error) {
	err = o.send(subject, msg)
	return err == nil || !certain(err), err
}
