package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// Places in bbolt's pages.
const (
	pageFlags    = 8
	pageChild    = 16 + 8 // of the first element of a branch
	pageFree     = 16     // the first free page
	branchFlag   = 1
	freelistFlag = 16
)

func TestOpen_refusesPagesThatLeadInACircle(t *testing.T) {
	t.Parallel()
	data := filled(t).file
	at := pageOf(t, data, branchFlag)
	copy(data[at+pageChild:at+pageChild+8], data[at:at+8]) // bbolt would walk it until the memory is full
	path := newPath(t)
	put(t, path, data)
	wantRefused(t, path, "the store is damaged", "is in use twice")
}

func TestOpen_refusesAFreePageThatIsInUse(t *testing.T) {
	t.Parallel()
	data := filled(t).file
	at, used := pageOf(t, data, freelistFlag), pageOf(t, data, branchFlag)
	copy(data[at+pageFree:at+pageFree+8], data[used:used+8]) // the next append would write over it
	path := newPath(t)
	put(t, path, data)
	wantRefused(t, path, "the store is damaged", "which is not free")
}

func TestOpen_saysHowMuchOfAFileIsMissing(t *testing.T) {
	t.Parallel()
	data := filled(t).file
	path := newPath(t)
	put(t, path, data[:20_000])
	wantRefused(t, path, "it has 20000 bytes and should have", "restore a backup")
}

func TestFind_doesNotMakeUpARunThatIsMissing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	start(t, s, "deploy", "U1", "")
	closeStore(t, s)
	edit(t, path, add("index", "user\x00U1\x0001HF0000000000000000ABCDEF"))
	_, err := openAt(t, path).Find(t.Context(), engine.HistoryQuery{User: "U1"})
	var damaged *store.DamagedError
	if !errors.As(err, &damaged) || damaged.Bucket != "index" {
		t.Errorf("got %v, want a DamagedError of index", err)
	}
}

// pageOf is where a page of a kind begins that is in use.
func pageOf(t *testing.T, data []byte, flag uint16) int {
	t.Helper()
	path := newPath(t)
	put(t, path, data)
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, size := 0, os.Getpagesize()
	err = db.View(func(tx *bolt.Tx) error {
		for id := 2; found == 0 && id*size < len(data); id++ {
			info, err := tx.Page(id)
			if err != nil || info == nil {
				return err
			}
			if info.Type == "free" {
				continue
			}
			if binary.NativeEndian.Uint16(data[id*size+pageFlags:]) == flag {
				found = id * size
			}
			id += info.OverflowCount
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Fatalf("no page has the type %d (%v)", flag, err)
	}
	return found
}
