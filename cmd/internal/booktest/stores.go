package booktest

import (
	"context"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/memory"
	"github.com/playbot/playbot/playbooks"
)

// shared is what a case keeps for the data stores of one name.
type shared struct {
	locks  *memory.Locks
	values engine.DataStore
}

// storeType is the data store that stands in for one of a playbook. It checks what the real type checks,
// locks if that does, and keeps values in memory: those of one name are shared by all runs of the case, but
// for stores of type memory, which each run has for itself.
func (w *world) storeType(name string, part playbooks.Part, real engine.DataStoreType) engine.DataStoreType {
	return engine.DataStoreType{Name: name, Decode: func(p *playbooks.Properties) (engine.DataStore, error) {
		checked, err := real.Decode(playbooks.Unrendered(playbooks.Lit(p.Values()))) // only checks: nothing is opened
		if err != nil {
			return nil, err
		}
		for _, e := range part.Properties.Entries() {
			p.Has(e.Key) // known: the real type has looked at them
		}
		s, err := w.open(context.Background(), part.Name, part.Type == "memory") // a map asks no context
		if err != nil {
			return nil, err
		}
		if _, locks := checked.(engine.Locker); !locks {
			return struct{ engine.DataStore }{s}, nil
		}
		limit, _ := checked.(interface{ LockTimeout() time.Duration })
		return lockingStore{DataStore: s, Locker: s.(engine.Locker), limit: limit}, nil
	}}
}

type lockingStore struct {
	engine.DataStore
	engine.Locker

	limit interface{ LockTimeout() time.Duration }
}

// LockTimeout is how long a run waits for a lock; 0 is the engine's default.
func (s lockingStore) LockTimeout() time.Duration {
	if s.limit == nil {
		return 0
	}
	return s.limit.LockTimeout()
}

// open opens the store of a name with what the case puts into it.
func (w *world) open(ctx context.Context, name string, own bool) (engine.DataStore, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.shared(name)
	if s.values != nil && !own {
		return s.values, nil
	}
	st, err := memory.Type(s.locks).Decode(playbooks.FromMap(nil))
	if err != nil {
		return nil, err
	}
	for k, v := range w.stores[name] {
		if err := st.Put(ctx, k, v); err != nil {
			return nil, fmt.Errorf("data store %q: %w", name, err)
		}
	}
	if s.values == nil {
		s.values = st
	}
	return st, nil
}

// shared is what is kept for a name. The caller holds the lock.
func (w *world) shared(name string) *shared {
	s, ok := w.opened[name]
	if !ok {
		s = &shared{locks: memory.NewLocks()}
		w.opened[name] = s
	}
	return s
}

// hold takes the locks that other runs hold at the beginning, and releases them in time.
func (w *world) hold(ctx context.Context) error {
	for _, h := range w.held {
		w.mu.Lock()
		locks := w.shared(h.store).locks
		w.mu.Unlock()
		st, err := memory.Type(locks).Decode(playbooks.FromMap(nil))
		if err != nil {
			return err
		}
		locker, by := st.(engine.Locker), engine.Holder{Run: engine.NewRunID(time.Now()), Who: h.by, Since: time.Now()}
		if _, err := locker.Lock(ctx, h.key, by, nil); err != nil {
			return fmt.Errorf("hold %s/%s: %w", h.store, h.key, err)
		}
		if h.free > 0 {
			time.AfterFunc(h.free, func() { _ = locker.Unlock(ctx, h.key, by) }) // a lock in memory is always released
		}
	}
	return nil
}

// reserve has other runs reserve the nodes that they hold at the beginning, and give them back in time.
func (w *world) reserve(e *engine.Engine) {
	for _, n := range w.nodes {
		if n.held == nil {
			continue
		}
		release := e.Hold(engine.Holder{Run: engine.NewRunID(time.Now()), Who: n.held.by, Since: time.Now()}, []string{n.name})
		if n.held.free > 0 {
			time.AfterFunc(n.held.free, release)
		}
	}
}

// value is what a data store holds at the end; false when the key is not there.
func (w *world) value(ctx context.Context, store, key string) (any, bool) {
	st, err := w.open(ctx, store, false)
	if err != nil {
		return nil, false
	}
	v, err := st.Get(ctx, key)
	return v, err == nil
}
