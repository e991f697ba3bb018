package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// format is the version of the file that this program reads and writes.
const format = 1

//nolint:gochecknoglobals // names of buckets: slices cannot be constants, and nobody writes to them
var (
	bucketMeta   = []byte("meta")
	bucketEvent  = []byte("event")
	bucketStream = []byte("stream")
	bucketHead   = []byte("head")
	bucketIndex  = []byte("index")
	bucketKey    = []byte("key")
	bucketKeyAge = []byte("keyage")
	bucketCursor = []byte("cursor")
)

func buckets() [][]byte {
	return [][]byte{bucketMeta, bucketEvent, bucketStream, bucketHead, bucketIndex, bucketKey, bucketKeyAge, bucketCursor}
}

// migrate creates the buckets of a fresh file, and refuses a file of another program or of a newer
// format. It writes nothing else: a look at a file leaves it as it was.
func migrate(db *bolt.DB) error {
	err := db.View(checkKind)
	if !errors.Is(err, errFresh) {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, format))
	})
}

// checkKind looks whether a file is one that this program reads; errFresh when there is nothing in it.
func checkKind(tx *bolt.Tx) error {
	if meta := tx.Bucket(bucketMeta); meta != nil {
		return checkFormat(meta)
	}
	// A process that was killed while it created the file leaves one without any bucket.
	if first, _ := tx.Cursor().First(); first != nil {
		return errors.New("this is a bbolt file, but not a store of playbot; name another file")
	}
	return errFresh
}

// errFresh says that a file has no buckets yet.
var errFresh = errors.New("the file is fresh")

func checkFormat(meta *bolt.Bucket) error {
	v := meta.Get([]byte("format"))
	if len(v) != 4 {
		return fmt.Errorf("the format version is missing; restore a backup")
	}
	if have := binary.BigEndian.Uint32(v); have != format {
		return fmt.Errorf("the file has format %d and this program reads format %d; run the newer playbot that wrote it, nothing was changed", have, format)
	}
	for _, name := range buckets() {
		if meta.Tx().Bucket(name) == nil {
			return fmt.Errorf("the bucket %s is missing; restore a backup", name)
		}
	}
	return nil
}
