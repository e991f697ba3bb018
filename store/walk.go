package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// The rest of bbolt's file format, version 2 (its internal/common: page.go, meta.go, inode.go).
const (
	boltVersion    = 2
	boltBranch     = 0x01
	boltLeaf       = 0x02
	boltMeta       = 0x04
	boltFreelist   = 0x10
	boltElement    = 16 // size of an element of a branch or a leaf
	boltBucketFlag = 0x01
	boltMany       = 0xffff // this count says that the true one follows
	boltNoFreelist = ^uint64(0)
)

// errMeta says that one of the two meta pages is not valid. bbolt then falls back to the other.
var errMeta = errors.New("a meta page is not valid, and what was appended last may be lost")

// checkPages looks at every page of the file. It keeps the writer out meanwhile.
func checkPages(ctx context.Context, db *bolt.DB) error {
	err := walk(ctx, db, false)
	if errors.Is(err, errMeta) {
		return &DamagedError{Reason: err.Error()}
	}
	return err
}

// checkBranches looks at the pages that lead to others: about one in a hundred, but when they lead in
// a circle bbolt walks until the memory is full. It returns errMeta when that is all that is wrong.
func checkBranches(db *bolt.DB) error { return walk(context.Background(), db, true) }

func walk(ctx context.Context, db *bolt.DB, quick bool) error {
	tx, err := db.Begin(!db.IsReadOnly()) // nobody writes to a file that is held for reading only
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	f, err := os.Open(db.Path())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := &pages{ctx: ctx, file: f, size: int64(db.Info().PageSize), quick: quick}
	meta, invalid := w.meta()
	if meta == nil {
		return invalid
	}
	w.high = binary.NativeEndian.Uint64(meta[40:])
	if info, err := f.Stat(); err != nil || w.high > uint64(info.Size()/w.size) {
		return &DamagedError{Reason: fmt.Sprintf("the file is shorter than its %d pages (%v)", w.high, err)}
	}
	w.seen = make([]bool, w.high)
	w.seen[0], w.seen[1] = true, true
	if err := w.tree(binary.NativeEndian.Uint64(meta[16:]), nil, nil); err != nil {
		return err
	}
	if err := w.free(binary.NativeEndian.Uint64(meta[32:])); err != nil {
		return err
	}
	return invalid
}

// meta returns the newer of the valid meta pages, and errMeta when they are not both.
func (w *pages) meta() (newest []byte, err error) {
	for id := range uint64(2) {
		buf := make([]byte, boltHeaderSize+boltMetaSize)
		if _, err := w.file.ReadAt(buf, int64(id)*w.size); err != nil {
			return nil, err
		}
		p, meta := header(buf), buf[boltHeaderSize:]
		if binary.NativeEndian.Uint32(meta) != boltMagic || binary.NativeEndian.Uint32(meta[4:]) != boltVersion || !metaChecksum(meta) {
			err = errMeta
			continue
		}
		if p.id != id || p.flags != boltMeta {
			err = errMeta // bbolt does not look at these
		}
		if newest == nil || binary.NativeEndian.Uint64(meta[48:]) > binary.NativeEndian.Uint64(newest[48:]) {
			newest = meta
		}
	}
	return newest, err
}
