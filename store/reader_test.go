package store_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

func TestSince_beginsAndEndsInTheMiddleOfAnAppend(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	for i := range 4 {
		appendTo(t, s, "bot", engine.Refused{Verb: strconv.Itoa(3 * i)}, engine.Refused{Verb: strconv.Itoa(3*i + 1)}, engine.Refused{Verb: strconv.Itoa(3*i + 2)})
	}
	for after := range 13 {
		for limit := range 6 {
			page, err := s.Since(t.Context(), engine.Pos(after), limit)
			if want := min(limit, 12-after); err != nil || len(page) != want {
				t.Errorf("after %d: got %d events and %v, want %d", after, len(page), err, want)
			}
			for i, e := range page {
				if diff := cmp.Diff(engine.Refused{Verb: strconv.Itoa(after + i)}, e.Payload); diff != "" || int(e.Pos) != after+i+1 || int(e.Seq) != after+i+1 {
					t.Errorf("after %d: event %d stands at %d, %d (-want +got):\n%s", after, i, e.Pos, e.Seq, diff)
				}
			}
		}
	}
}

func TestRead_givesWhatComesBeforeTheDamage(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	for i := range 100 {
		appendTo(t, s, "bot", engine.Refused{Verb: strconv.Itoa(i)})
	}
	closeStore(t, s)
	edit(t, path, remove("event", at("\x00\x00\x00\x00\x00\x00\x00\x32"))) // the fiftieth
	events, err := readAll(t, openAt(t, path), "bot")
	var damaged *store.DamagedError
	if len(events) != 49 || !errors.As(err, &damaged) {
		t.Errorf("got %d events and %v, want 49 and a DamagedError", len(events), err)
	}
}

func TestAppend_isRefusedByAStreamThatLostItsHead(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path)
	run := start(t, s, "deploy", "U1", "k")
	closeStore(t, s)
	edit(t, path, remove("head", first))
	s = openAt(t, path)
	for name, err := range map[string]error{
		"append":  func() error { _, err := s.Append(t.Context(), run.Stream(), 0, engine.RunEnded{}); return err }(),
		"read":    func() error { _, err := readAll(t, s, run.Stream()); return err }(),
		"summary": func() error { _, err := s.Summary(t.Context(), run); return err }(),
	} {
		if _, ok := errors.AsType[*store.DamagedError](err); !ok {
			t.Errorf("%s: got %v, want a DamagedError", name, err)
		}
	}
}
