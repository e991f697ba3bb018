package storetest

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// together calls f for 0 to n-1 at once and counts the calls that return true.
func together(n int, f func(i int) bool) int {
	var wg sync.WaitGroup
	start := make(chan struct{})
	results := make([]bool, n)
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	count := 0
	for _, ok := range results {
		if ok {
			count++
		}
	}
	return count
}

func newRun() engine.RunID { return engine.NewRunID(time.Now()) }

func request(key string) engine.RunRequested {
	return engine.RunRequested{
		Key: key, Actor: engine.Actor{User: "U1", Name: "ana"}, Origin: engine.OriginTyped,
		Playbook: engine.PlaybookRef{Name: "deploy", Digest: "ab"},
	}
}

func begun(n int) engine.TaskBegun {
	return engine.TaskBegun{Path: engine.Path("tasks." + strconv.Itoa(n)), Type: "shell", Description: "step", Tries: 1}
}

func refusals(n int) []engine.Payload {
	facts := make([]engine.Payload, n)
	for i := range facts {
		facts[i] = engine.Refused{Verb: strconv.Itoa(i), Rule: "default"}
	}
	return facts
}

func mustAppend(t *testing.T, log engine.Log, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) engine.Seq {
	t.Helper()
	seq, err := log.Append(t.Context(), stream, after, facts...)
	if err != nil {
		t.Fatalf("append to %s after %d: %v", stream, after, err)
	}
	return seq
}

func read(t *testing.T, log engine.Log, stream engine.StreamID) []engine.Event {
	t.Helper()
	var events []engine.Event
	for e, err := range log.Read(t.Context(), stream) {
		if err != nil {
			t.Fatalf("read %s: %v", stream, err)
		}
		events = append(events, e)
	}
	return events
}

func wantKinds(t *testing.T, events []engine.Event, want ...string) {
	t.Helper()
	var got []string
	for _, e := range events {
		got = append(got, e.Kind())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the events %v, want %v", got, want)
	}
}

// wantNoHoles checks that the events of one stream are numbered from one and follow each other in the log.
func wantNoHoles(t *testing.T, events []engine.Event) {
	t.Helper()
	var last engine.Pos
	for i, e := range events {
		if e.Seq != engine.Seq(i+1) || e.Pos <= last {
			t.Fatalf("event %d of %s has sequence %d and position %d after %d", i+1, e.Stream, e.Seq, e.Pos, last)
		}
		last = e.Pos
	}
}

// wantPositions checks that the events of a whole log have the positions from one, each once.
func wantPositions(t *testing.T, all []engine.Event) {
	t.Helper()
	got := make([]engine.Pos, len(all))
	for i, e := range all {
		got[i] = e.Pos
	}
	slices.Sort(got)
	for i, pos := range got {
		if pos != engine.Pos(i+1) {
			t.Fatalf("the %d. position is %d, want %d", i+1, pos, i+1)
		}
	}
}

func wantDuplicate(t *testing.T, err error, run engine.RunID) {
	t.Helper()
	var duplicate *engine.DuplicateError
	if !errors.As(err, &duplicate) || duplicate.Run != run {
		t.Errorf("got %v, want a DuplicateError for %s", err, run.Short())
	}
}

func wantUnfinished(t *testing.T, log engine.Log, want ...engine.RunID) {
	t.Helper()
	got, err := log.Unfinished(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got the unfinished runs %v (%v), want %v", got, err, want)
	}
}

// wantAppended checks that a log has nothing but shared events in the bot's stream and some of each run.
func wantAppended(t *testing.T, log engine.Log, runs []engine.RunID, shared, each int) {
	t.Helper()
	all := read(t, log, "bot")
	if len(all) != shared {
		t.Errorf("the shared stream has %d events, want %d", len(all), shared)
	}
	wantNoHoles(t, all)
	for _, run := range runs {
		events := read(t, log, run.Stream())
		wantNoHoles(t, events)
		if len(events) != each {
			t.Errorf("%s has %d events, want %d", run.Short(), len(events), each)
		}
		all = append(all, events...)
	}
	wantPositions(t, all)
	wantUnfinished(t, log, runs...)
}
