package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// DataStoreType is a kind of data store.
type DataStoreType struct {
	Name    string
	Summary string
	Program bool // as [NodeSourceType.Program]
	// Decode opens a store for one run; see [TaskType.Decode]. With unrendered properties it only checks.
	Decode func(*playbooks.Properties) (DataStore, error)
	Keys   []playbooks.Key // as [TaskType.Keys]
}

// ErrNoKey says that a data store has no value under a key. Stores wrap it.
var ErrNoKey = errors.New("no such key")

// DataStore holds values for playbooks. Keys may contain slashes. Safe for concurrent use.
type DataStore interface {
	Get(ctx context.Context, key string) (any, error) // a missing key is an error that wraps ErrNoKey
	Put(ctx context.Context, key string, value any) error
	Delete(ctx context.Context, key string) error // a missing key is no error
}

// Locker is a data store that can also lock.
type Locker interface {
	// Lock takes key for owner and waits while somebody else holds it, until ctx ends: then the
	// error is a *HeldError. Taking what the owner already holds succeeds. waiting, when not nil, is
	// called with the holder each time the lock is found held.
	Lock(ctx context.Context, key string, owner Holder, waiting func(Holder)) (Lease, error)
	// Unlock releases key. Releasing what owner does not hold is no error and changes nothing.
	Unlock(ctx context.Context, key string, owner Holder) error
}

// Holder says who holds a lock.
type Holder struct {
	Run   RunID     `json:"run"`
	Who   string    `json:"who,omitempty"`
	Since time.Time `json:"since"`
}

// Lease is a lock that was taken. Token grows with every lease of a key where the store can say so, else it is 0.
type Lease struct {
	Token uint64
}

// HeldError says who holds a lock.
type HeldError struct {
	Key    string
	Holder Holder
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("lock %q is held by run %s (%s) since %s",
		e.Key, e.Holder.Run.Short(), e.Holder.Who, e.Holder.Since.UTC().Format(time.RFC3339))
}
