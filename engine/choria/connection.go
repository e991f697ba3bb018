package choria

import (
	"crypto/tls"
	"time"
)

// Connection says what a client is connected to at this moment.
type Connection struct {
	Broker    string        // its address, without secrets; empty when there is none
	Name      string        // what the broker calls itself
	TLS       string        // such as "TLS 1.3"; empty without
	RoundTrip time.Duration // of a ping to the broker; 0 when it did not answer
}

// Connection looks at the connection. It waits for one answer of the broker, 10 seconds at most.
func (c *Client) Connection() Connection {
	out := Connection{Broker: c.Broker(), Name: c.conn.ConnectedServerName()}
	if state, err := c.conn.TLSConnectionState(); err == nil {
		out.TLS = tls.VersionName(state.Version)
	}
	if d, err := c.conn.RTT(); err == nil {
		out.RoundTrip = d
	}
	return out
}

// Certificate names the files of the certificate, those of a puppet agent too; they are empty when there is none.
func (o Options) Certificate() (ca, cert, key string) {
	o = o.withDefaults().withPuppet()
	return o.CA, o.Cert, o.Key
}

// Try loads keys, certificates and tokens as [Connect] does, and connects to nothing. It says in whose name a
// client with these options asks.
func (o Options) Try() (Callers, error) {
	s, err := o.withDefaults().security()
	if s.end != nil {
		s.end()
	}
	return s.callers, err
}

// TokenEnds says when the token ends; the zero time is never.
func (o Options) TokenEnds() (time.Time, error) {
	held, err := holdToken(o.Token, o.Seed)
	if err != nil {
		return time.Time{}, err
	}
	end, _ := held.claims.Expiry()
	return end, nil
}
