package store_test

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// original is a store file together with what it holds.
type original struct {
	file      []byte
	events    map[engine.StreamID][]engine.Event
	summaries map[engine.RunID]engine.Summary
	head      engine.Pos
}

// filled makes a store with some runs, keys, cursors and free pages.
func filled(t *testing.T) original {
	t.Helper()
	path := newPath(t)
	s := openAt(t, path)
	streams := []engine.StreamID{"bot", "playbook/ab"}
	for i := range 40 {
		run := start(t, s, "deploy"+strconv.Itoa(i%3), "U"+strconv.Itoa(i%5), "k"+strconv.Itoa(i))
		streams = append(streams, run.Stream())
		appendTo(t, s, run.Stream(), engine.Prepared{Inputs: map[string]any{"text": strings.Repeat("x", 40*i)}}, engine.TaskBegun{Description: "step"})
		if i%2 == 0 {
			appendTo(t, s, run.Stream(), engine.RunEnded{Status: engine.RunSuccess})
		}
		appendTo(t, s, "bot", engine.Refused{Verb: strconv.Itoa(i)})
	}
	appendTo(t, s, "playbook/ab", engine.PlaybookKept{Name: "deploy", Source: make([]byte, 20_000)})
	if err := s.SaveCursor(t.Context(), "cards", 7); err != nil {
		t.Fatal(err)
	}
	o := original{events: map[engine.StreamID][]engine.Event{}, summaries: map[engine.RunID]engine.Summary{}, head: s.Head()}
	for _, stream := range streams {
		events, err := readAll(t, s, stream)
		if err != nil {
			t.Fatal(err)
		}
		o.events[stream] = events
		if run, ok := stream.Run(); ok {
			if o.summaries[run], err = s.Summary(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seen := wantSound(t, s); seen != (store.Checked{Events: int(o.head), Streams: 42, Runs: 40}) {
		t.Errorf("the check saw %+v, want %d events, 42 streams and 40 runs", seen, o.head)
	}
	closeStore(t, s)
	o.file = contents(t, path)
	return o
}

// metaPages is the size of the two pages that bbolt itself protects.
const metaPages = 2 * 4096

func TestDamage_ofOneBitNeverGivesAWrongRecord(t *testing.T) {
	t.Parallel()
	o := filled(t)
	for worker := range uint64(4) {
		t.Run(strconv.Itoa(int(worker)), func(t *testing.T) {
			t.Parallel()
			for seed := worker * 50; seed < (worker+1)*50; seed++ {
				random := rand.New(rand.NewPCG(seed, 1))
				bit := (metaPages + random.IntN(len(o.file)-metaPages)) * 8
				bit += random.IntN(8)
				data := append([]byte(nil), o.file...)
				data[bit/8] ^= 1 << (bit % 8)
				if !o.survives(t, data) {
					t.Errorf("seed %d: bit %d of byte %d", seed, bit%8, bit/8)
				}
			}
		})
	}
}

func TestDamage_byTruncationIsRefused(t *testing.T) {
	t.Parallel()
	o := filled(t)
	size := len(o.file)
	lengths := []int{0, 1, 79, 80, 4095, 4096, 4097, 8191, 8192, 8193, 16384, size / 2, size - 4096, size - 1}
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		lengths = append(lengths, random.IntN(size))
	}
	for _, n := range lengths {
		if !o.survives(t, o.file[:n]) {
			t.Errorf("%d of %d bytes", n, size)
		}
	}
}

func TestDamage_ofAMetaPageGivesThePreviousStateAndIsFound(t *testing.T) {
	t.Parallel()
	o := filled(t)
	const meta = 16 + 64 // header and content
	for _, page := range []int{0, 4096} {
		for at := 0; at < meta; at += 3 {
			if at >= 10 && at < 16 {
				continue // counts, which a meta page does not use
			}
			data := append([]byte(nil), o.file...)
			data[page+at] ^= 1 << (at % 8)
			path := newPath(t)
			put(t, path, data)
			s, err := store.Open(path, store.Options{})
			if err != nil {
				continue
			}
			if head := s.Head(); head > o.head {
				t.Errorf("byte %d: the head is %d, want at most %d", page+at, head, o.head)
			}
			for stream, want := range o.events {
				got, err := readAll(t, s, stream)
				if err != nil || len(got) > len(want) || diff(want[:len(got)], got) != "" {
					t.Errorf("byte %d: %s: got %d events (%v), want at most %d; %s", page+at, stream, len(got), err, len(want), diff(want, got))
				}
			}
			if _, err := s.Check(t.Context()); err == nil {
				t.Errorf("byte %d: the check found nothing", page+at)
			}
			closeStore(t, s)
		}
	}
}

// survives opens a damaged file and reports whether everything it gives is right or an error.
func (o original) survives(t *testing.T, data []byte) bool {
	t.Helper()
	path := newPath(t) // its own, because bbolt may not let go of a file in which it stumbled
	put(t, path, data)
	defer func() { _ = os.Remove(path) }()
	s, err := store.Open(path, store.Options{LockTimeout: 20 * time.Millisecond})
	if err != nil {
		return true
	}
	defer func() { _ = s.Close() }()
	good, damaged := true, s.Head() != o.head
	wrong := func(format string, args ...any) {
		t.Helper()
		good = false
		t.Errorf(format, args...)
	}
	for stream, want := range o.events {
		got, err := readAll(t, s, stream)
		damaged = damaged || err != nil
		if len(got) > len(want) || err == nil && len(got) < len(want) || diff(want[:len(got)], got) != "" {
			wrong("%s: got %d events (%v), want %d; %s", stream, len(got), err, len(want), diff(want, got))
		}
	}
	for run, want := range o.summaries {
		got, err := s.Summary(t.Context(), run)
		if damaged = damaged || err != nil; err == nil && diff(want, got) != "" {
			wrong("%s (-want +got):\n%s", run, cmp.Diff(want, got))
		}
	}
	if found, err := s.Find(t.Context(), engine.HistoryQuery{Limit: 100}); err != nil {
		damaged = true
	} else {
		damaged = damaged || len(found) != len(o.summaries)
		for _, got := range found {
			if want, ok := o.summaries[got.Run]; !ok || diff(want, got) != "" {
				wrong("found the run %+v, want %+v", got, want)
			}
		}
	}
	pos, err := s.Cursor(t.Context(), "cards")
	damaged = damaged || err != nil || pos != 7
	if err == nil && pos != 7 && pos != 0 {
		wrong("the cursor stands at %d, want 7", pos)
	}
	_, err = s.Check(t.Context())
	if err == nil && damaged {
		wrong("the store is damaged and the check found nothing")
	}
	if err == nil { // the damage is where nothing is kept
		appendTo(t, s, "bot", engine.Refused{})
		wantSound(t, s)
	}
	return good
}

// diff is empty for equals. It is called so often that the slow way is left for what differs.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

func readAll(t *testing.T, s *store.Store, stream engine.StreamID) ([]engine.Event, error) {
	t.Helper()
	var events []engine.Event
	for e, err := range s.Read(t.Context(), stream) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}
