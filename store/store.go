package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/playbot/playbot/engine"
)

// Options change how a store is opened.
type Options struct {
	Logger      *slog.Logger  // nil: discarded
	LockTimeout time.Duration // how long another process may hold the file; 0 means 2 s
	SlowSync    time.Duration // for measuring: each of the two waits of a commit for the disk takes so much longer
}

// Store is an event log in a file. Safe for concurrent use by one process.
type Store struct {
	db     *bolt.DB
	path   string
	slow   time.Duration // that a commit takes longer
	logger *slog.Logger

	queue chan *appendRequest
	seat  chan struct{} // holds one: whoever put it there writes
	quit  chan struct{} // closed when nothing more is taken into the queue
	done  chan struct{} // closed when nobody will write any more
	once  sync.Once

	mu      sync.Mutex // guards what follows
	head    engine.Pos
	changed chan struct{} // closed when head moves
}

var _ engine.Log = (*Store)(nil)

// defaultLockTimeout is how long another process may hold the file.
const defaultLockTimeout = 2 * time.Second

// Open opens the file at path, and creates it when there is none. A file that another process
// holds, that is of a newer format or that is not a sound store is refused with a sentence.
func Open(path string, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if _, err := inspect(path); err != nil {
		return nil, err
	}
	var db *bolt.DB
	err := guarded(func() (err error) {
		// An array gives out the lowest free pages first: those of a commit tend to lie side by side, which
		// the disk writes faster than pages all over the file. There are few, for next to nothing is deleted.
		db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: o.LockTimeout, FreelistType: bolt.FreelistArrayType})
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, heldError(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	s := &Store{
		db: db, path: path, slow: 2 * o.SlowSync, logger: o.Logger, queue: make(chan *appendRequest, queueSize),
		seat: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	writeHolder(path)
	return s, nil
}

// prepare brings the file to the present format and finds the end of the log.
func (s *Store) prepare() error {
	err := guarded(func() error { return checkBranches(s.db) })
	if errors.Is(err, errMeta) { // a power cut leaves this behind, when it interrupts an append that nobody was told of
		s.logger.Warn("the store lacks a meta page", "path", s.path, "error", err)
		err = nil
	}
	if err == nil {
		err = guarded(func() error { return migrate(s.db) })
	}
	if err != nil {
		return fmt.Errorf("open the store %s: %w", s.path, err)
	}
	return s.view(func(tx *bolt.Tx) error {
		k, _ := tx.Bucket(bucketEvent).Cursor().Last()
		s.head = engine.Pos(number(k))
		return nil
	})
}

// Close waits for what is being written and closes the file. It may be called twice.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.quit)
		s.seat <- struct{}{} // for good
		close(s.done)
		removeHolder(s.path)
		err = s.db.Close()
	})
	return err
}

// Head is the position of the last event.
func (s *Store) Head() engine.Pos {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

func (s *Store) moved(head engine.Pos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if head > s.head {
		s.head = head
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Wait blocks until there is an event after a position, or ctx ends.
func (s *Store) Wait(ctx context.Context, after engine.Pos) error {
	for {
		s.mu.Lock()
		head, changed := s.head, s.changed
		s.mu.Unlock()
		if head > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.quit:
			return errClosed
		}
	}
}

var errClosed = errors.New("the store is closed")
