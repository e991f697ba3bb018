package memory_test

import (
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/memory"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
)

func nothing(*testing.T) map[string]any { return nil }

func TestStore_passesTheSuite(t *testing.T) {
	t.Parallel()
	datastoretest.Run(t, datastoretest.Case{Type: memory.Type(memory.NewLocks()), Properties: nothing})
}

func TestStore_locksBetweenTheRunsOfAProcess(t *testing.T) {
	t.Parallel()
	datastoretest.RunLocker(t, func(t *testing.T) func() engine.DataStore {
		t.Helper()
		typ := memory.Type(memory.NewLocks())
		return func() engine.DataStore { return datastoretest.Open(t, typ, nil) }
	})
}

func TestStore_valuesAreNotShared(t *testing.T) {
	t.Parallel()
	typ := memory.Type(memory.NewLocks())
	one, other := datastoretest.Open(t, typ, nil), datastoretest.Open(t, typ, nil)
	if err := one.Put(t.Context(), "k", "mine"); err != nil {
		t.Fatal(err)
	}
	if v, err := other.Get(t.Context(), "k"); err == nil {
		t.Errorf("another run reads %v", v)
	}
}

func TestStore_refusesWhatIsNoData(t *testing.T) {
	t.Parallel()
	s := datastoretest.Open(t, memory.Type(memory.NewLocks()), nil)
	if err := s.Put(t.Context(), "k", make(chan int)); err == nil {
		t.Error("a channel was kept")
	}
}

func TestStore_timeoutIsThatOfItsLocks(t *testing.T) {
	t.Parallel()
	typ := memory.Type(memory.NewLocks())
	s, ok := datastoretest.Open(t, typ, map[string]any{"timeout": "20", "ttl": 5}).(interface{ LockTimeout() time.Duration })
	if !ok || s.LockTimeout() != 20*time.Second {
		t.Errorf("got %v, want 20s", s)
	}
}
