package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Outcome is an [Answer] whose data has been read.
type Outcome struct {
	StatusCode int
	StatusMsg  string
	Data       map[string]any
}

// Decoder reads many replies of one version; those of another are errors, so that nobody can answer in the
// version that checks less. It reads what servers usually write by itself and gives all else to [DecodeReply]
// and [DecodeReply2], so that they never differ; see FuzzDecoder. Nothing that it returns points into a message
// or into its buffers. Not for concurrent use; the zero value reads version 1.
type Decoder struct {
	Version Version
	Senders Senders // who vouches for the replies of version 2; see [DecodeReply2]
	// Rare counts the replies that were not plain.
	Rare int

	data, message, payload []byte // buffers
	signature              []byte
	id, agent              string // of the last reply: all replies to a request share them
}

// maxBuffer is the largest buffer that is kept for the next reply.
const maxBuffer = 64 << 10

// Reply is [DecodeReply], or [DecodeReply2].
func (d *Decoder) Reply(msg []byte) (Reply, error) {
	defer d.forget()
	r, payload, ok := d.open(msg)
	if !ok {
		d.Rare++
		return decodeReply(d.Version, msg, d.Senders)
	}
	r.Payload = string(payload)
	return r, nil
}

// Outcome reads a reply and the answer to an RPC inside. The reply comes without its payload.
func (d *Decoder) Outcome(msg []byte) (Reply, Outcome, error) {
	defer d.forget()
	if r, payload, ok := d.open(msg); ok {
		if o, ok := outcome(payload); ok {
			return r, o, nil
		}
	}
	d.Rare++
	return DecodeOutcome(d.Version, msg, d.Senders)
}

func decodeReply(v Version, msg []byte, senders Senders) (Reply, error) {
	if v == V2 {
		return DecodeReply2(msg, senders)
	}
	return DecodeReply(msg)
}

// DecodeOutcome is [Decoder.Outcome] with encoding/json alone.
func DecodeOutcome(v Version, msg []byte, senders Senders) (Reply, Outcome, error) {
	r, err := decodeReply(v, msg, senders)
	if err != nil {
		return Reply{}, Outcome{}, err
	}
	var a Answer
	if err := json.Unmarshal([]byte(r.Payload), &a); err != nil {
		return Reply{}, Outcome{}, fmt.Errorf("decode answer: %w", err)
	}
	r.Payload = ""
	o := Outcome{StatusCode: a.StatusCode, StatusMsg: a.StatusMsg}
	if len(a.Data) == 0 {
		return r, o, nil
	}
	if err := json.Unmarshal(a.Data, &o.Data); err != nil {
		return Reply{}, Outcome{}, fmt.Errorf("decode the data of the answer: %w", err)
	}
	return r, o, nil
}

// forget lets go of what one large reply has made large.
func (d *Decoder) forget() {
	for _, b := range []*[]byte{&d.data, &d.message, &d.payload, &d.signature} {
		if cap(*b) > maxBuffer {
			*b = nil
		}
	}
}

// once notes that a key was seen, and reports whether for the first time.
func once(seen *uint, bit uint) bool {
	first := *seen&(1<<bit) == 0
	*seen |= 1 << bit
	return first
}

// open reads the layers of a reply; the payload lies in a buffer or in the message.
func (d *Decoder) open(msg []byte) (Reply, []byte, bool) {
	if d.Version == V2 {
		return d.open2(msg)
	}
	data, ok := d.transport(msg, protoTransport)
	if !ok {
		return Reply{}, nil, false
	}
	message, ok := d.secure(data)
	if !ok {
		return Reply{}, nil, false
	}
	return d.inner(message)
}

