package datastoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
)

// Lockers opens one store several times, as several runs do. Each call to the function that it
// returns is one more opening of the same store.
type Lockers func(t *testing.T) (open func() engine.DataStore)

// RunLocker puts a data store that locks to the test, in virtual time.
func RunLocker(t *testing.T, fresh Lockers) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func() engine.Locker){
		"a lock is exclusive, and passes on when it is released": passesOn,
		"the holder is named while waiting and at the end":       namesHolder,
		"waiting ends when it is cancelled":                      cancelled,
		"the owner may take it again":                            reentrant,
		"keys are locked apart":                                  apart,
		"unlocking what one does not hold changes nothing":       strangers,
		"one at a time of many":                                  oneAtATime,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				open := fresh(t)
				test(t, func() engine.Locker {
					l, ok := open().(engine.Locker)
					if !ok {
						t.Fatal("the store does not lock")
					}
					return l
				})
			})
		})
	}
}

// Holder is the nth run of the suite.
func Holder(n int) engine.Holder {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Hour)
	return engine.Holder{Run: engine.RunID(fmt.Sprintf("01KDYF%020d", n)), Who: "ana", Since: at}
}

func lock(t *testing.T, l engine.Locker, key string, h engine.Holder) engine.Lease {
	t.Helper()
	lease, err := l.Lock(t.Context(), key, h, func(by engine.Holder) { t.Errorf("%s waits for %s", key, by.Run) })
	if err != nil {
		t.Fatalf("lock %s: %v", key, err)
	}
	return lease
}

func unlock(t *testing.T, l engine.Locker, key string, h engine.Holder) {
	t.Helper()
	if err := l.Unlock(t.Context(), key, h); err != nil {
		t.Fatalf("unlock %s: %v", key, err)
	}
}

// wantHeld checks that h waits for by in vain.
func wantHeld(t *testing.T, l engine.Locker, key string, h, by engine.Holder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := l.Lock(ctx, key, h, nil)
	held, ok := errors.AsType[*engine.HeldError](err)
	if !ok || held.Holder.Run != by.Run {
		t.Fatalf("lock %s: got %v, want that %s holds it", key, err, by.Run.Short())
	}
}

func passesOn(t *testing.T, open func() engine.Locker) {
	t.Helper()
	a, b := Holder(1), Holder(2)
	first := lock(t, open(), "k", a)
	taken := make(chan engine.Lease, 1)
	go func() {
		lease, err := open().Lock(t.Context(), "k", b, nil)
		if err != nil {
			t.Errorf("lock: %v", err)
		}
		taken <- lease
	}()
	time.Sleep(time.Minute) // virtual
	select {
	case <-taken:
		t.Fatal("two runs hold one lock")
	default:
	}
	unlock(t, open(), "k", a)
	second := <-taken
	if first.Token > 0 && second.Token <= first.Token {
		t.Errorf("the token does not grow: %d, then %d", first.Token, second.Token)
	}
	wantHeld(t, open(), "k", a, b)
}

func namesHolder(t *testing.T, open func() engine.Locker) {
	t.Helper()
	a, b := Holder(1), Holder(2)
	lock(t, open(), "tier/bravo", a)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var seen []engine.Holder
	_, err := open().Lock(ctx, "tier/bravo", b, func(h engine.Holder) { seen = append(seen, h) })
	if len(seen) == 0 || seen[0].Run != a.Run || seen[0].Who != a.Who || !seen[0].Since.Equal(a.Since) {
		t.Errorf("while waiting: got %v, want %v", seen, a)
	}
	held, ok := errors.AsType[*engine.HeldError](err)
	if !ok || held.Holder.Run != a.Run || held.Key != "tier/bravo" || !strings.Contains(err.Error(), a.Run.Short()) {
		t.Errorf("at the end: got %v", err)
	}
}

func cancelled(t *testing.T, open func() engine.Locker) {
	t.Helper()
	lock(t, open(), "k", Holder(1))
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	time.AfterFunc(time.Minute, cancel)
	if _, err := open().Lock(ctx, "k", Holder(2), nil); err == nil {
		t.Fatal("two runs hold one lock")
	}
	if took := time.Since(began); took > time.Minute+time.Second {
		t.Errorf("waiting went on for %s after it was cancelled", took-time.Minute)
	}
	unlock(t, open(), "k", Holder(1))
}

func reentrant(t *testing.T, open func() engine.Locker) {
	t.Helper()
	a := Holder(1)
	first := lock(t, open(), "k", a)
	again := a
	again.Since = a.Since.Add(time.Hour) // after a restart, say
	if second := lock(t, open(), "k", again); second != first {
		t.Errorf("taking it again gives another lease: %v, then %v", first, second)
	}
	unlock(t, open(), "k", a)
	lock(t, open(), "k", Holder(2)) // one unlock is enough
}

func apart(t *testing.T, open func() engine.Locker) {
	t.Helper()
	for i, key := range []string{"a", "a/b", "a/b/c", "b"} {
		lock(t, open(), key, Holder(i))
	}
	unlock(t, open(), "a/b", Holder(1))
	wantHeld(t, open(), "a", Holder(9), Holder(0))
}

func strangers(t *testing.T, open func() engine.Locker) {
	t.Helper()
	a, b := Holder(1), Holder(2)
	unlock(t, open(), "k", a) // nobody holds it
	lock(t, open(), "k", a)
	unlock(t, open(), "k", b)
	wantHeld(t, open(), "k", b, a)
}

func oneAtATime(t *testing.T, open func() engine.Locker) {
	t.Helper()
	var mu sync.Mutex
	inside, most, done := 0, 0, 0
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			l, h := open(), Holder(i)
			if _, err := l.Lock(t.Context(), "k", h, nil); err != nil {
				t.Errorf("lock: %v", err)
				return
			}
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			time.Sleep(time.Second) // virtual
			mu.Lock()
			inside--
			done++
			mu.Unlock()
			if err := l.Unlock(t.Context(), "k", h); err != nil {
				t.Errorf("unlock: %v", err)
			}
		})
	}
	wg.Wait()
	if most != 1 || done != 6 {
		t.Errorf("%d were inside at once, %d of 6 came in", most, done)
	}
}
