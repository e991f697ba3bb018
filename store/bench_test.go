package store_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// Rates of a disk mean nothing by themselves; each benchmark reports how many appends take as long as
// one raw write of 4 KiB that reaches the disk, measured before and after in the same run.

func BenchmarkAppend_alone(b *testing.B) {
	s, raw := openAt(b, newPath(b)), rawWrites(b)
	fact := engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: engine.Once, Nodes: []string{"web1", "web2"}, Key: "k"}
	for b.Loop() {
		appendTo(b, s, "bot", fact)
	}
	report(b, raw)
}

func BenchmarkAppend_by128(b *testing.B) {
	const callers = 128
	s, raw := openAt(b, newPath(b)), rawWrites(b)
	streams := make([]engine.StreamID, callers)
	for i := range streams {
		streams[i] = newRun().Stream()
	}
	fact := engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: engine.Once, Nodes: []string{"web1", "web2"}, Key: "k"}
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for _, stream := range streams {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := s.Append(b.Context(), stream, engine.AnySeq, fact); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	report(b, raw)
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

// report adds the rate and its ratio to that of raw writes.
func report(b *testing.B, before float64) {
	b.Helper()
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	raw := (before + rawWrites(b)) / 2
	b.ReportMetric(rate, "appends/s")
	b.ReportMetric(raw, "raw/s")
	b.ReportMetric(rate/raw, "x_raw")
}

// rawWrites is how many writes of 4 KiB reach the disk in a second, one after another.
func rawWrites(b *testing.B) float64 {
	b.Helper()
	const writes = 200
	f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4096)
	if _, err := f.Write(make([]byte, writes*len(page))); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	for i := range writes {
		if _, err := f.WriteAt(page, int64(i*len(page))); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	return writes / time.Since(begin).Seconds()
}
