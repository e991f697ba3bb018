package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/store"
)

// write puts the bytes of a store into a file of its own.
func write(t *testing.T, data []byte) string {
	t.Helper()
	path := newPath(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerify_readsEverythingAndChangesNothing(t *testing.T) {
	t.Parallel()
	o := filled(t)
	path := write(t, o.file)
	seen, err := store.Verify(t.Context(), path)
	if want := (store.Checked{Events: int(o.head), Streams: 42, Runs: 40}); err != nil || seen != want {
		t.Errorf("got %+v, %v; want %+v", seen, err, want)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, o.file) {
		t.Errorf("the file is another now (%v)", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("it left files: %v, %v", entries, err)
	}
}

func TestVerify_makesNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "playbot.db")
	if _, err := store.Verify(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is none", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestVerify_namesWhoHoldsTheFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	_, err := store.Verify(t.Context(), path)
	if held, ok := errors.AsType[*store.HeldError](err); !ok || held.PID != os.Getpid() || held.Path != path || held.Since.IsZero() {
		t.Errorf("got %+v, want a HeldError with this process", err)
	}
	closeStore(t, s)
	if _, err := store.Verify(t.Context(), path); err != nil {
		t.Errorf("after it was closed: %v", err)
	}
}

func TestVerify_readsBesideOthersWhoOnlyRead(t *testing.T) {
	t.Parallel()
	path := write(t, filled(t).file)
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	check(t, err)
	defer func() { check(t, db.Close()) }()
	if _, err := store.Verify(t.Context(), path); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestVerify_refusesWhatOpenDoes(t *testing.T) {
	t.Parallel()
	o := filled(t)
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"readable by others": {func(t *testing.T, path string) { t.Helper(); check(t, os.Chmod(path, 0o644)) }, "chmod 600"},
		"cut off":            {func(t *testing.T, path string) { t.Helper(); check(t, os.Truncate(path, 9000)) }, "damaged"},
		"of a newer format": {func(t *testing.T, path string) {
			t.Helper()
			alter(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte{0, 0, 0, 99}) })
		}, "format 99"},
		"of something else": {func(t *testing.T, path string) {
			t.Helper()
			alter(t, path, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("meta")) })
		}, "not a store of playbot"},
		"altered": {func(t *testing.T, path string) { t.Helper(); alter(t, path, remove("event", first)) }, "follows position"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, o.file)
			tc.spoil(t, path)
			if _, err := store.Verify(t.Context(), path); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestVerify_takesAFileThatIsNotFilledYet(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	db, err := bolt.Open(path, 0o600, nil)
	check(t, err)
	check(t, db.Close())
	if seen, err := store.Verify(t.Context(), path); err != nil || seen != (store.Checked{}) {
		t.Errorf("got %+v, %v", seen, err)
	}
}

func TestVerify_endsWithItsContext(t *testing.T) {
	t.Parallel()
	path := write(t, filled(t).file)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Verify(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	openAt(t, path) // and lets go of the file
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alter changes a closed file behind the store's back.
func alter(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	check(t, err)
	check(t, db.Update(change))
	check(t, db.Close())
}
