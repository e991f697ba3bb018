package store

import (
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

// entry is what one append wrote: facts of one stream that share their moment and their commit. It
// stands in the file under the position of its last event, so that a look for any of its positions
// ends at it.
type entry struct {
	stream engine.StreamID
	first  engine.Seq // of its first event
	last   engine.Pos // of its last event
	time   time.Time
	facts  []fact
}

// fact is a payload as it stands in the file.
type fact struct {
	kind string
	data []byte
}

// newEntry makes an entry of payloads. Its position is given when it is put into the log.
func newEntry(stream engine.StreamID, first engine.Seq, now time.Time, payloads []engine.Payload) (entry, error) {
	e := entry{stream: stream, first: first, time: now, facts: make([]fact, len(payloads))}
	for i, p := range payloads {
		data, err := engine.EncodePayload(p)
		if err != nil {
			return entry{}, err
		}
		e.facts[i] = fact{p.Kind(), data}
	}
	return e, nil
}

// before is the position that the entry follows.
func (e *entry) before() engine.Pos { return e.last - engine.Pos(len(e.facts)) }

func (e *entry) encode() []byte {
	size := len(e.stream) + 4*binary.MaxVarintLen64
	for _, f := range e.facts {
		size += len(f.kind) + len(f.data) + 2*binary.MaxVarintLen32
	}
	out := make([]byte, 0, size)
	out = binary.AppendUvarint(out, uint64(e.first))
	out = binary.AppendUvarint(out, uint64(e.time.UnixNano()))
	out = appendBytes(out, e.stream)
	for _, f := range e.facts {
		out = appendBytes(out, f.kind)
		out = appendBytes(out, f.data)
	}
	return out
}

// decodeEntry is the inverse of encode. Its facts point into the value.
func decodeEntry(key, value []byte) (entry, error) {
	payload, err := unseal(string(bucketEvent), key, value)
	if err != nil {
		return entry{}, err
	}
	r := byteReader{rest: payload}
	e := entry{last: engine.Pos(number(key)), first: engine.Seq(r.number())}
	e.time = time.Unix(0, int64(r.number())).UTC()
	e.stream = engine.StreamID(r.bytes())
	for len(r.rest) > 0 {
		e.facts = append(e.facts, fact{string(r.bytes()), r.bytes()})
	}
	if r.short || len(e.facts) == 0 || uint64(e.last) < uint64(len(e.facts)) {
		return entry{}, damaged(bucketEvent, key, "it does not hold the events of an append")
	}
	return e, nil
}

// events decodes the facts after the first skip ones.
func (e *entry) events(skip int) ([]engine.Event, error) {
	out := make([]engine.Event, 0, len(e.facts))
	for i := skip; i < len(e.facts); i++ {
		p, err := engine.DecodePayload(e.facts[i].kind, e.facts[i].data)
		if err != nil {
			return nil, fmt.Errorf("event at %d: %w", e.before()+1+engine.Pos(i), err)
		}
		out = append(out, engine.Event{
			Stream: e.stream, Seq: e.first + engine.Seq(i), Pos: e.before() + 1 + engine.Pos(i), Time: e.time, Payload: p,
		})
	}
	return out, nil
}

// readEntry reads the entry of a stream whose last event has that position.
func readEntry(tx *bolt.Tx, stream engine.StreamID, last engine.Pos) (entry, error) {
	key := bytes8(uint64(last))
	v := tx.Bucket(bucketEvent).Get(key)
	if v == nil {
		return entry{}, damaged(bucketEvent, key, "the events are missing")
	}
	e, err := decodeEntry(key, v)
	if err == nil && e.stream != stream {
		err = damaged(bucketEvent, key, "it is of %s and not of %s", e.stream, stream)
	}
	return e, err
}

func appendBytes[T string | engine.StreamID | []byte](out []byte, s T) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// byteReader takes apart what appendBytes and AppendUvarint put together. It never reads beyond the end.
type byteReader struct {
	rest  []byte
	short bool // the end came too early
}

func (r *byteReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.short = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *byteReader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.short = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
