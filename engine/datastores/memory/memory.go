// Package memory is the data store type `memory`: values live as long as the run, locks as long as
// the process and between all its runs.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the data store type. Every store that it opens shares the lock table.
func Type(locks *Locks) engine.DataStoreType {
	return engine.DataStoreType{
		Name: "memory", Summary: "values that live as long as the run",
		Keys: []playbooks.Key{
			{Name: "timeout", Kind: playbooks.KindDuration, Default: "120", Doc: "How long a run waits for a lock of this store; a bare number is seconds. Locks hold between all runs of a process."},
			{Name: "ttl", Kind: playbooks.KindDuration, Doc: "Accepted for playbooks of 2017; a lock in memory is held until it is released."},
		},
		Decode: func(p *playbooks.Properties) (engine.DataStore, error) {
			s := &store{locks: locks, values: make(map[string]any), timeout: p.Duration("timeout", 0)}
			p.Duration("ttl", 0) // of 2017; a lock in memory has no life of its own
			return s, p.Err()
		},
	}
}

type store struct {
	locks   *Locks
	timeout time.Duration

	mu     sync.Mutex // guards values
	values map[string]any
}

// LockTimeout is how long a run waits for a lock; 0 is the engine's default.
func (s *store) LockTimeout() time.Duration { return s.timeout }

// Get implements [engine.DataStore]. The value is a copy.
func (s *store) Get(_ context.Context, key string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		return nil, fmt.Errorf("%q: %w", key, engine.ErrNoKey)
	}
	return clone(v)
}

// Put implements [engine.DataStore].
func (s *store) Put(_ context.Context, key string, value any) error {
	copied, err := clone(value)
	if err != nil {
		return fmt.Errorf("keep %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = copied
	return nil
}

// clone copies data deeply and keeps the types as they are; a detour over JSON would make a whole number a float.
func clone(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case nil, string, bool, int, int64, uint64, float64:
		return v, nil
	case []any:
		out := slices.Clone(v)
		for i := range out {
			if out[i], err = clone(out[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := maps.Clone(v)
		for k := range out {
			if out[k], err = clone(out[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, engine.Errorf(engine.CodeInvalid, "a value of type %T is no data", value)
}

// Delete implements [engine.DataStore].
func (s *store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

// Lock implements [engine.Locker].
func (s *store) Lock(ctx context.Context, key string, owner engine.Holder, waiting func(engine.Holder)) (engine.Lease, error) {
	return s.locks.lock(ctx, key, owner, waiting)
}

// Unlock implements [engine.Locker].
func (s *store) Unlock(_ context.Context, key string, owner engine.Holder) error {
	s.locks.unlock(key, owner)
	return nil
}

// Locks is the lock table of a process.
type Locks struct {
	mu    sync.Mutex // guards what follows
	held  map[string]*held
	token uint64
}

type held struct {
	by    engine.Holder
	token uint64
	freed chan struct{}
}

// NewLocks returns an empty table.
func NewLocks() *Locks { return &Locks{held: make(map[string]*held)} }

func (l *Locks) lock(ctx context.Context, key string, owner engine.Holder, waiting func(engine.Holder)) (engine.Lease, error) {
	for {
		l.mu.Lock()
		h, taken := l.held[key]
		if !taken {
			l.token++
			h = &held{by: owner, token: l.token, freed: make(chan struct{})}
			l.held[key] = h
		}
		l.mu.Unlock()
		if h.by.Run == owner.Run {
			return engine.Lease{Token: h.token}, nil
		}
		if waiting != nil {
			waiting(h.by)
		}
		select {
		case <-h.freed:
		case <-ctx.Done():
			return engine.Lease{}, &engine.HeldError{Key: key, Holder: h.by}
		}
	}
}

func (l *Locks) unlock(key string, owner engine.Holder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.held[key]; ok && h.by.Run == owner.Run {
		delete(l.held, key)
		close(h.freed)
	}
}
