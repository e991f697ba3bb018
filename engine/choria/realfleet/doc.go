// Package realfleet is a real Choria network in one process: go-choria's own broker and servers, in
// the `file` security mode with certificates made on the spot. It is the judge of engine/choria and
// of the double engine/choria/fleetsim: what they believe about the wire is checked here.
//
// There is no choria binary and no child process. [Start] writes a configuration file for the broker
// and for each server, as an administrator would, and hands it to the packages that `choria broker
// run` and `choria server run` call: broker/network and server. The broker listens on a port of
// loopback that the system chooses, each server has its own TLS connection to it, and all of them
// end with the test. Six servers are ready in about 0.3 s, of which most is making RSA keys.
//
//	cd engine/choria/realfleet && go test -count=1 ./...
//
// It needs Go and the module proxy alone. From an empty build cache it compiles about 650 packages.
//
// It is a module of its own, with go-choria pinned and playbot replaced by this checkout, so that
// go-choria with its eighty modules is never part of the bot. Nothing here may import go-choria's
// cmd package: one of its dependencies is not served by the module proxy. For the same reason `go
// list -m all` fails; `go mod tidy` and `go mod verify` work.
package realfleet
