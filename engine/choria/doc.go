// Package choria speaks to a Choria network: it discovers servers and calls their agents, over one
// NATS connection that every run shares.
//
// Requests go directly to named servers; a call without targets is an error and never a broadcast.
// One reply counts per server. What arrives from servers that were not asked, twice, late or
// damaged is counted and never mistaken for an answer.
//
// Who asks is proved in one of several ways, each in a file security_*.go; see [Options]. In version 1 of
// the protocol requests are signed and replies are not: whoever controls the broker can forge replies. In
// version 2 both are, and replies are held to the servers' tokens when [Options.Issuers] are known.
package choria
