package choria

import (
	"runtime"
	"sync"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// What is read side by side is bounded: it is so little that the time and a cancellation are looked at every few
// milliseconds, and that decoding takes little more memory than that of one large reply.
const (
	maxReaders = 8
	maxAtOnce  = 64        // replies
	maxChunk   = 256 << 10 // bytes, after which no further reply is added
)

// reading is a reply that has been read. The outcome is empty where only the sender was asked for.
type reading struct {
	reply   wire.Reply
	outcome wire.Outcome
	err     error
}

// readers read what lies in an inbox, and hand it on in the order in which it came. Where signatures are checked,
// which takes twenty times as long as all else, those that wait are read side by side, by as many goroutines as
// there are processors. Not for concurrent use.
type readers struct {
	client   *Client
	box      *inbox
	read     func(d *wire.Decoder, data []byte) reading
	decoders []wire.Decoder // one for each goroutine

	chunk    [][]byte  // what is being read
	readings []reading // of the chunk
}

func (c *Client) readers(box *inbox, read func(*wire.Decoder, []byte) reading) *readers {
	n := 1
	if c.security.senders != nil {
		n = min(runtime.GOMAXPROCS(0), maxReaders)
	}
	r := &readers{client: c, box: box, read: read, decoders: make([]wire.Decoder, n)}
	for i := range r.decoders {
		r.decoders[i] = c.decoder()
	}
	return r
}

// decoder reads replies to this client's requests.
func (c *Client) decoder() wire.Decoder {
	return wire.Decoder{Version: c.security.version, Senders: c.security.senders}
}

// take reads a reply from the inbox and, side by side, those that wait behind it. It gives each to use, and returns
// how many there were.
func (r *readers) take(first []byte, use func(reading)) int {
	r.fill(first)
	if len(r.chunk) == 1 {
		use(r.read(&r.decoders[0], first))
		return 1
	}
	r.readings = append(r.readings[:0], make([]reading, len(r.chunk))...)
	var wg sync.WaitGroup
	for w := range r.decoders {
		wg.Go(func() {
			for i := w; i < len(r.chunk); i += len(r.decoders) {
				r.readings[i] = r.read(&r.decoders[w], r.chunk[i])
			}
		})
	}
	wg.Wait()
	for _, reading := range r.readings {
		use(reading)
	}
	clear(r.readings) // they may be large
	return len(r.chunk)
}

// fill takes from the inbox what is read at once.
func (r *readers) fill(first []byte) {
	clear(r.chunk)
	r.chunk = append(r.chunk[:0], first)
	size := len(first)
	for len(r.decoders) > 1 && len(r.chunk) < maxAtOnce && size < maxChunk && len(r.box.replies) > 0 {
		data := <-r.box.replies // nobody else takes from it
		r.chunk = append(r.chunk, data)
		size += len(data)
	}
	r.client.waiting.Add(-int64(size))
}

// drain takes the replies that have arrived.
func (r *readers) drain(use func(reading)) {
	for n := len(r.box.replies); n > 0; { // not until it is empty: somebody may fill it for ever
		n -= r.take(<-r.box.replies, use)
	}
}
