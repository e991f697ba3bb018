package choria

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// security is how a client proves who asks, and knows who answers. There is one for each way that Choria knows:
// security_file.go (and security_puppet.go, which only finds its files), security_choria.go, security_insecure.go;
// with security_aaa.go a service signs in our place.
type security struct {
	version wire.Version
	callers Callers
	sealer  wire.Sealer
	senders wire.Senders  // nil: replies are not held to their senders
	options []nats.Option // of the connection
	secret  []byte        // what nobody else knows; see requestID
	end     func()        // lets go of connections of its own; nil when there are none
}

// security loads the keys. An error says what to look at.
func (o Options) security() (security, error) {
	if err := errors.Join(o.Check()...); err != nil {
		return security{}, err
	}
	o = o.withPuppet()
	var s security
	var err error
	switch {
	case o.Insecure:
		return o.insecure(), nil
	case o.Token != "":
		s, err = o.choria()
	case o.Signer != nil:
		s, err = o.signedFile()
	default:
		s, err = o.file()
	}
	if err != nil {
		return security{}, fmt.Errorf("choria: %w", err)
	}
	return s, nil
}

// Check returns everything that is wrong with how the options say who we are, before any file is read. The
// messages name the keys of the configuration.
func (o Options) Check() []error {
	var problems []error
	refuse := func(bad bool, text string) {
		if bad {
			problems = append(problems, errors.New(text))
		}
	}
	files := o.CA != "" || o.Cert != "" || o.Key != ""
	tokens := o.Token != "" || o.Seed != ""
	refuse(o.Insecure && (files || tokens || o.PuppetSSL != "" || o.Signer != nil || len(o.Issuers) > 0),
		"nats.insecure stands beside certificates or tokens, which it would ignore; remove it, or all of them for a simulated fleet")
	if o.Insecure {
		return problems
	}
	refuse(o.PuppetSSL != "" && files, "nats.puppet_ssl names ca, cert and key itself; remove nats.ca, nats.cert and nats.key, or nats.puppet_ssl")
	refuse(o.Token != "" && o.Seed == "", "nats.token is useless without its key; name the file of its seed in nats.seed")
	refuse(o.Seed != "" && o.Token == "" && o.Signer == nil, "nats.seed is the key of a token; name the file of the token in nats.token")
	refuse(len(o.Issuers) > 0 && o.Token == "", "nats.issuers hold the servers to their tokens, which only version 2 of the protocol has; add nats.token and nats.seed, or remove nats.issuers")
	refuse((o.Cert == "") != (o.Key == ""), "nats.cert and nats.key are needed together; set both, or none")
	if _, err := token.ParseIssuers(o.Issuers); err != nil {
		problems = append(problems, fmt.Errorf("nats.issuers: %w", err))
	}
	if o.Signer != nil {
		problems = append(problems, o.Signer.check(o)...)
	}
	if o.Token == "" && o.Signer == nil && o.PuppetSSL == "" && (o.CA == "" || o.Cert == "") {
		problems = append(problems, errors.New("nothing says who playbot is: set nats.ca, nats.cert and nats.key (or nats.puppet_ssl) for certificates, "+
			"nats.token and nats.seed for tokens, or nats.insecure: true for a simulated fleet only"))
	}
	return problems
}

// tls is how the connection is protected: the broker is verified always, by the CA or, when there is none, by
// those of the system.
func (o Options) tls(own ...tls.Certificate) (*tls.Config, error) {
	cfg := &tls.Config{Certificates: own, MinVersion: tls.VersionTLS12}
	if o.CA == "" {
		return cfg, nil
	}
	var err error
	cfg.RootCAs, err = loadRoots(o.CA)
	return cfg, err
}

func loadRoots(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return roots, nil
}
