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
	// queueSize bounds the appends that wait for the writer; callers beyond it block until ctx ends.
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

// submit queues a request and waits for its commit.
func (s *Store) submit(q *appendRequest) error {
	q.done = make(chan struct{})
	select {
	case s.queue <- q:
	case <-q.ctx.Done():
		return fmt.Errorf("append to %s: %w", q.stream, context.Cause(q.ctx))
	case <-s.quit:
		return errClosed
	}
	select {
	case <-q.done: // the writer looks at ctx before the transaction
		return q.err
	case <-s.done: // it is gone; what it had not answered by then it never saw
	}
	select {
	case <-q.done:
		return q.err
	default:
		return errClosed
	}
}

// write is the one writer. It drains the queue into one transaction after another.
func (s *Store) write() {
	defer close(s.done)
	for {
		select {
		case first := <-s.queue:
			s.commit(s.batch(first))
		case <-s.quit:
			s.refuse()
			return
		}
	}
}

// refuse answers what is still queued when the store closes.
func (s *Store) refuse() {
	for {
		select {
		case q := <-s.queue:
			q.err = errClosed
			close(q.done)
		default:
			return
		}
	}
}

func (s *Store) batch(first *appendRequest) []*appendRequest {
	batch := []*appendRequest{first}
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
		next := uint64(1)
		for {
			page, err := s.streamPage(stream, next)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(engine.Event{}, fmt.Errorf("read %s: %w", stream, err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
			next = uint64(page[len(page)-1].Seq) + 1
		}
	}
}

func (s *Store) streamPage(stream engine.StreamID, from uint64) ([]engine.Event, error) {
	var page []engine.Event
	err := s.view(func(tx *bolt.Tx) error {
		prefix := streamPrefix(stream)
		events := tx.Bucket(bucketEvent)
		c := tx.Bucket(bucketStream).Cursor()
		for k, v := c.Seek(append(prefix, bytes8(from)...)); bytes.HasPrefix(k, prefix) && len(page) < pageSize; k, v = c.Next() {
			pos, err := unseal(string(bucketStream), k, v)
			if err != nil {
				return err
			}
			raw := events.Get(pos)
			if raw == nil {
				return &DamagedError{Bucket: string(bucketEvent), Key: pos, Reason: "the event is missing"}
			}
			e, err := decodeEvent(pos, raw)
			if err != nil {
				return err
			}
			if e.Stream != stream || uint64(e.Seq) != from+uint64(len(page)) {
				return &DamagedError{Bucket: string(bucketStream), Key: k, Reason: "the sequence has a hole"}
			}
			page = append(page, e)
		}
		return wholeStream(tx, stream, from, len(page))
	})
	return page, err
}

// wholeStream refuses a stream that lacks its end: a run that resumed from it would repeat what it has done.
func wholeStream(tx *bolt.Tx, stream engine.StreamID, from uint64, read int) error {
	last, err := (&writer{tx: tx}).last(stream)
	if err == nil && read < pageSize && uint64(last) != from+uint64(read)-1 {
		err = &DamagedError{Bucket: string(bucketStream), Key: []byte(stream), Reason: "the end of the stream is missing"}
	}
	return err
}

// Since returns at most limit events after a position, in order.
func (s *Store) Since(_ context.Context, after engine.Pos, limit int) ([]engine.Event, error) {
	var page []engine.Event
	err := s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketEvent).Cursor()
		for k, v := c.Seek(bytes8(uint64(after) + 1)); k != nil && len(page) < min(limit, pageSize); k, v = c.Next() {
			e, err := decodeEvent(k, v)
			if err != nil {
				return err
			}
			if e.Pos != after+1+engine.Pos(len(page)) {
				return &DamagedError{Bucket: string(bucketEvent), Key: k, Reason: "there is a hole before it"}
			}
			page = append(page, e)
		}
		return nil
	})
	return page, err
}

// Unfinished implements [engine.Log]. It reads the bucket of open runs and nothing else.
func (s *Store) Unfinished(context.Context) ([]engine.RunID, error) {
	var ids []engine.RunID
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketOpen).ForEach(func(k, _ []byte) error {
			ids = append(ids, engine.RunID(k))
			return nil
		})
	})
	return ids, err
}

func streamPrefix(stream engine.StreamID) []byte { return append([]byte(stream), 0) }
