//nolint:thelper // these are the tests: a failure names their lines
package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
)

// Opener returns an empty log, and a function that closes it and opens it again.
type Opener func(t *testing.T) (log engine.Log, reopen func() engine.Log)

// Log runs the contract against fresh logs.
func Log(t *testing.T, open Opener) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Opener){
		"keeps the order without holes":                     keepsOrder,
		"keeps payloads and times":                          keepsPayloads,
		"keeps streams apart":                               keepsStreamsApart,
		"writes nothing after a conflict":                   refusesConflict,
		"writes nothing for a known key":                    refusesDuplicate,
		"writes all or nothing":                             writesAllOrNothing,
		"writes nothing when the context has ended":         refusesEndedContext,
		"lists open runs only, oldest first":                listsUnfinished,
		"stops reading when the reader does":                stopsReading,
		"reports the end of the context while reading":      readsUntilContextEnds,
		"lets one of many win a race for a position":        onlyOneWins,
		"starts one run for many requests with one key":     startsOnce,
		"loses nothing of many appenders":                   losesNothing,
		"is the same after it was opened again":             survivesReopen,
		"goes on counting after it was opened again":        continuesAfterReopen,
		"remembers keys after it was opened again":          remembersKeys,
		"reads a stream of many pages":                      readsLongStreams,
		"gives the end of the stream for an append of none": appendsNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func keepsOrder(t *testing.T, open Opener) {
	log, _ := open(t)
	stream := newRun().Stream()
	mustAppend(t, log, stream, 0, request("k"))
	mustAppend(t, log, stream, 1, begun(1), begun(2))
	if got := mustAppend(t, log, stream, engine.AnySeq, begun(3)); got != 4 {
		t.Errorf("the last append returned %d, want 4", got)
	}
	events := read(t, log, stream)
	wantKinds(t, events, "run_requested", "task_begun", "task_begun", "task_begun")
	wantNoHoles(t, events)
	wantPositions(t, events)
}

func keepsPayloads(t *testing.T, open Opener) {
	log, _ := open(t)
	before := time.Now()
	facts := []engine.Payload{
		request("k"),
		engine.Prepared{Inputs: map[string]any{"s": "ü\x00\n<&>", "n": 1.5, "l": []any{"a", nil, true}}, Nodes: map[string][]string{"web": {"a", "b"}}},
		engine.PlaybookKept{Name: "x", Source: []byte{0, 1, 0xff}},
		engine.Unread{Name: "from_the_future", Raw: []byte(`{"x":1}`)},
		engine.RunEnded{Status: engine.RunFailed, Message: "no"},
	}
	stream := newRun().Stream()
	mustAppend(t, log, stream, 0, facts...)
	events := read(t, log, stream)
	var got []engine.Payload
	for _, e := range events {
		got = append(got, e.Payload)
		if e.Stream != stream || e.Time.Before(before.Add(-time.Second)) || e.Time.After(time.Now().Add(time.Second)) {
			t.Errorf("event %d has stream %s and time %v, want %s and about %v", e.Seq, e.Stream, e.Time, stream, before)
		}
	}
	if diff := cmp.Diff(facts, got); diff != "" {
		t.Errorf("payloads (-want +got):\n%s", diff)
	}
}

func keepsStreamsApart(t *testing.T, open Opener) {
	log, _ := open(t)
	streams := []engine.StreamID{"bot", "bo", "bot2", "playbook/ab", "playbook/abc"}
	for round := range 3 {
		for _, s := range streams {
			mustAppend(t, log, s, engine.Seq(round), engine.Refused{Verb: string(s)})
		}
	}
	var all []engine.Event
	for _, s := range streams {
		events := read(t, log, s)
		wantNoHoles(t, events)
		for _, e := range events {
			if p, ok := e.Payload.(engine.Refused); !ok || p.Verb != string(s) {
				t.Errorf("stream %s has %#v", s, e.Payload)
			}
		}
		all = append(all, events...)
	}
	if len(all) != 15 {
		t.Errorf("got %d events, want 15", len(all))
	}
	wantPositions(t, all)
	wantKinds(t, read(t, log, "playbook/a"))
}

func refusesConflict(t *testing.T, open Opener) {
	log, _ := open(t)
	stream := newRun().Stream()
	mustAppend(t, log, stream, 0, request("k"), begun(1))
	for _, after := range []engine.Seq{0, 1, 3} {
		if _, err := log.Append(t.Context(), stream, after, begun(2)); !errors.Is(err, engine.ErrConflict) {
			t.Errorf("append after %d: got %v, want ErrConflict", after, err)
		}
	}
	// The key of a request that lost is free.
	if _, err := log.Append(t.Context(), stream, 1, request("other")); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	wantKinds(t, read(t, log, stream), "run_requested", "task_begun")
	mustAppend(t, log, newRun().Stream(), 0, request("other"))
}

func refusesDuplicate(t *testing.T, open Opener) {
	log, _ := open(t)
	first, second := newRun(), newRun()
	mustAppend(t, log, first.Stream(), 0, request("k"))
	_, err := log.Append(t.Context(), second.Stream(), 0, request("k"), begun(1))
	wantDuplicate(t, err, first)
	wantKinds(t, read(t, log, second.Stream()))
	wantUnfinished(t, log, first)
	// Without a key a request is never known.
	mustAppend(t, log, newRun().Stream(), 0, request(""))
	mustAppend(t, log, newRun().Stream(), 0, request(""))
}

func writesAllOrNothing(t *testing.T, open Opener) {
	log, _ := open(t)
	run := newRun()
	unwritable := engine.Prepared{Inputs: map[string]any{"x": make(chan int)}}
	if _, err := log.Append(t.Context(), run.Stream(), 0, request("k"), begun(1), unwritable); err == nil {
		t.Error("a fact that cannot be encoded was accepted")
	}
	wantKinds(t, read(t, log, run.Stream()))
	wantUnfinished(t, log)
	if got := mustAppend(t, log, run.Stream(), 0, request("k")); got != 1 {
		t.Errorf("the next append returned %d, want 1", got)
	}
}

func refusesEndedContext(t *testing.T, open Opener) {
	log, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run := newRun()
	if _, err := log.Append(ctx, run.Stream(), 0, request("k")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	mustAppend(t, log, run.Stream(), 0, request("k"))
	wantKinds(t, read(t, log, run.Stream()), "run_requested")
}

func listsUnfinished(t *testing.T, open Opener) {
	log, _ := open(t)
	wantUnfinished(t, log)
	runs := make([]engine.RunID, 6)
	for i := range runs {
		runs[i] = engine.NewRunID(time.UnixMilli(int64(1_700_000_000_000 + i)))
	}
	for _, i := range []int{3, 0, 5, 1, 4, 2} {
		mustAppend(t, log, runs[i].Stream(), 0, request("k"+strconv.Itoa(i)), begun(1))
	}
	wantUnfinished(t, log, runs...)
	for i, status := range []engine.RunStatus{engine.RunSuccess, engine.RunFailed, engine.RunCancelled} {
		mustAppend(t, log, runs[2*i].Stream(), 2, engine.RunEnded{Status: status})
	}
	mustAppend(t, log, runs[0].Stream(), engine.AnySeq, engine.Announced{}) // an ended run stays ended
	mustAppend(t, log, "bot", engine.AnySeq, engine.Refused{})
	wantUnfinished(t, log, runs[1], runs[3], runs[5])
}

func stopsReading(t *testing.T, open Opener) {
	log, _ := open(t)
	mustAppend(t, log, "bot", 0, refusals(10)...)
	seen := 0
	for _, err := range log.Read(t.Context(), "bot") {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("saw %d events, want 3", seen)
	}
	mustAppend(t, log, "bot", 10, engine.Refused{}) // a reader that left holds nothing
}

func readsUntilContextEnds(t *testing.T, open Opener) {
	log, _ := open(t)
	mustAppend(t, log, "bot", 0, refusals(3)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var err error
	for _, err = range log.Read(ctx, "bot") {
		if err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func onlyOneWins(t *testing.T, open Opener) {
	log, _ := open(t)
	stream := newRun().Stream()
	mustAppend(t, log, stream, 0, request("k"))
	won := together(32, func(i int) bool {
		_, err := log.Append(t.Context(), stream, 1, begun(i))
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			t.Errorf("appender %d: got %v, want ErrConflict", i, err)
		}
		return err == nil
	})
	if won != 1 {
		t.Errorf("%d appenders won, want 1", won)
	}
	wantKinds(t, read(t, log, stream), "run_requested", "task_begun")
}

func startsOnce(t *testing.T, open Opener) {
	log, _ := open(t)
	won := together(32, func(i int) bool {
		_, err := log.Append(t.Context(), newRun().Stream(), 0, request("one"))
		var duplicate *engine.DuplicateError
		if err != nil && !errors.As(err, &duplicate) {
			t.Errorf("request %d: got %v, want a DuplicateError", i, err)
		}
		return err == nil
	})
	runs, err := log.Unfinished(t.Context())
	if won != 1 || err != nil || len(runs) != 1 {
		t.Errorf("%d requests won and the log has the runs %v (%v), want one", won, runs, err)
	}
}

func losesNothing(t *testing.T, open Opener) {
	const appenders, each = 128, 8
	log, reopen := open(t)
	runs := make([]engine.RunID, appenders)
	for i := range runs {
		runs[i] = newRun()
	}
	together(appenders, func(i int) bool {
		if _, err := log.Append(t.Context(), runs[i].Stream(), 0, request(string(runs[i]))); err != nil {
			t.Errorf("appender %d: %v", i, err)
		}
		for n := range each {
			seq, err := log.Append(t.Context(), runs[i].Stream(), engine.Seq(n+1), begun(n))
			if err != nil || seq != engine.Seq(n+2) {
				t.Errorf("appender %d: got %d and %v, want %d", i, seq, err, n+2)
			}
			if _, err := log.Append(t.Context(), "bot", engine.AnySeq, engine.Refused{Run: runs[i]}); err != nil {
				t.Errorf("appender %d: %v", i, err)
			}
		}
		return true
	})
	slices.Sort(runs)
	wantAppended(t, log, runs, appenders*each, each+1)
	wantAppended(t, reopen(), runs, appenders*each, each+1)
}
