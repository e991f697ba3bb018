package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// Rates of a disk mean nothing by themselves, and on a shared machine they change by the second. Each
// benchmark reports how many appends take as long as one raw write of 4 KiB that reaches the disk, with
// the raw writes right beside the appends, and as a ratio of medians.

func BenchmarkAppend_alone(b *testing.B) {
	s, write := openAt(b, newPath(b)), enginetest.RawWriter(b)
	var appends, writes []time.Duration
	for b.Loop() {
		began := time.Now()
		appendTo(b, s, "bot", started())
		appends = append(appends, time.Since(began))
		b.StopTimer()
		writes = append(writes, write())
		b.StartTimer()
	}
	one, raw := median(appends), median(writes)
	b.ReportMetric(micro(one), "µs/append")
	b.ReportMetric(micro(raw), "µs/raw_write")
	b.ReportMetric(float64(raw)/float64(one), "appends/raw_write")
}

// BenchmarkAppend_by128 is 128 callers with a stream each; one operation is 16 appends by each of them.
func BenchmarkAppend_by128(b *testing.B) {
	const callers, times, writes = 128, 16, 25
	s, write := openAt(b, newPath(b)), enginetest.RawWriter(b)
	streams := make([]engine.StreamID, callers)
	for i := range streams {
		streams[i] = newRun().Stream()
	}
	var took []time.Duration
	var ratios []float64
	for b.Loop() {
		began := time.Now()
		appendAll(b, s, streams, times)
		one := time.Since(began) / (callers * times)
		b.StopTimer()
		raw := make([]time.Duration, writes)
		for i := range raw {
			raw[i] = write()
		}
		took, ratios = append(took, one), append(ratios, float64(median(raw))/float64(one))
		b.StartTimer()
	}
	b.ReportMetric(micro(median(took)), "µs/append")
	b.ReportMetric(median(ratios), "appends/raw_write")
}

func appendAll(b *testing.B, s *store.Store, streams []engine.StreamID, times int) {
	b.Helper()
	var wg sync.WaitGroup
	for _, stream := range streams {
		wg.Go(func() {
			for range times {
				if _, err := s.Append(b.Context(), stream, engine.AnySeq, started()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func started() engine.Payload {
	return engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: engine.Once, Nodes: []string{"web1", "web2"}, Key: "k"}
}

func BenchmarkFind_newest50(b *testing.B) {
	s := openAt(b, newPath(b))
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 160 {
				run := newRun()
				if _, err := s.Append(b.Context(), run.Stream(), 0, requested("deploy", "U1", "")); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for b.Loop() {
		if got, err := s.Find(b.Context(), engine.HistoryQuery{Playbook: "deploy", Limit: 50}); err != nil || len(got) != 50 {
			b.Fatalf("got %d runs and %v, want 50", len(got), err)
		}
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median[N time.Duration | float64](list []N) N {
	slices.Sort(list)
	return list[len(list)/2]
}
