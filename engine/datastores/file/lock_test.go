package file_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/file"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
)

func TestStore_locks(t *testing.T) {
	t.Parallel()
	datastoretest.RunLocker(t, func(t *testing.T) func() engine.DataStore {
		t.Helper()
		path := filepath.Join(t.TempDir(), "locks.yaml")
		return func() engine.DataStore { return open(t, path, "yaml") }
	})
}

func locker(t *testing.T, path string) engine.Locker {
	t.Helper()
	l, ok := open(t, path, "yaml").(engine.Locker)
	if !ok {
		t.Fatal("the store does not lock")
	}
	return l
}

func TestLock_doesNotNeedTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.yaml")
	l, ok := datastoretest.Open(t, file.Type(""), map[string]any{"file": path, "format": "yaml"}).(engine.Locker)
	if !ok {
		t.Fatal("the store does not lock")
	}
	if _, err := l.Lock(t.Context(), "k", datastoretest.Holder(1), nil); err != nil {
		t.Error(err)
	}
}

func TestLock_brokenLockFileIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path+".locks", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := locker(t, path).Lock(t.Context(), "k", datastoretest.Holder(1), nil)
	if err == nil || !strings.Contains(err.Error(), path+".locks") || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
}

// helper is what the processes of the tests below do; the environment says what.
func TestHelperProcess(t *testing.T) { //nolint:paralleltest // it is a process of its own
	path := os.Getenv("PLAYBOT_TEST_STORE")
	if path == "" {
		return
	}
	id := os.Getenv("PLAYBOT_TEST_ID")
	var err error
	switch os.Getenv("PLAYBOT_TEST_DO") {
	case "hold":
		_, err = locker(t, path).Lock(t.Context(), "k", datastoretest.Holder(1), nil)
	case "put":
		for i := 0; i < 10 && err == nil; i++ {
			err = open(t, path, "yaml").Put(t.Context(), fmt.Sprintf("%s/%d", id, i), i)
		}
	case "count":
		for i := 0; i < 5 && err == nil; i++ {
			err = count(t, path, len(id)*1000+i)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// count adds one under the lock; without it, counts are lost.
func count(t *testing.T, path string, run int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, s, me := locker(t, path), open(t, path, "yaml"), datastoretest.Holder(run)
	if _, err := l.Lock(ctx, "counter", me, nil); err != nil {
		return err
	}
	n := 0
	if v, err := s.Get(ctx, "n"); err == nil {
		n, _ = v.(int)
	}
	if err := s.Put(ctx, "n", n+1); err != nil {
		return err
	}
	return l.Unlock(ctx, "counter", me)
}

func process(t *testing.T, path, do, id string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), "PLAYBOT_TEST_STORE="+path, "PLAYBOT_TEST_DO="+do, "PLAYBOT_TEST_ID="+id)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", do, err, out)
	}
}

func TestLock_survivesTheProcessThatTookIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.yaml")
	process(t, path, "hold", "a")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := locker(t, path).Lock(ctx, "k", datastoretest.Holder(2), nil)
	if err == nil || !strings.Contains(err.Error(), "ana") {
		t.Errorf("got %v, want that it is held", err)
	}
	// the file names the run by its whole id: that run, resumed, takes its lock again and releases it
	raw, err := os.ReadFile(path + ".locks")
	if err != nil {
		t.Fatal(err)
	}
	var table struct{ Locks map[string]engine.Holder }
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	resumed := locker(t, path)
	if _, err := resumed.Lock(t.Context(), "k", table.Locks["k"], nil); err != nil {
		t.Errorf("the owner, resumed: %v", err)
	}
	if err := resumed.Unlock(t.Context(), "k", table.Locks["k"]); err != nil {
		t.Error(err)
	}
	if _, err := locker(t, path).Lock(t.Context(), "k", datastoretest.Holder(2), nil); err != nil {
		t.Errorf("after its release: %v", err)
	}
}

func TestStore_isSharedByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.yaml")
	var wg sync.WaitGroup
	for _, id := range []string{"a", "bb", "ccc", "dddd"} {
		wg.Go(func() { process(t, path, "put", id) })
		wg.Go(func() { process(t, path, "count", id) })
	}
	wg.Wait()
	s := open(t, path, "yaml")
	for _, id := range []string{"a", "bb", "ccc", "dddd"} {
		for i := range 10 {
			if v, err := s.Get(t.Context(), fmt.Sprintf("%s/%d", id, i)); v != i {
				t.Errorf("%s/%d: got %v, %v; a write was lost", id, i, v, err)
			}
		}
	}
	if v, err := s.Get(t.Context(), "n"); v != 20 {
		t.Errorf("counted under the lock: got %v, %v; want 20", v, err)
	}
}