func (d *Decoder) transport(msg []byte, want string) ([]byte, bool) {
	if !utf8.Valid(msg) {
		return nil, false
	}
	s := scanner{b: msg}
	var seen uint
	var protocol, data []byte
	ok := s.object(func(key []byte) (ok bool) {
		switch string(key) {
		case "protocol":
			protocol, ok = s.plain()
			return ok && once(&seen, 0)
		case "data":
			data, ok = s.base64()
			return ok && once(&seen, 1)
		case "headers":
			return s.skip(0) && once(&seen, 2)
		}
		return false
	})
	if !ok || !s.end() || string(protocol) != want {
		return nil, false
	}
	var err error
	d.data, err = base64.StdEncoding.AppendDecode(d.data[:0], data)
	return d.data, err == nil && utf8.Valid(d.data)
}

func (d *Decoder) secure(data []byte) ([]byte, bool) {
	s := scanner{b: data}
	var seen uint
	var protocol, message, sum []byte
	ok := s.object(func(key []byte) (ok bool) {
		switch string(key) {
		case "protocol":
			protocol, ok = s.plain()
			return ok && once(&seen, 0)
		case "message":
			message, d.message, ok = s.text(d.message[:0])
			return ok && once(&seen, 1)
		case "hash":
			sum, ok = s.plain()
			return ok && once(&seen, 2)
		}
		return false
	})
	if !ok || !s.end() || string(protocol) != protoSecureReply {
		return nil, false
	}
	hash := sha256.Sum256(message)
	var want [44]byte
	base64.StdEncoding.Encode(want[:], hash[:])
	return message, bytes.Equal(want[:], sum)
}

func (d *Decoder) inner(message []byte) (Reply, []byte, bool) {
	s := scanner{b: message}
	var r Reply
	var seen uint
	var protocol, payload []byte
	ok := s.object(func(key []byte) (ok bool) {
		switch string(key) {
		case "protocol":
			protocol, ok = s.plain()
			return ok && once(&seen, 0)
		case "message":
			payload, d.payload, ok = s.text(d.payload[:0])
			return ok && once(&seen, 1)
		case "envelope":
			return d.envelope(&s, &r) && once(&seen, 2)
		}
		return false
	})
	if !ok || !s.end() || string(protocol) != protoReply || seen&4 == 0 {
		return Reply{}, nil, false
	}
	return r, payload, true
}

func (d *Decoder) envelope(s *scanner, r *Reply) bool {
	var seen uint
	var sent int64
	ok := s.object(func(key []byte) bool {
		switch string(key) {
		case "requestid":
			text, ok := s.plain()
			r.ID = same(&d.id, text)
			return ok && once(&seen, 0)
		case "senderid":
			text, ok := s.plain()
			r.Sender = string(text)
			return ok && once(&seen, 1)
		case "agent":
			text, ok := s.plain()
			r.Agent = same(&d.agent, text)
			return ok && once(&seen, 2)
		case "time":
			var ok bool
			sent, ok = s.integer()
			return ok && once(&seen, 3)
		}
		return false
	})
	r.Time = time.Unix(sent, 0)
	return ok
}

// same returns the text, as the string of the last time when it is the same.
func same(last *string, text []byte) string {
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}

// outcome reads the answer to an RPC.
func outcome(payload []byte) (Outcome, bool) {
	s := scanner{b: payload}
	var o Outcome
	var seen uint
	ok := s.object(func(key []byte) bool {
		switch string(key) {
		case "action":
			_, ok := s.plain()
			return ok && once(&seen, 0)
		case "statuscode":
			code, ok := s.integer()
			o.StatusCode = int(code)
			return ok && once(&seen, 1)
		case "statusmsg":
			text, _, ok := s.text(nil)
			o.StatusMsg = message(text)
			return ok && once(&seen, 2)
		case "data":
			var ok bool
			o.Data, ok = s.fields(0)
			return ok && once(&seen, 3)
		}
		return false
	})
	return o, ok && s.end()
}

// message returns a status text; the usual one is not made anew each time.
func message(text []byte) string {
	if string(text) == "OK" {
		return "OK"
	}
	return string(text)
}
