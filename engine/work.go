package engine

import (
	"context"
	"errors"
)

// work is what the runner's one worker is doing.
type work struct {
	last      bool // it belongs to the end of the run, which a cancel lets finish
	cancelled bool
	begins    bool // what it was decided to do rests on what people said about how the run goes on
	steers    int  // how much of that there was
	recorded  bool // it has written something, so that it is under way
	cancel    context.CancelCauseFunc
	record    chan recordRequest
	done      chan []Payload
}

// recordRequest asks the runner to write facts before the worker goes on.
type recordRequest struct {
	facts []Payload
	reply chan error
}

var (
	errCancelled = errors.New("cancelled by a person")
	errSteered   = errors.New("a person said something else meanwhile")
)

// outdated reports whether people have said something since the work was decided that it would go
// against. What is under way is not: it ends.
func (w *work) outdated(r *Run) bool {
	return w.begins && !w.recorded && len(r.Steers) != w.steers
}
