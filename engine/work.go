package engine

import (
	"context"
	"errors"
	"slices"
)

// work is what the runner's one worker is doing.
type work struct {
	last      bool // it belongs to the end of the run, which a cancel lets finish
	cancelled bool
	begins    bool // what it was decided to do rests on what people said about how the run goes on
	words     int  // how much of that there was
	begun     bool // its intent is written down, so that it is under way
	cancel    context.CancelCauseFunc
	record    chan recordRequest
	done      chan []Payload
}

// recordRequest asks the runner to write facts before the worker goes on.
type recordRequest struct {
	facts []Payload
	reply chan error
}

// begins reports whether the facts are the intent of an attempt. That nodes are waited for is none.
func (q recordRequest) begins() bool {
	return slices.ContainsFunc(q.facts, func(f Payload) bool { _, ok := f.(AttemptStarted); return ok })
}

// begins reports whether an action begins something: what people said about how the run goes on holds for it.
func (a action) begins() bool {
	return a.do == doBegin || a.do == doAsk || a.do == doAttempt || a.do == doWave
}

var (
	errCancelled = errors.New("cancelled by a person")
	errSteered   = errors.New("a person said something else meanwhile")
)

// outdated reports whether people have said something since the work was decided that it would go
// against. What is under way is not: it ends.
func (w *work) outdated(r *Run) bool {
	return w.begins && !w.begun && (r.words() != w.words || r.braked())
}
