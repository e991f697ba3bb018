package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
	"github.com/playbot/playbot/store/storetest"
)

func TestLog_keepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Log(t, func(t *testing.T) (engine.Log, func() engine.Log) {
		t.Helper()
		path := newPath(t)
		s := openAt(t, path)
		return s, func() engine.Log {
			closeStore(t, s)
			return openAt(t, path)
		}
	})
}

func TestAppend_keepsWhatLooksLikeTheMiddleOfARecord(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	const trap = `,"d":{"verb":"x"}}`
	stream := engine.StreamID("schedule/" + trap)
	facts := []engine.Payload{engine.Refused{Verb: trap}, engine.Unread{Name: trap, Raw: []byte(`{"of":",\"d\":","d":{"e":1,"d":2}}`)}}
	appendTo(t, s, stream, facts...)
	events, err := readAll(t, s, stream)
	if err != nil || len(events) != len(facts) {
		t.Fatalf("got %d events and %v", len(events), err)
	}
	for i, e := range events {
		if diff := cmp.Diff(facts[i], e.Payload); diff != "" || e.Stream != stream {
			t.Errorf("of %s (-want +got):\n%s", e.Stream, diff)
		}
	}
}

func TestSince_givesTheWholeLogInOrder(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	const n = 600 // more than two pages
	for i := range n / 2 {
		appendTo(t, s, "bot", engine.Refused{Verb: strconv.Itoa(2 * i)})
		appendTo(t, s, "playbook/ab", engine.Refused{Verb: strconv.Itoa(2*i + 1)})
	}
	var after engine.Pos
	for {
		page, err := s.Since(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > 100 {
			t.Fatalf("got %d events, want at most 100", len(page))
		}
		for _, e := range page {
			p, ok := e.Payload.(engine.Refused)
			if !ok || e.Pos != after+1 || p.Verb != strconv.Itoa(int(after)) {
				t.Fatalf("after %d came %d with %#v", after, e.Pos, e.Payload)
			}
			after = e.Pos
		}
		if len(page) == 0 {
			break
		}
	}
	if after != n || s.Head() != n {
		t.Errorf("read up to %d and the head is %d, want %d", after, s.Head(), n)
	}
}

func TestWait_returnsWhenAnEventComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t))
		appendTo(t, s, "bot", engine.Refused{})
		if err := s.Wait(t.Context(), 0); err != nil {
			t.Errorf("for an event that is there: %v", err)
		}
		came := make(chan error, 1)
		go func() { came <- s.Wait(t.Context(), 1) }()
		synctest.Wait()
		select {
		case err := <-came:
			t.Fatalf("Wait returned %v before there was an event", err)
		default:
		}
		appendTo(t, s, "bot", engine.Refused{})
		if err := <-came; err != nil {
			t.Error(err)
		}
		page, err := s.Since(t.Context(), 1, 10)
		if err != nil || len(page) != 1 || page[0].Pos != 2 {
			t.Errorf("got %v and %v, want the event at 2", page, err)
		}
		closeStore(t, s)
	})
}

func TestWait_endsWithTheContextAndWithTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Wait(t.Context(), 0) }()
		synctest.Wait()
		closeStore(t, s)
		if err := <-ended; err == nil {
			t.Error("Wait returned no error from a closed store")
		}
	})
}

func TestAppend_isRefusedByAClosedStore(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	closeStore(t, s)
	for range 64 { // the queue has room, so that a careless writer would be lucky at times
		if _, err := s.Append(t.Context(), "bot", engine.AnySeq, engine.Refused{}); err == nil {
			t.Fatal("a closed store accepted an append")
		}
	}
	closeStore(t, s)
}

func TestAppend_isAnsweredWhileTheStoreCloses(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := newPath(t)
		s := openAt(t, path)
		accepted := make(chan int)
		for range 16 {
			go func() {
				n := 0
				for {
					if _, err := s.Append(context.Background(), "bot", engine.AnySeq, engine.Refused{}); err != nil {
						accepted <- n
						return
					}
					n++
				}
			}()
		}
		appendTo(t, s, "bot", engine.Refused{})
		closeStore(t, s)
		want := 1
		for range 16 {
			want += <-accepted
		}
		if got := openAt(t, path).Head(); got != engine.Pos(want) {
			t.Errorf("the store has %d events, want the %d that were accepted", got, want)
		}
	}
}

func TestAppend_forgetsKeysAfterADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t))
		first := start(t, s, "deploy", "U1", "k")
		time.Sleep(23 * time.Hour)
		_, err := s.Append(t.Context(), newRun().Stream(), 0, requested("deploy", "U1", "k"))
		var duplicate *engine.DuplicateError
		if !errors.As(err, &duplicate) || duplicate.Run != first {
			t.Errorf("after 23 h: got %v, want a DuplicateError", err)
		}
		time.Sleep(2 * time.Hour)
		appendTo(t, s, "bot", engine.Refused{}) // every commit forgets a few
		start(t, s, "deploy", "U1", "k")
		closeStore(t, s)
	})
}

func TestCursor_isKept(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	wantCursor(t, s, "cards", 0)
	for _, pos := range []engine.Pos{7, 9} {
		if err := s.SaveCursor(t.Context(), "cards", pos); err != nil {
			t.Fatal(err)
		}
		wantCursor(t, s, "cards", pos)
	}
	wantCursor(t, s, "card", 0)
	closeStore(t, s)
	wantCursor(t, openAt(t, path), "cards", 9)
}

func wantCursor(t *testing.T, s *store.Store, name string, want engine.Pos) {
	t.Helper()
	if got, err := s.Cursor(t.Context(), name); err != nil || got != want {
		t.Errorf("cursor %s: got %d and %v, want %d", name, got, err, want)
	}
}

func newPath(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "playbot.db")
}

func openAt(tb testing.TB, path string) *store.Store {
	tb.Helper()
	s, err := store.Open(path, store.Options{LockTimeout: 100 * time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func closeStore(tb testing.TB, s *store.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

func appendTo(tb testing.TB, s *store.Store, stream engine.StreamID, facts ...engine.Payload) {
	tb.Helper()
	if _, err := s.Append(tb.Context(), stream, engine.AnySeq, facts...); err != nil {
		tb.Fatal(err)
	}
}

func newRun() engine.RunID { return engine.NewRunID(time.Now()) }

func requested(playbook, user, key string) engine.RunRequested {
	return engine.RunRequested{Key: key, Actor: engine.Actor{User: user}, Playbook: engine.PlaybookRef{Name: playbook, Digest: "ab"}}
}

func start(tb testing.TB, s *store.Store, playbook, user, key string) engine.RunID {
	tb.Helper()
	run := newRun()
	appendTo(tb, s, run.Stream(), requested(playbook, user, key))
	return run
}
