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
	out := Connection{Broker: c.conn.ConnectedUrlRedacted(), Name: c.conn.ConnectedServerName()}
	if state, err := c.conn.TLSConnectionState(); err == nil {
		out.TLS = tls.VersionName(state.Version)
	}
	if d, err := c.conn.RTT(); err == nil {
		out.RoundTrip = d
	}
	return out
}
