package store

import (
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
	for _, name := range [][]byte{bucketEvent, bucketKeyAge} {
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
	h, err := readHead(w.tx, q.stream)
	if err == nil && q.after != engine.AnySeq && q.after != h.seq {
		err = fmt.Errorf("%s is at %d and not at %d: %w", q.stream, h.seq, q.after, engine.ErrConflict)
	}
	var e entry
	if err == nil {
		e, err = newEntry(q.stream, h.seq+1, w.now, q.facts)
	}
	if err == nil {
		err = w.claimKey(q)
	}
	if err != nil {
		q.err = err
		return nil //nolint:nilerr // this request is refused, the others go on
	}
	if q.seq = h.seq + engine.Seq(len(q.facts)); len(q.facts) == 0 {
		return nil
	}
	if err := w.put(&e); err != nil {
		return err
	}
	return w.advance(h, e, q.facts)
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

// put writes an entry at the end of the log.
func (w *writer) put(e *entry) error {
	w.pos += engine.Pos(len(e.facts))
	e.last = w.pos
	key := bytes8(uint64(e.last))
	return w.tx.Bucket(bucketEvent).Put(key, seal(key, e.encode()))
}

// advance moves the head of a stream, and the indexes of a run, over an entry.
func (w *writer) advance(h head, e entry, facts []engine.Payload) error {
	before := h.summary
	if _, ok := e.stream.Run(); ok {
		for i, f := range facts {
			h.summary.Apply(engine.Event{Stream: e.stream, Seq: e.first + engine.Seq(i), Time: e.time, Payload: f})
		}
	}
	h.seq += engine.Seq(len(facts))
	h.recent = append(h.recent, e.last)
	if e.first == 1 || len(h.recent) == indexEvery { // the first one shows that there is such a stream
		key := indexed(e.stream, h.recent)
		if err := w.tx.Bucket(bucketStream).Put(key, seal(key, listed(h.recent))); err != nil {
			return err
		}
		h.recent = nil
	}
	data, err := h.encode()
	if err != nil {
		return err
	}
	key := []byte(e.stream)
	if err := w.tx.Bucket(bucketHead).Put(key, seal(key, data)); err != nil {
		return err
	}
	return w.index(before, h.summary)
}

// index moves a run from where its old summary stands to where its new one does.
func (w *writer) index(before, after engine.Summary) error {
	if samePlace(before, after) {
		return nil
	}
	index := w.tx.Bucket(bucketIndex)
	old, present := indexKeys(before), indexKeys(after)
	for key := range old {
		if !present[key] {
			if err := index.Delete([]byte(key)); err != nil {
				return err
			}
		}
	}
	for key := range present {
		if !old[key] {
			if err := index.Put([]byte(key), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// samePlace reports whether nothing has changed by which a run is indexed, as with most appends.
func samePlace(a, b engine.Summary) bool {
	return a.Run == b.Run && a.Status == b.Status && a.Playbook.Name == b.Playbook.Name && a.Actor.User == b.Actor.User
}

// What the index leads to runs by. The entries of each stand together, and end in the id of the run,
// which sorts by time.
const (
	byPlaybook = "playbook"
	byUser     = "user"
	byStatus   = "status"
	byShort    = "short" // of the id, without "r-"
	byOpen     = "open"  // runs that have not ended, under the empty value
)

// indexKeys are the places of a run in the index; none for the zero summary.
func indexKeys(s engine.Summary) map[string]bool {
	if s.Run == "" {
		return nil
	}
	keys := map[string]bool{
		indexKey(byPlaybook, s.Playbook.Name, s.Run):                      true,
		indexKey(byUser, s.Actor.User, s.Run):                             true,
		indexKey(byStatus, string(s.Status), s.Run):                       true,
		indexKey(byShort, strings.TrimPrefix(s.Run.Short(), "r-"), s.Run): true,
	}
	if !s.Status.Final() {
		keys[indexKey(byOpen, "", s.Run)] = true
	}
	return keys
}

// indexKey is the place of a run in the index, or for no run the beginning of those with a value.
func indexKey(by, value string, id engine.RunID) string {
	return by + "\x00" + value + "\x00" + string(id)
}
