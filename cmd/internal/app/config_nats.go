package app

import (
	"errors"
	"time"

	"github.com/playbot/playbot/engine/choria"
)

// NATSConfig says how to reach the Choria network, and as whom.
type NATSConfig struct {
	Servers    []string `yaml:"servers"`    // brokers; without these and a domain there is no network, and tasks that need one say so
	SRVDomain  string   `yaml:"srv_domain"` // instead of servers: the domain whose SRV records name the brokers
	Federation []string `yaml:"federation"` // clusters of a federation through which the servers are reached; none: directly
	Collective string   `yaml:"collective"` // default mcollective; with a token choria, as servers with tokens have it
	Identity   string   `yaml:"identity"`   // the name in the certificate

	// A certificate, in one of two places.
	CA        string `yaml:"ca"` // of the broker too
	Cert      string `yaml:"cert"`
	Key       string `yaml:"key"`
	PuppetSSL string `yaml:"puppet_ssl"` // the ssldir of a puppet agent

	// Or a token, and the issuers of the servers' tokens.
	Token   string            `yaml:"token"`
	Seed    string            `yaml:"seed"`
	Issuers map[string]string `yaml:"issuers"` // organization -> public key, 64 hexadecimal digits

	Signer   *SignerConfig `yaml:"signer"`           // an AAA service that signs requests
	Insecure bool          `yaml:"insecure"`         // no TLS, no signatures: only for a simulated fleet
	Window   time.Duration `yaml:"discovery_window"` // default 300ms of silence ends a discovery
	Timeout  time.Duration `yaml:"timeout"`          // of one request; default 20s
}

// SignerConfig says how to reach an AAA service.
type SignerConfig struct {
	URL   string `yaml:"url"`
	Token string `yaml:"token"` // default nats.token
	CA    string `yaml:"ca"`    // of the service's certificate; default the system's
}

// paths are the fields that are relative to the file's folder.
func (c *NATSConfig) paths() []*string {
	paths := []*string{&c.CA, &c.Cert, &c.Key, &c.PuppetSSL, &c.Token, &c.Seed}
	if c.Signer != nil {
		paths = append(paths, &c.Signer.Token, &c.Signer.CA)
	}
	return paths
}

// Used reports whether the configuration names a network.
func (c *NATSConfig) Used() bool { return len(c.Servers) > 0 || c.SRVDomain != "" }

func (c *NATSConfig) check() error {
	var problems []error
	for _, s := range c.Servers {
		problems = append(problems, checkURL("nats.servers", s, "tls", "nats", "ws", "wss"))
	}
	if c.Timeout < 0 || c.Window < 0 {
		problems = append(problems, errors.New("nats.timeout and nats.discovery_window are times from now on, not negative"))
	}
	problems = append(problems, c.options().CheckWay()...)
	if c.Used() {
		problems = append(problems, c.options().Check()...)
	}
	return errors.Join(problems...)
}

// usualCollective is the one of servers that say nothing of it: those with tokens have another than all others.
func (c *NATSConfig) usualCollective() string {
	if c.Token != "" {
		return "choria"
	}
	return "mcollective"
}

// options are those of the client.
func (c *NATSConfig) options() choria.Options {
	o := choria.Options{
		Servers: c.Servers, SRVDomain: c.SRVDomain, Federation: c.Federation, Collective: c.Collective, Identity: c.Identity,
		CA: c.CA, Cert: c.Cert, Key: c.Key, PuppetSSL: c.PuppetSSL, Token: c.Token, Seed: c.Seed, Issuers: c.Issuers, Insecure: c.Insecure, Window: c.Window, Timeout: c.Timeout,
	}
	if c.Signer != nil {
		o.Signer = &choria.SignerOptions{URL: c.Signer.URL, Token: c.Signer.Token, CA: c.Signer.CA}
	}
	return o
}
