package choria

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say how to reach a network.
type Options struct {
	Servers    []string // nats:// or tls:// addresses
	SRVDomain  string   // instead of Servers: the domain whose SRV records name the brokers
	Resolver   Resolver // of the SRV records; nil: the system's
	Federation []string // clusters of a federation through which servers are reached; none: directly
	Collective string   // default mcollective
	Identity   string   // the name in the certificate, or of this machine; default playbot.mcollective
	// Who asks, and how requests are signed. With Insecure nothing is, in version 1 of the protocol. With Token and
	// Seed it is version 2, else version 1 with a certificate. With Signer an AAA service signs in our place.
	CA        string // PEM file of the CA that the broker's certificate comes from; with a token, default the system's
	Cert      string // PEM file of the certificate; its name ends in .mcollective or .choria
	Key       string // PEM file of its RSA key
	PuppetSSL string // a puppet agent's ssldir: names CA, Cert and Key by Identity
	Token     string // file of a client's token (JWT); read again when it has ended
	Seed      string // file of the ed25519 seed of the token, in hexadecimal digits
	// Issuers are organizations and their public keys in hexadecimal digits. With any, a reply counts only when a
	// server that one of them vouches for has signed it; without, replies are not held to their senders.
	Issuers  map[string]string
	Signer   *SignerOptions // an AAA service; nil: we sign
	Insecure bool           // no TLS and no signatures: for simulated fleets only

	Patient bool          // a network that is out of reach at first is no error; it is tried until it is there
	Window  time.Duration // a discovery ends after this much silence, or after as much as the answers took; default 300 ms
	MaxWait time.Duration // and never lasts longer than this; default 5 s
	Timeout time.Duration // of a call that sets none; default 20 s
	Logger  *slog.Logger  // nil: discarded
	// InProcess connects to a server in this process, for tests.
	InProcess interface{ InProcessConn() (net.Conn, error) }
}

func (o Options) withDefaults() Options {
	if o.Collective == "" {
		o.Collective = "mcollective"
	}
	if o.Identity == "" {
		o.Identity = "playbot.mcollective"
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&o.Window, 300 * time.Millisecond}, {&o.MaxWait, 5 * time.Second}, {&o.Timeout, 20 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) natsOptions(extra []nats.Option, r *reach) []nats.Option {
	opts := append([]nats.Option{
		nats.Name("playbot " + o.Identity),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(time.Second),
		// A request that cannot be sent now is not sent: kept back, it would reach servers after its
		// caller was told that they are silent.
		nats.ReconnectBufSize(-1),
		nats.Timeout(connectTimeout),
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() { // we closed it ourselves: nothing is lost
				r.lost(err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Logger.Warn("the Choria network: something went wrong", "error", err)
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { r.lost(err) }),
		nats.ConnectHandler(r.back),
		nats.ReconnectHandler(r.back),
	}, extra...)
	if o.Patient {
		opts = append(opts, nats.RetryOnFailedConnect(true))
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	return opts
}

// connectError says what to look at when the first connection fails.
func (o Options) connectError(servers []string, err error) error {
	place, question := o.where(servers)
	advice := "is the broker running, and " + question
	if errors.Is(err, nats.ErrAuthorization) {
		advice = "the broker turns us away: was the token or certificate issued by somebody it trusts, and does it still count?"
	}
	return fmt.Errorf("connect to the Choria network at %s: %w; %s", place, err, advice)
}
