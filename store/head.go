package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

// indexEvery is how many entries of a stream its head lists before they move to the index: a commit
// that wrote to the index each time would write two pages more.
const indexEvery = 16

// head is where a stream ends. All that an append changes of a stream is in this one record.
type head struct {
	seq     engine.Seq
	recent  []engine.Pos   // entries that are not in the index yet
	summary engine.Summary // of a run; zero until it is requested, and for other streams
}

// readHead returns the head of a stream, which is zero when there is no such stream. A stream whose
// head is lost is refused: a run that resumed without its end would repeat what it has done.
func readHead(tx *bolt.Tx, stream engine.StreamID) (head, error) {
	key := []byte(stream)
	if v := tx.Bucket(bucketHead).Get(key); v != nil {
		return decodeHead(key, v)
	}
	prefix := streamPrefix(stream)
	if k, _ := tx.Bucket(bucketStream).Cursor().Seek(prefix); bytes.HasPrefix(k, prefix) {
		return head{}, damaged(bucketHead, key, "the end of the stream is missing")
	}
	return head{}, nil
}

func decodeHead(key, value []byte) (head, error) {
	payload, err := unseal(string(bucketHead), key, value)
	if err != nil {
		return head{}, err
	}
	r := byteReader{rest: payload}
	h := head{seq: engine.Seq(r.number()), recent: positions(r.bytes())}
	if r.short {
		return head{}, damaged(bucketHead, key, "it is too short")
	}
	if len(r.rest) > 0 {
		err = json.Unmarshal(r.rest, &h.summary)
	}
	return h, err
}

func (h *head) encode() ([]byte, error) {
	var summary []byte
	if h.summary.Run != "" {
		var err error
		if summary, err = json.Marshal(h.summary); err != nil {
			return nil, err
		}
	}
	out := make([]byte, 0, len(summary)+8*len(h.recent)+16)
	out = binary.AppendUvarint(out, uint64(h.seq))
	out = appendBytes(out, listed(h.recent))
	return append(out, summary...), nil
}

// entriesOf lists the entries of a stream by their positions, in order.
func entriesOf(tx *bolt.Tx, stream engine.StreamID, h head) ([]engine.Pos, error) {
	var all []engine.Pos
	prefix := streamPrefix(stream)
	c := tx.Bucket(bucketStream).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		list, err := unseal(string(bucketStream), k, v)
		if err != nil {
			return nil, err
		}
		all = append(all, positions(list)...)
	}
	return append(all, h.recent...), nil
}

// indexed is the key under which the index of a stream lists some of its entries: it ends in the
// position of the first, so that the lists follow one another.
func indexed(stream engine.StreamID, list []engine.Pos) []byte {
	return append(streamPrefix(stream), bytes8(uint64(list[0]))...)
}

func listed(list []engine.Pos) []byte {
	out := make([]byte, 0, 8*len(list))
	for _, pos := range list {
		out = append(out, bytes8(uint64(pos))...)
	}
	return out
}

func positions(b []byte) []engine.Pos {
	list := make([]engine.Pos, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		list = append(list, engine.Pos(number(b)))
	}
	return list
}

func streamPrefix(stream engine.StreamID) []byte { return append([]byte(stream), 0) }
