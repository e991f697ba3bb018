package ratio_test

import (
	"fmt"
	"testing"
	"time"
)

// modes are version 1 of the protocol without signatures over a plain connection, and with certificates over TLS.
func modes() []mode { return []mode{{"insecure", false}, {"file", true}} }

type mode struct {
	name   string
	secure bool
}

func kinds() []string { return []string{"ours", "library", "bare"} }

func TestClients_areAnsweredByEveryNode(t *testing.T) {
	t.Parallel()
	for _, mode := range modes() {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			s := startFleet(t, mode.secure)
			for _, kind := range kinds() {
				d := start(t, kind, s).do(t, order{Nodes: 50, Callers: 1, Calls: 2})
				if len(d.Calls) != 2 || d.Took <= 0 {
					t.Errorf("%s: got %+v, want two calls", kind, d)
				}
			}
		})
	}
}

// rounds in which all clients have their turn.
const rounds = 7

// BenchmarkRatio asks 500, 2,000 and 10,000 nodes. x-bare and x-library are our time as a multiple of the others',
// x-library-cpu the same for the processor's time of the client alone. MB-… is the most memory that the process has
// had resident; both processes contain go-choria, which makes ours larger than the bot by MB-start.
func BenchmarkRatio(b *testing.B) {
	for _, mode := range modes() {
		for _, nodes := range []int{500, 2_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", mode.name, nodes), func(b *testing.B) { compare(b, mode.secure, nodes) })
		}
	}
}

func compare(b *testing.B, secure bool, nodes int) {
	b.Helper()
	s := startFleet(b, secure)
	clients := make(map[string]*process)
	took, cpu, peak := make(map[string][]time.Duration), make(map[string][]time.Duration), make(map[string]int)
	for _, kind := range kinds() {
		clients[kind] = start(b, kind, s)
		peak["start"] = clients[kind].do(b, order{Nodes: 1, Callers: 1, Calls: 1}).PeakKiB
	}
	for b.Loop() {
		for range rounds {
			for _, kind := range kinds() {
				d := clients[kind].do(b, order{Nodes: nodes, Callers: 1, Calls: 1})
				took[kind], cpu[kind], peak[kind] = append(took[kind], d.Took), append(cpu[kind], d.CPU), d.PeakKiB
			}
		}
	}
	for _, kind := range kinds() {
		b.ReportMetric(float64(median(took[kind]).Microseconds())/1e3, "ms-"+kind)
	}
	b.ReportMetric(float64(median(took["ours"]))/float64(median(took["bare"])), "x-bare")
	b.ReportMetric(float64(median(took["ours"]))/float64(median(took["library"])), "x-library")
	b.ReportMetric(float64(median(cpu["ours"]))/float64(median(cpu["library"])), "x-library-cpu")
	for _, kind := range []string{"start", "ours", "library"} {
		b.ReportMetric(float64(peak[kind])/1024, "MB-"+kind)
	}
	b.ReportMetric(0, "ns/op") // of all rounds of all clients: it says nothing
}

// BenchmarkTwenty has twenty callers ask 50 nodes each, again and again: ours over one connection, the library over
// four for each call. x-library is how many times as many calls we make in a second.
func BenchmarkTwenty(b *testing.B) {
	const callers, nodes, calls = 20, 50, 5
	kinds := []string{"ours", "library"}
	for _, mode := range modes() {
		b.Run(mode.name, func(b *testing.B) {
			s := startFleet(b, mode.secure)
			clients := make(map[string]*process)
			rate, latency, peak := make(map[string][]float64), make(map[string][]time.Duration), make(map[string]int)
			for _, kind := range kinds {
				clients[kind] = start(b, kind, s)
				clients[kind].do(b, order{Nodes: 1, Callers: 1, Calls: 1})
			}
			for b.Loop() {
				for range rounds {
					for _, kind := range kinds {
						d := clients[kind].do(b, order{Nodes: nodes, Callers: callers, Calls: calls})
						rate[kind] = append(rate[kind], callers*calls/d.Took.Seconds())
						latency[kind], peak[kind] = append(latency[kind], d.Calls...), d.PeakKiB
					}
				}
			}
			for _, kind := range kinds {
				b.ReportMetric(median(rate[kind]), "calls/s-"+kind)
				b.ReportMetric(float64(at(0.5, latency[kind]).Microseconds())/1e3, "ms-p50-"+kind)
				b.ReportMetric(float64(at(0.99, latency[kind]).Microseconds())/1e3, "ms-p99-"+kind)
				b.ReportMetric(float64(peak[kind])/1024, "MB-"+kind)
			}
			b.ReportMetric(median(rate["ours"])/median(rate["library"]), "x-library")
			b.ReportMetric(0, "ns/op")
		})
	}
}
