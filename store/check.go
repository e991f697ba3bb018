package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

// Checked counts what a check has seen.
type Checked struct {
	Events, Streams, Runs int
}

// checkEvery is how many records are checked between two looks at the context.
const checkEvery = 1024

// Check verifies the whole store: the pages of the file, the checksum of every record, positions
// and sequences without holes, and summaries and indexes that agree with the events. It returns a
// *DamagedError for the first thing that is wrong. It holds up appends while it looks at the pages;
// after that it reads one state of the store, so that the file grows with every append meanwhile.
func (s *Store) Check(ctx context.Context) (Checked, error) {
	var c checker
	err := checkPages(ctx, s.db) // first: bbolt follows pages wherever they lead
	if err == nil {
		err = s.view(func(tx *bolt.Tx) error {
			c = checker{ctx: ctx, tx: tx}
			return c.all()
		})
	}
	if err != nil {
		return Checked{}, fmt.Errorf("check the store %s: %w", s.path, err)
	}
	return c.seen, nil
}

// checker verifies one state of the store.
type checker struct {
	ctx     context.Context //nolint:containedctx // lives as long as one call of Check
	tx      *bolt.Tx
	seen    Checked
	last    engine.Pos // of the log
	indexed int        // entries that the events ask for
	steps   int
}

func (c *checker) all() error {
	for _, check := range []func() error{c.positions, c.listed, c.streams, c.index, c.keys, c.cursors} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// each visits the entries of a bucket in order.
func (c *checker) each(bucket []byte, visit func(k, v []byte) error) error {
	return c.tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		if c.steps++; c.steps%checkEvery == 0 && c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		return visit(k, v)
	})
}

// positions checks that the log has no holes. The events are decoded stream by stream, later.
func (c *checker) positions() error {
	return c.each(bucketEvent, func(k, v []byte) error {
		e, err := decodeEntry(k, v)
		if err == nil && (len(k) != 8 || e.before() != c.last) {
			err = damaged(bucketEvent, k, "it follows position %d and the log stood at %d", e.before(), c.last)
		}
		c.last = e.last
		return err
	})
}

// streams reads every stream, and folds those of runs.
func (c *checker) streams() error {
	err := c.each(bucketHead, func(k, v []byte) error {
		h, err := decodeHead(k, v)
		if err != nil {
			return err
		}
		stream := engine.StreamID(k)
		sum, err := c.stream(stream)
		if err != nil {
			return err
		}
		c.seen.Streams++
		return c.run(stream, h.summary, sum)
	})
	// Every entry was read in the stream that it names, so that equal numbers mean that none is left out.
	if err == nil && engine.Pos(c.seen.Events) != c.last {
		err = damaged(bucketEvent, nil, "%d events, of which the streams have %d", c.last, c.seen.Events)
	}
	return err
}

// stream reads a stream to its end and returns the fold of its events.
func (c *checker) stream(stream engine.StreamID) (engine.Summary, error) {
	var sum engine.Summary
	r, err := newStreamReader(c.tx, stream)
	if err != nil {
		return sum, err
	}
	if len(r.entries) == 0 {
		return sum, damaged(bucketStream, []byte(stream), "it has no events")
	}
	for !r.done() {
		if err := c.ctx.Err(); err != nil {
			return sum, context.Cause(c.ctx)
		}
		page, err := r.page(c.tx)
		if err != nil {
			return sum, err
		}
		c.seen.Events += len(page)
		if _, ok := stream.Run(); !ok {
			continue
		}
		for _, e := range page {
			sum.Apply(e)
		}
	}
	return sum, nil
}

// run compares what was folded of a run with what the store keeps beside it.
func (c *checker) run(stream engine.StreamID, kept, sum engine.Summary) error {
	if equal, err := sameJSON(kept, sum); err != nil || !equal {
		return errors.Join(err, damaged(bucketHead, []byte(stream), "the summary is not that of the events"))
	}
	if sum.Run != "" {
		c.seen.Runs++
	}
	for key := range indexKeys(sum) {
		if k, _ := c.tx.Bucket(bucketIndex).Cursor().Seek([]byte(key)); string(k) != key {
			return damaged(bucketIndex, []byte(key), "the run is missing from the index")
		}
		c.indexed++
	}
	return nil
}

func sameJSON(a, b engine.Summary) (bool, error) {
	left, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	right, err := json.Marshal(b)
	return bytes.Equal(left, right), err
}

// listed checks that the index of the streams lists nothing of a stream that has no head.
func (c *checker) listed() error {
	return c.each(bucketStream, func(k, _ []byte) error {
		if len(k) < 10 {
			return damaged(bucketStream, k, "the key is too short")
		}
		head := k[:len(k)-9]
		if c.tx.Bucket(bucketHead).Get(head) == nil {
			return damaged(bucketHead, head, "the end of the stream is missing")
		}
		return nil
	})
}

// index checks that it has no entry without a run.
func (c *checker) index() error {
	if n := count(c.tx, bucketIndex); n != c.indexed {
		return damaged(bucketIndex, nil, "it has %d entries for runs that have %d", n, c.indexed)
	}
	return nil
}

// keys checks that every request key that is remembered leads to the request, and will be forgotten.
func (c *checker) keys() error {
	keys := 0
	err := c.each(bucketKeyAge, func(k, _ []byte) error {
		if len(k) <= 8 {
			return damaged(bucketKeyAge, k, "the key is too short")
		}
		keys++
		return c.key(k, k[8:])
	})
	if n := count(c.tx, bucketKey); err == nil && n != keys {
		err = damaged(bucketKey, nil, "%d keys, of which %d have an age", n, keys)
	}
	return err
}

func (c *checker) key(age, key []byte) error {
	v := c.tx.Bucket(bucketKey).Get(key)
	if v == nil {
		return damaged(bucketKey, key, "the key is missing")
	}
	id, err := unseal(string(bucketKey), key, v)
	if err != nil {
		return err
	}
	stream := engine.RunID(id).Stream()
	r, err := newStreamReader(c.tx, stream)
	if err != nil {
		return err
	}
	if len(r.entries) == 0 {
		return damaged(bucketKey, key, "there is no run %s", id)
	}
	e, err := readEntry(c.tx, stream, r.entries[0])
	if err != nil {
		return err
	}
	events, err := e.events(0)
	if err != nil {
		return err
	}
	if q, ok := events[0].Payload.(engine.RunRequested); !ok || q.Key != string(key) || uint64(e.time.UnixNano()) != number(age) {
		return damaged(bucketKey, key, "it is not that of run %s", id)
	}
	return nil
}

func (c *checker) cursors() error {
	return c.each(bucketCursor, func(k, v []byte) error {
		pos, err := unseal(string(bucketCursor), k, v)
		if err == nil && number(pos) > uint64(c.seen.Events) {
			err = damaged(bucketCursor, k, "it stands at %d and the log ends at %d", number(pos), c.seen.Events)
		}
		return err
	})
}

func count(tx *bolt.Tx, bucket []byte) int {
	n, c := 0, tx.Bucket(bucket).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}
