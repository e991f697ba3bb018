// Package fleetsim is a Choria network in one process: a real NATS server and any number of
// simulated servers that speak the real wire. They have facts, classes and agents with versions,
// keep state that can be read afterwards, and misbehave on request.
//
// It is what `playbot dev` and `playbot demo` run against, and what the tests use. It binds loopback
// only. What it cannot judge (descriptions of agents, action policies) is for real servers.
package fleetsim
