package enginetest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// MemoryLog is a log without a disk, for tests that play very many runs. Payloads go through the codec, as
// those of a file do. Safe for concurrent use.
type MemoryLog struct {
	mu      sync.Mutex // guards what follows
	pos     engine.Pos
	streams map[engine.StreamID][]written
	keys    map[string]engine.RunID
	open    []engine.RunID
}

// written is an event as a file would have it.
type written struct {
	pos  engine.Pos
	at   time.Time
	kind string
	data []byte
}

var _ engine.Log = (*MemoryLog)(nil)

// NewMemoryLog returns an empty log.
func NewMemoryLog() *MemoryLog {
	return &MemoryLog{streams: map[engine.StreamID][]written{}, keys: map[string]engine.RunID{}}
}

// Append implements [engine.Log].
func (l *MemoryLog) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	list := make([]written, len(facts))
	for i, f := range facts {
		data, err := engine.EncodePayload(f)
		if err != nil {
			return 0, err
		}
		list[i] = written{kind: f.Kind(), data: data}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	end := engine.Seq(len(l.streams[stream]))
	if after != engine.AnySeq && after != end {
		return 0, engine.ErrConflict
	}
	run, isRun := stream.Run()
	for _, f := range facts {
		if q, ok := f.(engine.RunRequested); ok && isRun && q.Key != "" {
			if other, known := l.keys[q.Key]; known {
				return 0, &engine.DuplicateError{Run: other}
			}
		}
	}
	for i, f := range facts {
		l.note(run, f)
		l.pos++
		list[i].pos, list[i].at = l.pos, time.Now().Round(0).UTC()
	}
	l.streams[stream] = append(l.streams[stream], list...)
	return end + engine.Seq(len(facts)), nil
}

// note keeps what a store has an index of. The caller holds the lock.
func (l *MemoryLog) note(run engine.RunID, f engine.Payload) {
	switch p := f.(type) {
	case engine.RunRequested:
		l.keys[p.Key] = run
		l.open = append(l.open, run)
	case engine.RunEnded:
		l.open = slices.DeleteFunc(l.open, func(id engine.RunID) bool { return id == run })
	default:
	}
}

// Read implements [engine.Log].
func (l *MemoryLog) Read(ctx context.Context, stream engine.StreamID) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		l.mu.Lock()
		list := l.streams[stream]
		l.mu.Unlock()
		for i, w := range list {
			if err := ctx.Err(); err != nil {
				yield(engine.Event{}, err)
				return
			}
			p, err := engine.DecodePayload(w.kind, w.data)
			if !yield(engine.Event{Stream: stream, Seq: engine.Seq(i + 1), Pos: w.pos, Time: w.at, Payload: p}, err) || err != nil {
				return
			}
		}
	}
}

// Unfinished implements [engine.Log].
func (l *MemoryLog) Unfinished(ctx context.Context) ([]engine.RunID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(slices.Values(l.open)), ctx.Err()
}
