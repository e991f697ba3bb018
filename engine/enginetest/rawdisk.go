package enginetest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// RawWriter returns one write of 4 KiB that reaches the disk, in place, which says how long it took.
// It is what benchmarks compare themselves with: rates of a disk mean nothing by themselves.
func RawWriter(tb testing.TB) func() time.Duration {
	tb.Helper()
	const pages = 256
	f, err := os.Create(filepath.Join(tb.TempDir(), "raw"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	page := make([]byte, 4096)
	if _, err := f.Write(make([]byte, pages*len(page))); err != nil {
		tb.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		tb.Fatal(err)
	}
	next := 0
	return func() time.Duration {
		began := time.Now()
		next = (next + 1) % pages
		if _, err := f.WriteAt(page, int64(next*len(page))); err != nil {
			tb.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			tb.Fatal(err)
		}
		return time.Since(began)
	}
}
