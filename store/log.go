package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

const (
	// queueSize bounds the appends that wait for a commit; callers beyond it block until ctx ends.
	queueSize = 1024
	// maxBatch bounds the appends of one transaction.
	maxBatch = 256
	// pageSize bounds the events that are copied in one read transaction.
	pageSize = 256
)

// appendRequest is one caller's facts, or another change that shares the commit.
type appendRequest struct {
	ctx    context.Context //nolint:containedctx // a request that waits in a queue takes its deadline along
	stream engine.StreamID
	after  engine.Seq
	facts  []engine.Payload
	change func(tx *bolt.Tx) error // instead of facts

	seq  engine.Seq
	err  error
	done chan struct{}
}

// Append implements [engine.Log].
func (s *Store) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	q := &appendRequest{ctx: ctx, stream: stream, after: after, facts: facts}
	if err := s.submit(q); err != nil {
		return 0, err
	}
	return q.seq, nil
}

// submit queues a request and waits for its commit. Whoever finds the writer's seat free commits
// what everybody has queued, so that a lone caller wakes nobody and is woken by nobody.
func (s *Store) submit(q *appendRequest) error {
	q.done = make(chan struct{})
	select {
	case s.queue <- q:
	case <-q.ctx.Done():
		return fmt.Errorf("append to %s: %w", q.stream, context.Cause(q.ctx))
	case <-s.quit:
		return errClosed
	}
	for {
		select {
		case <-q.done: // whoever wrote looked at ctx before the transaction
			return q.err
		case s.seat <- struct{}{}:
			s.lead(q)
		case <-s.done: // nobody writes any more
			if q.answered() {
				return q.err
			}
			return errClosed
		}
	}
}

// lead commits what is queued, unless the request was answered while its caller waited for the seat.
func (s *Store) lead(q *appendRequest) {
	defer func() { <-s.seat }()
	if !q.answered() {
		s.commit(s.batch())
	}
}

func (q *appendRequest) answered() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

// batch takes what is queued.
func (s *Store) batch() []*appendRequest {
	var batch []*appendRequest
	for len(batch) < maxBatch {
		select {
		case q := <-s.queue:
			batch = append(batch, q)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch in one transaction. A request that is refused does not disturb the others.
func (s *Store) commit(batch []*appendRequest) {
	var head engine.Pos
	err := guarded(func() error {
		return s.db.Update(func(tx *bolt.Tx) (err error) {
			head, err = applyAll(tx, batch)
			return err
		})
	})
	if s.slow > 0 {
		time.Sleep(s.slow)
	}
	for _, q := range batch {
		if err != nil && q.err == nil {
			q.err = fmt.Errorf("write to the store %s: %w", s.path, err)
		}
	}
	if err == nil {
		s.moved(head)
	}
	for _, q := range batch {
		close(q.done)
	}
}

func applyAll(tx *bolt.Tx, batch []*appendRequest) (engine.Pos, error) {
	w := newWriter(tx, time.Now())
	for _, q := range batch {
		if q.ctx.Err() != nil {
			q.err = fmt.Errorf("append to %s: %w", q.stream, context.Cause(q.ctx))
			continue
		}
		if err := w.apply(q); err != nil {
			return 0, err
		}
	}
	return w.pos, w.expireKeys()
}

// Read implements [engine.Log]. No transaction is open while the caller looks at an event.
func (s *Store) Read(ctx context.Context, stream engine.StreamID) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		var r streamReader
		err := s.view(func(tx *bolt.Tx) (err error) {
			r, err = newStreamReader(tx, stream)
			return err
		})
		for err == nil && !r.done() {
			var page []engine.Event
			if err = ctx.Err(); err == nil {
				err = s.view(func(tx *bolt.Tx) (err error) {
					page, err = r.page(tx)
					return err
				})
			}
			for _, e := range page { // also those before what is damaged
				if !yield(e, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(engine.Event{}, fmt.Errorf("read %s: %w", stream, err))
		}
	}
}

// Since returns at most limit events after a position, in order.
func (s *Store) Since(_ context.Context, after engine.Pos, limit int) ([]engine.Event, error) {
	var page []engine.Event
	limit = min(limit, pageSize)
	err := s.view(func(tx *bolt.Tx) error {
		at := after
		c := tx.Bucket(bucketEvent).Cursor()
		for k, v := c.Seek(bytes8(uint64(after) + 1)); k != nil && len(page) < limit; k, v = c.Next() {
			e, err := decodeEntry(k, v)
			if err != nil {
				return err
			}
			if e.before() > at || e.before() < at && at != after {
				return damaged(bucketEvent, k, "it follows position %d and the log stood at %d", e.before(), at)
			}
			events, err := e.events(int(at - e.before()))
			if err != nil {
				return err
			}
			page, at = append(page, events...), e.last
		}
		return nil
	})
	return page[:min(len(page), limit)], err
}

// Unfinished implements [engine.Log]. It reads the index of open runs and nothing else.
func (s *Store) Unfinished(context.Context) ([]engine.RunID, error) {
	var ids []engine.RunID
	err := s.view(func(tx *bolt.Tx) error {
		prefix := []byte(indexKey(byOpen, "", ""))
		c := tx.Bucket(bucketIndex).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			ids = append(ids, engine.RunID(k[len(prefix):]))
		}
		return nil
	})
	return ids, err
}
