//nolint:thelper // these are the tests: a failure names their lines
package storetest

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
)

func survivesReopen(t *testing.T, open Opener) {
	log, reopen := open(t)
	ended, running := newRun(), newRun()
	mustAppend(t, log, ended.Stream(), 0, request("a"), begun(1), engine.RunEnded{Status: engine.RunSuccess})
	mustAppend(t, log, running.Stream(), 0, request("b"), begun(1))
	mustAppend(t, log, "bot", 0, refusals(3)...)
	streams := []engine.StreamID{ended.Stream(), running.Stream(), "bot"}
	want := map[engine.StreamID][]engine.Event{}
	for _, s := range streams {
		want[s] = read(t, log, s)
	}
	log = reopen()
	for _, s := range streams {
		if diff := cmp.Diff(want[s], read(t, log, s)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", s, diff)
		}
	}
	wantUnfinished(t, log, running)
}

func continuesAfterReopen(t *testing.T, open Opener) {
	log, reopen := open(t)
	mustAppend(t, log, "bot", 0, refusals(2)...)
	log = reopen()
	if _, err := log.Append(t.Context(), "bot", 1, engine.Refused{}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if got := mustAppend(t, log, "bot", 2, engine.Refused{}); got != 3 {
		t.Errorf("the append returned %d, want 3", got)
	}
	events := read(t, log, "bot")
	wantNoHoles(t, events)
	wantPositions(t, events)
}

func remembersKeys(t *testing.T, open Opener) {
	log, reopen := open(t)
	run := newRun()
	mustAppend(t, log, run.Stream(), 0, request("k"))
	_, err := reopen().Append(t.Context(), newRun().Stream(), 0, request("k"))
	wantDuplicate(t, err, run)
}

func readsLongStreams(t *testing.T, open Opener) {
	const n = 1030
	log, _ := open(t)
	mustAppend(t, log, "bot", 0, refusals(n)...)
	mustAppend(t, log, "bou", 0, engine.Refused{})
	events := read(t, log, "bot")
	if len(events) != n {
		t.Errorf("got %d events, want %d", len(events), n)
	}
	wantNoHoles(t, events)
	for i, e := range events {
		if p, ok := e.Payload.(engine.Refused); !ok || p.Verb != strconv.Itoa(i) {
			t.Fatalf("event %d is %#v", i, e.Payload)
		}
	}
}

func appendsNothing(t *testing.T, open Opener) {
	log, _ := open(t)
	if got := mustAppend(t, log, "bot", 0); got != 0 {
		t.Errorf("on an empty stream: got %d, want 0", got)
	}
	mustAppend(t, log, "bot", 0, refusals(2)...)
	if got := mustAppend(t, log, "bot", engine.AnySeq); got != 2 {
		t.Errorf("on a stream of two: got %d, want 2", got)
	}
	if got := len(read(t, log, "bot")); got != 2 {
		t.Errorf("got %d events, want 2", got)
	}
}
