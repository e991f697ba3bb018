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
			c = checker{ctx: ctx, tx: tx, indexed: map[string]int{}}
			return c.run()
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
	indexed map[string]int // bucket -> entries that the events ask for
	steps   int
}

func (c *checker) run() error {
	for _, check := range []func() error{c.positions, c.streams, c.heads, c.runs, c.indexes, c.keys, c.cursors} {
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

func damaged(bucket, key []byte, format string, args ...any) error {
	return &DamagedError{Bucket: string(bucket), Key: append([]byte(nil), key...), Reason: fmt.Sprintf(format, args...)}
}

// positions checks that the log has no holes. The events are read stream by stream, later.
func (c *checker) positions() error {
	var last uint64
	return c.each(bucketEvent, func(k, _ []byte) error {
		if len(k) != 8 || number(k) != last+1 {
			return damaged(bucketEvent, k, "it follows position %d", last)
		}
		last++
		return nil
	})
}

// streams reads every event by the index of its stream, and folds those of runs.
func (c *checker) streams() error {
	var at engine.StreamID
	var last engine.Seq
	var sum engine.Summary
	err := c.each(bucketStream, func(k, v []byte) error {
		if len(k) < 10 {
			return damaged(bucketStream, k, "the key is too short")
		}
		stream, seq := engine.StreamID(k[:len(k)-9]), engine.Seq(number(k[len(k)-8:]))
		if stream != at {
			if err := c.endStream(at, last, sum); err != nil {
				return err
			}
			at, last, sum = stream, 0, engine.Summary{}
		}
		e, err := c.event(k, v)
		if err != nil {
			return err
		}
		if e.Stream != stream || e.Seq != seq || seq != last+1 {
			return damaged(bucketStream, k, "event %d of %s follows %d of %s", e.Seq, e.Stream, last, stream)
		}
		c.seen.Events++
		last = seq
		sum.Apply(e)
		return nil
	})
	if err == nil {
		err = c.endStream(at, last, sum)
	}
	// Every entry has led to an event of its own, so that equal numbers mean that none is left out.
	if n := count(c.tx, bucketEvent); err == nil && n != c.seen.Events {
		err = damaged(bucketEvent, nil, "%d events, of which the streams have %d", n, c.seen.Events)
	}
	return err
}

func (c *checker) event(k, v []byte) (engine.Event, error) {
	pos, err := unseal(string(bucketStream), k, v)
	if err != nil {
		return engine.Event{}, err
	}
	raw := c.tx.Bucket(bucketEvent).Get(pos)
	if raw == nil {
		return engine.Event{}, damaged(bucketStream, k, "there is no event at %x", pos)
	}
	return decodeEvent(pos, raw)
}

// endStream compares what was folded of a stream with what the store keeps beside it.
func (c *checker) endStream(stream engine.StreamID, last engine.Seq, sum engine.Summary) error {
	if stream == "" {
		return nil
	}
	c.seen.Streams++
	head, err := (&writer{tx: c.tx}).last(stream)
	if err != nil {
		return err
	}
	if head != last {
		return damaged(bucketHead, []byte(stream), "it says %d and the last event is %d", head, last)
	}
	if _, ok := stream.Run(); !ok || sum.Run == "" {
		return nil
	}
	c.seen.Runs++
	kept, err := readSummary(c.tx, sum.Run)
	if err != nil {
		return err
	}
	if equal, err := sameJSON(kept, sum); err != nil || !equal {
		return errors.Join(err, damaged(bucketRun, []byte(sum.Run), "the summary is not that of the events"))
	}
	for bucket, key := range indexKeys(sum) {
		if k, _ := c.tx.Bucket([]byte(bucket)).Cursor().Seek(key); !bytes.Equal(k, key) {
			return damaged([]byte(bucket), key, "the run is missing from the index")
		}
		c.indexed[bucket]++
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

// heads, runs and indexes check that there is no entry without events.
func (c *checker) heads() error {
	if n := count(c.tx, bucketHead); n != c.seen.Streams {
		return damaged(bucketHead, nil, "%d entries for %d streams", n, c.seen.Streams)
	}
	return nil
}

func (c *checker) runs() error {
	if n := count(c.tx, bucketRun); n != c.seen.Runs {
		return damaged(bucketRun, nil, "%d summaries for %d runs", n, c.seen.Runs)
	}
	return nil
}

func (c *checker) indexes() error {
	for _, bucket := range [][]byte{bucketOpen, bucketByPlaybook, bucketByUser, bucketByStatus, bucketShort} {
		if n := count(c.tx, bucket); n != c.indexed[string(bucket)] {
			return damaged(bucket, nil, "%d entries for %d runs", n, c.indexed[string(bucket)])
		}
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
	entry := append(streamPrefix(engine.RunID(id).Stream()), bytes8(1)...)
	found := c.tx.Bucket(bucketStream).Get(entry)
	if found == nil {
		return damaged(bucketKey, key, "there is no run %s", id)
	}
	e, err := c.event(entry, found)
	if err != nil {
		return err
	}
	if r, ok := e.Payload.(engine.RunRequested); !ok || r.Key != string(key) || uint64(e.Time.UnixNano()) != number(age) {
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
