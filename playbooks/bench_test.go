package playbooks_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

const manyBooks = 1000 // playbooks of a large team

// thousand writes a folder of 1,000 playbooks, each of them web_upgrade under another name.
func thousand(b *testing.B) (dir string, files [][]byte) {
	b.Helper()
	book, err := os.ReadFile("examples/web_upgrade.yaml")
	if err != nil {
		b.Fatal(err)
	}
	handler, err := os.ReadFile("examples/deploy_failure_handler.yaml")
	if err != nil {
		b.Fatal(err)
	}
	dir = b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "deploy_failure_handler.yaml"), handler, 0o600); err != nil {
		b.Fatal(err)
	}
	for i := range manyBooks {
		data := bytes.Replace(book, []byte("name: web_upgrade"), fmt.Appendf(nil, "name: web_upgrade_%d", i), 1)
		files = append(files, data)
		write(b, dir, i, data)
	}
	return dir, files
}

func write(b *testing.B, dir string, i int, data []byte) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("web_upgrade_%d.yaml", i)), data, 0o600); err != nil {
		b.Fatal(err)
	}
}

// heap is what is in use after a collection, in MB.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkCheck_1000Playbooks is what it takes to check 1,000 playbooks, as a multiple of decoding
// the same YAML and doing nothing with it.
func BenchmarkCheck_1000Playbooks(b *testing.B) {
	_, files := thousand(b)
	vocab := builtin.Types(builtin.Deps{})
	var ours, raw time.Duration
	for b.Loop() {
		began := time.Now()
		for _, data := range files {
			if _, err := playbooks.Parse("b.yaml", data, vocab); err != nil {
				b.Fatal(err)
			}
		}
		ours += time.Since(began)
		began = time.Now()
		for _, data := range files {
			var doc yaml.Node
			if err := yaml.Unmarshal(data, &doc); err != nil {
				b.Fatal(err)
			}
		}
		raw += time.Since(began)
	}
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/check")
	b.ReportMetric(float64(ours)/float64(raw), "x_yaml")
}

// BenchmarkReload_1000PlaybooksOneChanged is a reload of a folder of 1,000 in which one file has
// changed, as a share of the first load; and the memory that the library holds.
func BenchmarkReload_1000PlaybooksOneChanged(b *testing.B) {
	dir, files := thousand(b)
	before := heap()
	began := time.Now()
	lib, err := playbooks.OpenLibrary(dir, builtin.Types(builtin.Deps{}))
	if err != nil {
		b.Fatal(err)
	}
	first := time.Since(began)
	held := heap() - before
	version := 0
	var took time.Duration
	for b.Loop() {
		version++
		write(b, dir, version%manyBooks, fmt.Appendf(bytes.Clone(files[version%manyBooks]), "# %d\n", version))
		began := time.Now()
		changes, err := lib.Reload()
		took += time.Since(began)
		if err != nil || len(changes.Loaded) != 1 {
			b.Fatalf("got %d changes and %d broken (%v), want one change", len(changes.Loaded), len(changes.Broken), err)
		}
	}
	b.ReportMetric(held, "MB_held")
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/reload")
	b.ReportMetric(float64(first)/(float64(took)/float64(b.N)), "x_faster_than_first_load")
}
