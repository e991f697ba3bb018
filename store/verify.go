package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// verifyLock is how long Verify waits for a process that has the file open: one that serves keeps it.
const verifyLock = 100 * time.Millisecond

// Verify checks the file at path as [Store.Check] does, and changes nothing at all: a file that is not
// there is not made, one of an older format is not brought to the present one, and whoever opens it
// next is told of no other holder. A process that starts meanwhile finds the file held. The error is a
// *[HeldError] when another process has it open, and wraps [io/fs.ErrNotExist] when there is none.
func Verify(ctx context.Context, path string) (_ Checked, err error) {
	fresh, err := inspect(path)
	if err == nil && fresh {
		err = &fs.PathError{Op: "open the store", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return Checked{}, err
	}
	var db *bolt.DB
	err = guarded(func() (err error) {
		db, err = bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: verifyLock})
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return Checked{}, heldError(path)
	}
	if err != nil {
		return Checked{}, fmt.Errorf("open the store %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Store{db: db, path: path, logger: slog.New(slog.DiscardHandler)}
	if err := s.readable(ctx); err != nil {
		if errors.Is(err, errFresh) {
			return Checked{}, nil
		}
		return Checked{}, fmt.Errorf("open the store %s: %w", path, err)
	}
	return s.Check(ctx)
}

// readable says whether this program can read the file; errFresh when it has no buckets yet.
func (s *Store) readable(ctx context.Context) error {
	if err := guarded(func() error { return walk(ctx, s.db, true) }); err != nil && !errors.Is(err, errMeta) {
		return err
	}
	return s.view(checkKind)
}
