// Package ratio compares our client with go-choria's client library and with a bare NATS loop, in one run, over
// one fleet on loopback. It holds nothing but benchmarks:
//
//	cd engine/choria/realfleet && go test -run '^$' -bench . -benchtime 1x ./ratio
//
// All three ask the same nodes directly for rpcutil.ping. The bare loop sends one request of Choria as often as
// there are nodes and counts what comes back: it makes no request but the first, and reads nothing. The nodes are
// one program of ours behind a plain NATS broker, which answers everybody in the same way and spends about as much
// on a reply as the broker does, so that what differs is the client.
//
// Each client is a process of its own, which this test binary starts of itself: the garbage of one is not collected
// in the time of another, and the memory that is measured is the client's. They take turns, and what is compared are
// medians, so that what else the machine does hits all of them.
package ratio
