package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// ErrConflict says that a stream moved on since the caller last looked.
var ErrConflict = errors.New("the stream has moved on")

// DuplicateError says that a request with the same key was accepted before.
type DuplicateError struct{ Run RunID }

// Error implements error.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("this request has already started run %s", e.Run.Short())
}

// Log keeps events. Implementations are safe for concurrent use and pass store/storetest.
type Log interface {
	// Append writes facts to a stream, all or nothing, and returns the sequence number of the last
	// one. It returns ErrConflict when the stream is not at after (AnySeq accepts any). A
	// RunRequested whose Key is known writes nothing and returns *DuplicateError. When ctx ends
	// before the facts are part of a transaction nothing is written and the context's error is
	// returned; after that, Append waits for the commit.
	Append(ctx context.Context, stream StreamID, after Seq, facts ...Payload) (Seq, error)
	// Read yields the events of a stream in order. A stream that does not exist is empty.
	Read(ctx context.Context, stream StreamID) iter.Seq2[Event, error]
	// Unfinished lists the runs that have not ended, oldest first.
	Unfinished(ctx context.Context) ([]RunID, error)
}
