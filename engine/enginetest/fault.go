package enginetest

import (
	"context"
	"errors"
	"sync"

	"github.com/playbot/playbot/engine"
)

// FaultyLog is a log whose writes fail on request. Reads go on.
type FaultyLog struct {
	engine.Log

	mu      sync.Mutex // guards what follows
	refuse  error
	limited bool
	left    int  // events until the process is taken for dead
	told    bool // the append that wrote the last of them succeeds
	refused int
}

// NewFaultyLog wraps a log; at first nothing fails.
func NewFaultyLog(log engine.Log) *FaultyLog { return &FaultyLog{Log: log} }

// errDead is what the appends of a process return that is taken for dead.
var errDead = errors.New("the process is dead")

// CutAfter lets the process die when it has written n more events, also in the middle of an append.
// told says whether it learns that the last of them was written, and so goes on to what comes next.
func (f *FaultyLog) CutAfter(n int, told bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limited, f.left, f.told = true, n, told
}

// Refuse makes every append fail with err, as a full disk does; nil ends that.
func (f *FaultyLog) Refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse, f.limited = err, false
}

// Dead reports whether the process has died of [FaultyLog.CutAfter].
func (f *FaultyLog) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Is(f.refuse, errDead)
}

// Refused is how many appends have failed.
func (f *FaultyLog) Refused() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

// Append implements [engine.Log].
func (f *FaultyLog) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse == nil && f.limited && f.left < len(facts) {
		f.refuse = errDead
		if f.left > 0 {
			_, _ = f.Log.Append(ctx, stream, after, facts[:f.left]...)
		}
	}
	if f.refuse != nil {
		f.refused++
		return 0, f.refuse
	}
	seq, err := f.Log.Append(ctx, stream, after, facts...)
	if err == nil && f.limited {
		if f.left -= len(facts); f.left == 0 && !f.told {
			f.refuse, err = errDead, errDead
		}
	}
	return seq, err
}
