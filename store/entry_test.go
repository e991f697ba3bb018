package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
)

func TestEntry_isReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	e, key, value := someEntry(t)
	got, err := decodeEntry(key, value)
	if diff := cmp.Diff(e, got, cmp.AllowUnexported(entry{}, fact{})); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	events, err := got.events(1)
	want := []engine.Event{{Stream: "bot", Seq: 8, Pos: 300, Time: e.time, Payload: engine.Refused{Verb: "two"}}}
	if diff := cmp.Diff(want, events); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// A sealed record can be short only by a mistake of ours; it must not end the process all the same.
func TestEntry_thatIsCutShortIsDamaged(t *testing.T) {
	t.Parallel()
	_, key, value := someEntry(t)
	payload := value[headerSize:]
	for n := range payload {
		got, err := decodeEntry(key, seal(key, payload[:n]))
		var damaged *DamagedError
		if !errors.As(err, &damaged) && len(got.facts) != 1 { // one whole fact is an entry, too
			t.Errorf("%d of %d bytes: got %+v and %v, want a DamagedError", n, len(payload), got, err)
		}
	}
}

func TestHead_thatIsCutShortIsDamaged(t *testing.T) {
	t.Parallel()
	h := head{seq: 1000, recent: []engine.Pos{1, 2}, summary: engine.Summary{Run: "R", Status: engine.RunRunning}}
	payload, err := h.encode()
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("run/R")
	if got, err := decodeHead(key, seal(key, payload)); err != nil || cmp.Diff(h, got, cmp.AllowUnexported(head{})) != "" {
		t.Errorf("got %+v and %v, want %+v", got, err, h)
	}
	for n := range payload {
		if got, err := decodeHead(key, seal(key, payload[:n])); err == nil && got.summary.Run != "" {
			t.Errorf("%d of %d bytes: got %+v, want an error or no summary", n, len(payload), got)
		}
	}
}

func someEntry(t *testing.T) (e entry, key, value []byte) {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	e, err := newEntry("bot", 7, now, []engine.Payload{engine.Refused{Verb: "one"}, engine.Refused{Verb: "two"}})
	if err != nil {
		t.Fatal(err)
	}
	e.last = 300
	key = bytes8(uint64(e.last))
	return e, key, seal(key, e.encode())
}
