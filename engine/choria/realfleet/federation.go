package realfleet

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/choria-io/go-choria/broker/federation"

	"github.com/playbot/playbot/engine/choria"
)

// Federation is a network of callers, who reach the servers of some fleets through go-choria's own
// Federation Brokers. All of them trust one authority. Safe for concurrent use.
type Federation struct {
	URL    string            // of the broker that callers connect to
	Fleets map[string]*Fleet // by cluster

	security security
	stops    map[string]func() // of the Federation Brokers
}

// StartFederation starts such a network in mode [File], with a fleet for each cluster. The Federation
// Brokers may still be connecting when it returns: look for servers until all are there. The names of
// the servers must differ.
func StartFederation(tb testing.TB, clusters map[string][]Node) *Federation {
	tb.Helper()
	o := Options{}.withDefaults()
	dir := tb.TempDir()
	sec, err := newSecurity(o.Mode, dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	f := &Federation{Fleets: make(map[string]*Fleet), security: sec, stops: make(map[string]func())}
	outside := &site{dir: folderIn(tb, dir, "federation"), mode: o.Mode, security: sec, log: newLog(tb)}
	url, stop, err := outside.startBroker(ctx)
	if err != nil {
		tb.Fatalf("start the federation's broker: %v", err)
	}
	tb.Cleanup(stop)
	f.URL = url
	for _, cluster := range slices.Sorted(maps.Keys(clusters)) {
		o.Nodes = clusters[cluster]
		fleet := start(ctx, tb, o, folderIn(tb, dir, cluster), sec)
		f.Fleets[cluster] = fleet
		if f.stops[cluster], err = outside.federate(ctx, cluster, url, fleet.URL); err != nil {
			tb.Fatalf("start the Federation Broker of %s: %v", cluster, err)
		}
		tb.Cleanup(f.stops[cluster])
	}
	return f
}

func folderIn(tb testing.TB, dir, name string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		tb.Fatal(err)
	}
	return path
}

// federate starts the Federation Broker of a cluster, as `choria broker run` does, and returns a function
// that stops it, which may be called twice.
func (s *site) federate(ctx context.Context, cluster, outside, inside string) (stop func(), err error) {
	name := "federation." + cluster + ".example.net"
	if err := os.Mkdir(s.folder(name), 0o700); err != nil {
		return nil, err
	}
	fw, err := s.framework(name, true, map[string]string{
		"plugin.choria.broker_federation":           "true",
		"plugin.choria.federation.cluster":          cluster,
		"plugin.choria.federation_middleware_hosts": outside,
		"plugin.choria.middleware_hosts":            inside,
	})
	if err != nil {
		return nil, err
	}
	broker, err := federation.NewFederationBroker(cluster, fw)
	if err != nil {
		return nil, fmt.Errorf("make it: %w", err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	go broker.Start(running, &wg)
	return func() { cancel(); wg.Wait() }, nil
}

// Options is how our client reaches the servers of every cluster.
func (f *Federation) Options() choria.Options {
	o := f.security.client()
	o.Servers, o.Federation = []string{f.URL}, slices.Sorted(maps.Keys(f.Fleets))
	return o
}

// Names returns the names of the servers of every cluster, sorted.
func (f *Federation) Names() []string {
	var out []string
	for _, fleet := range f.Fleets {
		out = append(out, fleet.Names()...)
	}
	slices.Sort(out)
	return out
}

// Calls returns what the appmgr agents of every cluster were asked so far.
func (f *Federation) Calls() []Call {
	var out []Call
	for _, fleet := range f.Fleets {
		out = append(out, fleet.Calls()...)
	}
	return out
}

// StopBroker takes away the Federation Broker of a cluster.
func (f *Federation) StopBroker(cluster string) { f.stops[cluster]() }
