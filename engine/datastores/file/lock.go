package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine"
)

// How often a lock that is held is looked at again.
const (
	firstPoll = 20 * time.Millisecond
	lastPoll  = time.Second
)

type record struct {
	engine.Holder

	Token uint64 `json:"token"`
}

// table is what the lock file holds.
type table struct {
	Token uint64            `json:"token"`
	Locks map[string]record `json:"locks"`
}

// Lock implements [engine.Locker]. A lock survives the process: the run that holds it releases it
// when it is resumed. One that is left over is in the file <store>.locks and may be removed there.
func (s *store) Lock(ctx context.Context, key string, owner engine.Holder, waiting func(engine.Holder)) (engine.Lease, error) {
	for pause := firstPoll; ; pause = min(2*pause, lastPoll) {
		got, err := s.tryLock(ctx, key, owner)
		if err != nil {
			return engine.Lease{}, err
		}
		if got.Run == owner.Run {
			return engine.Lease{Token: got.Token}, nil
		}
		if waiting != nil {
			waiting(got.Holder)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return engine.Lease{}, &engine.HeldError{Key: key, Holder: got.Holder}
		}
	}
}

func (s *store) tryLock(ctx context.Context, key string, owner engine.Holder) (got record, err error) {
	err = s.locks(ctx, func(t *table) bool {
		if have, taken := t.Locks[key]; taken {
			got = have
			return false
		}
		t.Token++
		got = record{Holder: owner, Token: t.Token}
		t.Locks[key] = got
		return true
	})
	return got, err
}

// Unlock implements [engine.Locker].
func (s *store) Unlock(ctx context.Context, key string, owner engine.Holder) error {
	return s.locks(ctx, func(t *table) bool {
		have, taken := t.Locks[key]
		if !taken || have.Run != owner.Run {
			return false
		}
		delete(t.Locks, key)
		return true
	})
}

// locks edits the lock file under a guard that other processes honour.
func (s *store) locks(ctx context.Context, edit func(*table) bool) error {
	path := s.path + ".locks"
	unlock, err := guard(ctx, s.path)
	if err != nil {
		return err
	}
	defer unlock()
	t := &table{Locks: make(map[string]record)}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the lock file: %w", err)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, t); err != nil {
			return engine.Errorf(engine.CodeInvalid, "the lock file %s cannot be read (%v); remove it when no run is active", path, err)
		}
	}
	if t.Locks == nil {
		t.Locks = make(map[string]record)
	}
	if !edit(t) {
		return nil
	}
	out, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return replace(path, out)
}

// guard takes an advisory lock for the moment of an edit of store. The kernel gives it back if we die.
func guard(ctx context.Context, store string) (unlock func(), err error) {
	path := store + ".guard"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, engine.Errorf(engine.CodeInvalid, "the folder of %s does not exist; create the folder", store)
	}
	if err != nil {
		return nil, fmt.Errorf("guard the data store: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil //nolint:errcheck // closing gives the lock back
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("guard %s: %w", path, err), f.Close())
		}
		select {
		case <-time.After(firstPoll):
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s is in use: %w", path, context.Cause(ctx)), f.Close())
		}
	}
}
