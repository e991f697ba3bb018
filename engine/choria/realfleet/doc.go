// Package realfleet is a real Choria network in one process: go-choria's own broker and servers, in
// each of the three security modes, with keys made on the spot. It is the judge of engine/choria and
// of the double engine/choria/fleetsim: what they believe about the wire is checked here.
//
// There is no choria binary. [Start] writes a configuration file for the broker and for each server,
// as an administrator would, and hands it to the packages that `choria broker run` and `choria server
// run` call: broker/network and server. The broker listens on a port of loopback that the system
// chooses, each server has its own connection to it, and all of them end with the test. Six servers
// are ready in about 0.3 s.
//
//	cd engine/choria/realfleet && go test -count=1 ./...
//
// # Modes
//
// [File] has certificates and version 1 of the protocol, [JWT] tokens of an issuer and version 2, and
// [Insecure] neither; its broker is a plain NATS server, because Choria's own turns away whoever has
// nothing to show. What holds in every mode is the suite of package realfleettest. A process verifies
// requests or does not, so the insecure servers are tested in package insecure.
//
// # Agents
//
// A server has the agents discovery and rpcutil, which are Choria's own, and either an appmgr in this
// process or external agents: puppet, haproxy, appmgr and nrpe of package webagents, one executable
// that the server starts for each request, as package external describes. A folder for each server
// holds its configuration, its log, its audit log and the state that its agents have made: see
// [Fleet.Log], [Fleet.Audit] and [Fleet.State]. [Fleet.Fault] makes an action fail, or hang.
//
// # Module
//
// It needs Go and the module proxy alone. From an empty build cache it compiles about 650 packages.
// It is a module of its own, with go-choria pinned and playbot replaced by this checkout, so that
// go-choria with its eighty modules is never part of the bot. Nothing here may import go-choria's
// cmd package: one of its dependencies is not served by the module proxy. For the same reason `go
// list -m all` fails; `go mod tidy` and `go mod verify` work.
package realfleet
