//go:build integration

package bolttest_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// install copies the app to a folder of its own and installs exactly what package-lock.json names.
func install(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal("this test runs an app on @slack/bolt and needs npm, which is not on the PATH: install Node 20 or newer, or leave out -tags integration")
	}
	dir := t.TempDir()
	for _, name := range []string{"app.mjs", "package.json", "package-lock.json", ".npmrc"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	cmd := exec.CommandContext(t.Context(), npm, "ci")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v; it needs the npm registry or a warm cache\n%s", err, out)
	}
	t.Logf("npm ci took %v", time.Since(start).Round(time.Millisecond))
	return dir
}

// node is a running app.
type node struct {
	mu    sync.Mutex // guards what follows
	lines []string
	errs  bytes.Buffer
}

// Write takes standard error.
func (n *node) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.errs.Write(p)
}

// read takes standard output and tells of every line.
func (n *node) read(r io.Reader, changed chan<- struct{}) {
	defer close(changed)
	for s := bufio.NewScanner(r); s.Scan(); {
		n.mu.Lock()
		n.lines = append(n.lines, s.Text())
		n.mu.Unlock()
		changed <- struct{}{}
	}
}

func (n *node) said(line string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.lines, line)
}

func (n *node) log() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n") + "\n" + n.errs.String()
}
