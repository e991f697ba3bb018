package store_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

func TestOpen_createsAFileForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "playbot.db")
	closeStore(t, openAt(t, path))
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: got the mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

func TestOpen_refusesAFileThatOthersRead(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	closeStore(t, openAt(t, path))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, path, "can be read by others", "chmod 600 "+path)
}

func TestOpen_namesWhoHoldsTheFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	begin := time.Now()
	wantRefused(t, path, "is held by pid "+fmt.Sprint(os.Getpid()), filepath.Base(os.Args[0]), "use another data directory")
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the refusal took %v, want at most 2 s", took)
	}
	appendTo(t, s, "bot", engine.Refused{}) // the holder does not notice
	if err := os.Remove(path + ".holder"); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, path, "is held by another process")
	closeStore(t, s)
	openAt(t, path)
}

func TestOpen_doesNotNameAHolderThatIsGone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	openAt(t, path)
	if err := os.WriteFile(path+".holder", []byte(`{"pid":2147483647,"command":"playbot"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, path, "is held by another process")
}

func TestOpen_refusesANewerFormatAndLeavesItAlone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	closeStore(t, openAt(t, path))
	edit(t, path, func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, 2))
	})
	before := contents(t, path)
	wantRefused(t, path, "the file has format 2 and this program reads format 1", "nothing was changed")
	if string(contents(t, path)) != string(before) {
		t.Error("the file was changed")
	}
}

func TestOpen_refusesWhatIsNoStore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"empty": {func(t *testing.T, path string) { t.Helper(); put(t, path, nil) }, "it is empty"},
		"text":  {func(t *testing.T, path string) { t.Helper(); put(t, path, []byte("playbook: x\n")) }, "is damaged"},
		"zeros": {func(t *testing.T, path string) { t.Helper(); put(t, path, make([]byte, 1<<16)) }, "is damaged"},
		"another bbolt file": {func(t *testing.T, path string) {
			t.Helper()
			edit(t, path, func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket([]byte("theirs"))
				return err
			})
		}, "not a store of playbot"},
		"a bucket less": {func(t *testing.T, path string) {
			t.Helper()
			closeStore(t, openAt(t, path))
			edit(t, path, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("key")) })
		}, "the bucket key is missing"},
		"no format": {func(t *testing.T, path string) {
			t.Helper()
			closeStore(t, openAt(t, path))
			edit(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("format")) })
		}, "the format version is missing"},
		"a folder": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "playbot.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			tc.make(t, path)
			wantRefused(t, path, tc.want)
		})
	}
}

func TestOpen_finishesAFileWhoseCreationWasCutOff(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	edit(t, path, func(*bolt.Tx) error { return nil }) // what bbolt makes before there are buckets
	s := openAt(t, path)
	appendTo(t, s, "bot", engine.Refused{})
	wantSound(t, s)
}

func wantRefused(t *testing.T, path string, sentences ...string) {
	t.Helper()
	s, err := store.Open(path, store.Options{LockTimeout: 50 * time.Millisecond})
	if err == nil {
		closeStore(t, s)
		t.Fatalf("the file was opened, want a refusal with %q", sentences)
	}
	for _, want := range sentences {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal is %q and lacks %q", err, want)
		}
	}
}

// edit changes a file behind the store's back.
func edit(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantSound(t *testing.T, s *store.Store) store.Checked {
	t.Helper()
	seen, err := s.Check(t.Context())
	if err != nil {
		t.Error(err)
	}
	return seen
}
