package store_test

import (
	"errors"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

func TestCheck_findsWhatWasAltered(t *testing.T) {
	t.Parallel()
	o := filled(t)
	run := o.someRun()
	for name, tc := range map[string]struct {
		change func(tx *bolt.Tx) error
		want   string
	}{
		"an event is gone":            {remove("event", first), "it follows position"},
		"the last event is gone":      {remove("event", last), "the events are missing"},
		"an index entry is gone":      {remove("stream", first), "event 2 follows 0"},
		"the last index entry":        {remove("stream", last), "follows 0"},
		"an index entry too many":     {add("stream", "zzz\x0012345678"), "the end of the stream is missing"},
		"a stream is known no more":   {remove("head", first), "the end of the stream is missing"},
		"a head without a stream":     {copyOf("head", "zzz"), "checksum"},
		"a head is another's":         {copyOf("head", string(run.Stream())), "checksum"},
		"an ended run is open":        {add("index", "open\x00\x00"+string(run)), "entries for"},
		"an open run is not listed":   {remove("index", at("open\x00")), "missing from the index"},
		"a playbook's run is missing": {remove("index", at("playbook\x00")), "missing from the index"},
		"a user's run is missing":     {remove("index", at("user\x00U3\x00")), "missing from the index"},
		"a status lacks a run":        {remove("index", at("status\x00")), "missing from the index"},
		"a status has a run twice":    {add("index", "status\x00failed\x00"+string(run)), "entries for"},
		"a short id is missing":       {remove("index", at("short\x00")), "missing from the index"},
		"a key is gone":               {remove("key", first), "the key is missing"},
		"an age is gone":              {remove("keyage", first), "have an age"},
		"an age is wrong":             {add("keyage", "12345678k1"), "it is not that of run"},
		"a cursor was altered":        {add("cursor", "cards"), "too short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			put(t, path, o.file)
			edit(t, path, tc.change)
			_, err := openAt(t, path).Check(t.Context())
			var damaged *store.DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want a DamagedError with %q", err, tc.want)
			}
		})
	}
}

func TestCheck_findsACursorBeyondTheEnd(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	if err := s.SaveCursor(t.Context(), "cards", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "the log ends at 0") {
		t.Errorf("got %v, want a complaint on the cursor", err)
	}
}

func TestCheck_acceptsAStoreInUse(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	wantSound(t, s)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 200 {
			run := newRun()
			if _, err := s.Append(t.Context(), run.Stream(), 0, requested("deploy", "U1", string(run))); err != nil {
				t.Error(err)
			}
		}
	}()
	for range 10 {
		wantSound(t, s)
	}
	<-ended
	if seen := wantSound(t, s); seen.Events != 200 {
		t.Errorf("the check saw %d events, want 200", seen.Events)
	}
}

func (o original) someRun() engine.RunID {
	for run, sum := range o.summaries {
		if sum.Status.Final() {
			return run
		}
	}
	return ""
}

func first(c *bolt.Cursor) ([]byte, []byte) { return c.First() }

func last(c *bolt.Cursor) ([]byte, []byte) { return c.Last() }

// at leads to the first entry of those that begin with a prefix.
func at(prefix string) func(*bolt.Cursor) ([]byte, []byte) {
	return func(c *bolt.Cursor) ([]byte, []byte) { return c.Seek([]byte(prefix)) }
}

func remove(bucket string, which func(*bolt.Cursor) ([]byte, []byte)) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(bucket)).Cursor()
		which(c)
		return c.Delete()
	}
}

func add(bucket, key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucket)).Put([]byte(key), nil) }
}

// copyOf writes the value of another key under a key.
func copyOf(bucket, key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		k, v := b.Cursor().First()
		if string(k) == key {
			_, v = b.Cursor().Last()
		}
		return b.Put([]byte(key), append([]byte(nil), v...))
	}
}
