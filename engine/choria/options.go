package choria

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Options say how to reach a network.
type Options struct {
	Servers    []string // nats:// or tls:// addresses
	Collective string   // default mcollective
	Identity   string   // the name in the certificate; the caller is choria=<identity>
	CA         string   // PEM files of the `file` security; required unless Insecure
	Cert       string
	Key        string
	Insecure   bool          // no TLS and no signatures: for simulated fleets only
	Patient    bool          // a network that is out of reach at first is no error; it is tried until it is there
	Window     time.Duration // a discovery ends after this much silence; default 300 ms
	MaxWait    time.Duration // and never lasts longer than this; default 5 s
	Timeout    time.Duration // of a call that sets none; default 20 s
	Logger     *slog.Logger  // nil: discarded
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
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// security loads the keys: how requests are signed and how the connection is protected.
func (o Options) security() (wire.Signer, []nats.Option, error) {
	if o.Insecure {
		return wire.Insecure{}, nil, nil
	}
	if o.CA == "" || o.Cert == "" || o.Key == "" {
		return nil, nil, errors.New("choria: a CA, a certificate and a key are needed; without them set insecure, for a simulated fleet only")
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("choria: certificate %s with key %s: %w", o.Cert, o.Key, err)
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("choria: %s is not an RSA key; Choria's file security knows no other", o.Key)
	}
	if err := o.checkIdentity(pair); err != nil {
		return nil, nil, err
	}
	roots, err := loadRoots(o.CA)
	if err != nil {
		return nil, nil, err
	}
	pemCert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}
	return wire.RSA{Key: key, Cert: string(pemCert)}, []nats.Option{nats.Secure(cfg)}, nil
}

// checkIdentity refuses a name that the servers would: they would not answer, and not say why.
func (o Options) checkIdentity(pair tls.Certificate) error {
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("choria: certificate %s: %w", o.Cert, err)
	}
	if names := append([]string{cert.Subject.CommonName}, cert.DNSNames...); !slices.Contains(names, o.Identity) {
		return fmt.Errorf("choria: certificate %s names %s and not the identity %q; set the identity to the certificate's name, else no server answers",
			o.Cert, strings.Join(slices.Compact(names), ", "), o.Identity)
	}
	if !wire.ClientName(o.Identity) {
		return fmt.Errorf("choria: the identity %q does not end in .mcollective or .choria; servers take requests from no other name", o.Identity)
	}
	return nil
}

func loadRoots(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("choria: CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("choria: %s holds no certificate in PEM form", path)
	}
	return roots, nil
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
func (o Options) connectError(err error) error {
	return fmt.Errorf("connect to the Choria network at %s: %w; is the broker running, and is the address in nats.servers right?",
		strings.Join(o.Servers, ", "), err)
}
