package store

import (
	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

// streamReader reads a stream as it was when the reader was made, a page at a time.
type streamReader struct {
	stream  engine.StreamID
	seq     engine.Seq   // of the event before the next one
	last    engine.Seq   // where the stream ends
	entries []engine.Pos // still to be read
}

func newStreamReader(tx *bolt.Tx, stream engine.StreamID) (streamReader, error) {
	h, err := readHead(tx, stream)
	if err != nil {
		return streamReader{}, err
	}
	entries, err := entriesOf(tx, stream, h)
	return streamReader{stream: stream, last: h.seq, entries: entries}, err
}

func (r *streamReader) done() bool { return len(r.entries) == 0 && r.seq == r.last }

// page returns the next events: about pageSize of them, or those before what is damaged.
func (r *streamReader) page(tx *bolt.Tx) ([]engine.Event, error) {
	var page []engine.Event
	for len(r.entries) > 0 && len(page) < pageSize {
		e, err := readEntry(tx, r.stream, r.entries[0])
		if err != nil {
			return page, err
		}
		if e.first != r.seq+1 {
			return page, damaged(bucketStream, []byte(r.stream), "event %d follows %d", e.first, r.seq)
		}
		events, err := e.events(0)
		if err != nil {
			return page, err
		}
		page = append(page, events...)
		r.seq += engine.Seq(len(events))
		r.entries = r.entries[1:]
	}
	if len(r.entries) == 0 && r.seq != r.last {
		return page, damaged(bucketStream, []byte(r.stream), "it ends at %d and should end at %d", r.seq, r.last)
	}
	return page, nil
}
