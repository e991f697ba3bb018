// Package choria speaks to a Choria network: it discovers servers and calls their agents, over one
// NATS connection that every run shares.
//
// Requests go directly to named servers; a call without targets is an error and never a broadcast.
// One reply counts per server. What arrives from servers that were not asked, twice, late or
// damaged is counted and never mistaken for an answer.
//
// In protocol version 1 requests are signed and replies are not: whoever controls the broker can
// forge replies.
package choria
