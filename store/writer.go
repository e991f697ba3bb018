package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

const (
	// keyLife is how long a request key is remembered. Slack repeats events for six minutes; a day covers a person too.
	keyLife = 24 * time.Hour
	// expirePerCommit bounds the work of forgetting keys.
	expirePerCommit = 64
	// fill packs the pages of buckets that only grow at their end.
	fill = 0.95
)

// writer applies requests inside one transaction.
type writer struct {
	tx  *bolt.Tx
	now time.Time
	pos engine.Pos
}

func newWriter(tx *bolt.Tx, now time.Time) *writer {
	for _, name := range [][]byte{bucketEvent, bucketRun, bucketKeyAge} {
		tx.Bucket(name).FillPercent = fill
	}
	k, _ := tx.Bucket(bucketEvent).Cursor().Last()
	return &writer{tx: tx, now: now.UTC(), pos: engine.Pos(number(k))}
}

// apply carries out one request. What only that request did wrong goes into its err; an error that
// is returned takes the whole transaction back.
func (w *writer) apply(q *appendRequest) error {
	if q.change != nil {
		return q.change(w.tx)
	}
	last, err := w.last(q.stream)
	if err != nil {
		q.err = err
		return nil //nolint:nilerr // this request is refused, the others go on
	}
	if q.after != engine.AnySeq && q.after != last {
		q.err = fmt.Errorf("%s is at %d and not at %d: %w", q.stream, last, q.after, engine.ErrConflict)
		return nil
	}
	encoded, events, err := w.encode(q, last)
	if err == nil {
		err = w.claimKey(q)
	}
	if err != nil {
		q.err = err
		return nil //nolint:nilerr // this request is refused, the others go on
	}
	for i, e := range events {
		if err := w.put(e, encoded[i]); err != nil {
			return err
		}
	}
	if q.seq = last + engine.Seq(len(events)); len(events) == 0 {
		return nil
	}
	head := []byte(q.stream)
	if err := w.tx.Bucket(bucketHead).Put(head, seal(head, bytes8(uint64(q.seq)))); err != nil {
		return err
	}
	return w.summarise(q.stream, events)
}

func (w *writer) last(stream engine.StreamID) (engine.Seq, error) {
	key := []byte(stream)
	v := w.tx.Bucket(bucketHead).Get(key)
	if v == nil {
		return 0, nil
	}
	payload, err := unseal(string(bucketHead), key, v)
	return engine.Seq(number(payload)), err
}

// encode makes events of the facts before anything is written.
func (w *writer) encode(q *appendRequest, last engine.Seq) ([][]byte, []engine.Event, error) {
	events := make([]engine.Event, len(q.facts))
	encoded := make([][]byte, len(q.facts))
	for i, f := range q.facts {
		events[i] = engine.Event{Stream: q.stream, Seq: last + engine.Seq(i) + 1, Time: w.now, Payload: f}
		var err error
		if encoded[i], err = encodeEvent(events[i]); err != nil {
			return nil, nil, err
		}
	}
	return encoded, events, nil
}

// claimKey refuses a request whose key has already started a run.
func (w *writer) claimKey(q *appendRequest) error {
	for _, f := range q.facts {
		r, ok := f.(engine.RunRequested)
		if !ok || r.Key == "" {
			continue
		}
		keys, key := w.tx.Bucket(bucketKey), []byte(r.Key)
		if v := keys.Get(key); v != nil {
			payload, err := unseal(string(bucketKey), key, v)
			if err != nil {
				return err
			}
			return &engine.DuplicateError{Run: engine.RunID(payload)}
		}
		id, _ := q.stream.Run()
		if err := keys.Put(key, seal(key, []byte(id))); err != nil {
			return err
		}
		age := append(bytes8(uint64(w.now.UnixNano())), key...)
		if err := w.tx.Bucket(bucketKeyAge).Put(age, nil); err != nil {
			return err
		}
	}
	return nil
}

// expireKeys forgets old keys, a few with each commit.
func (w *writer) expireKeys() error {
	ages := w.tx.Bucket(bucketKeyAge)
	limit := w.now.Add(-keyLife).UnixNano()
	c := ages.Cursor()
	for range expirePerCommit {
		k, _ := c.First()
		if k == nil || int64(number(k)) > limit {
			return nil
		}
		if err := w.tx.Bucket(bucketKey).Delete(k[8:]); err != nil {
			return err
		}
		if err := ages.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) put(e engine.Event, encoded []byte) error {
	w.pos++
	key := bytes8(uint64(w.pos))
	if err := w.tx.Bucket(bucketEvent).Put(key, seal(key, encoded)); err != nil {
		return err
	}
	index := append(streamPrefix(e.Stream), bytes8(uint64(e.Seq))...)
	return w.tx.Bucket(bucketStream).Put(index, seal(index, key))
}

// summarise keeps the summary of a run and its indexes in step with its events.
func (w *writer) summarise(stream engine.StreamID, events []engine.Event) error {
	id, ok := stream.Run()
	if !ok {
		return nil
	}
	before, err := w.summary(id)
	if err != nil {
		return err
	}
	after := before
	for _, e := range events {
		after.Apply(e)
	}
	if after.Run == "" { // an annotation to a run that was never requested
		return nil
	}
	data, err := json.Marshal(after)
	if err != nil {
		return err
	}
	key := []byte(id)
	if err := w.tx.Bucket(bucketRun).Put(key, seal(key, data)); err != nil {
		return err
	}
	return w.index(before, after)
}

func (w *writer) summary(id engine.RunID) (engine.Summary, error) {
	return readSummary(w.tx, id)
}

// index moves a run from where its old summary stands to where its new one does.
func (w *writer) index(before, after engine.Summary) error {
	if samePlace(before, after) {
		return nil
	}
	old, present := indexKeys(before), indexKeys(after)
	for bucket, key := range old {
		if string(present[bucket]) == string(key) {
			delete(present, bucket)
			continue
		}
		if err := w.tx.Bucket([]byte(bucket)).Delete(key); err != nil {
			return err
		}
	}
	for bucket, key := range present {
		if err := w.tx.Bucket([]byte(bucket)).Put(key, nil); err != nil {
			return err
		}
	}
	return nil
}

// samePlace reports whether nothing has changed by which a run is indexed, as with most appends.
func samePlace(a, b engine.Summary) bool {
	return a.Run == b.Run && a.Status == b.Status && a.Playbook.Name == b.Playbook.Name && a.Actor.User == b.Actor.User
}

// indexKeys are the places of a run in the indexes; none for the zero summary.
func indexKeys(s engine.Summary) map[string][]byte {
	if s.Run == "" {
		return nil
	}
	keys := map[string][]byte{
		string(bucketByPlaybook): indexKey(s.Playbook.Name, s.Run),
		string(bucketByUser):     indexKey(s.Actor.User, s.Run),
		string(bucketByStatus):   indexKey(string(s.Status), s.Run),
		string(bucketShort):      indexKey(strings.TrimPrefix(s.Run.Short(), "r-"), s.Run),
	}
	if !s.Status.Final() {
		keys[string(bucketOpen)] = []byte(s.Run)
	}
	return keys
}

func indexKey(value string, id engine.RunID) []byte {
	return append(append([]byte(value), 0), id...)
}
