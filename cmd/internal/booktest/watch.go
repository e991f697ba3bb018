package booktest

import (
	"context"
	"slices"
	"sync"

	"github.com/playbot/playbot/engine"
)

// watch is a log that says when a step has begun or a gate has opened.
type watch struct {
	engine.Log

	news chan struct{} // holds one when there is something to look at

	mu   sync.Mutex // guards runs
	runs []engine.RunID
}

// Append implements [engine.Log].
func (w *watch) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	seq, err := w.Log.Append(ctx, stream, after, facts...)
	id, isRun := stream.Run()
	if err != nil || !isRun {
		return seq, err
	}
	w.mu.Lock()
	if !slices.Contains(w.runs, id) {
		w.runs = append(w.runs, id)
	}
	w.mu.Unlock()
	if slices.ContainsFunc(facts, clickable) {
		select {
		case w.news <- struct{}{}:
		default: // who looks next sees this too
		}
	}
	return seq, nil
}

// clickable reports whether people may click because of a fact.
func clickable(fact engine.Payload) bool {
	switch fact.(type) {
	case engine.TaskBegun, engine.ApprovalAsked:
		return true
	default:
		return false
	}
}

// known lists the runs, in the order in which they began.
func (w *watch) known() []engine.RunID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.runs)
}
