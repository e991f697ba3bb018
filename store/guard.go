package store

import (
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

// view reads in a transaction.
func (s *Store) view(read func(tx *bolt.Tx) error) error {
	return guarded(func() error { return s.db.View(read) })
}

// guarded makes an error of a panic or a memory fault. bbolt trusts the pages that it maps, and a
// damaged one must not end the process, which serves runs whose records are sound.
func guarded(work func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &DamagedError{Reason: fmt.Sprintf("a page cannot be read (%v)", r)}
		}
	}()
	return work()
}
