package store

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// format is the version of the file that this program reads and writes.
const format = 1

var ( // names of buckets; never written to
	bucketMeta       = []byte("meta")
	bucketEvent      = []byte("event")
	bucketStream     = []byte("stream")
	bucketHead       = []byte("head")
	bucketKey        = []byte("key")
	bucketKeyAge     = []byte("keyage")
	bucketRun        = []byte("run")
	bucketOpen       = []byte("open")
	bucketByPlaybook = []byte("byplaybook")
	bucketByUser     = []byte("byuser")
	bucketByStatus   = []byte("bystatus")
	bucketShort      = []byte("short")
	bucketCursor     = []byte("cursor")
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketEvent, bucketStream, bucketHead, bucketKey, bucketKeyAge, bucketRun,
		bucketOpen, bucketByPlaybook, bucketByUser, bucketByStatus, bucketShort, bucketCursor,
	}
}

// migrate creates the buckets of a fresh file, and refuses a file of another program or of a newer format.
func migrate(db *bolt.DB, fresh bool) error {
	return db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil && !fresh {
			return fmt.Errorf("this is a bbolt file, but not a store of playbot; name another file")
		}
		if meta != nil {
			return checkFormat(meta)
		}
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, format))
	})
}

func checkFormat(meta *bolt.Bucket) error {
	v := meta.Get([]byte("format"))
	if len(v) != 4 {
		return fmt.Errorf("the format version is missing; restore a backup")
	}
	if have := binary.BigEndian.Uint32(v); have != format {
		return fmt.Errorf("the file has format %d and this program reads format %d; run the newer playbot that wrote it, nothing was changed", have, format)
	}
	return nil
}
