package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"time"
	"unicode/utf8"
)

// open2 reads the layers of a reply of version 2 and has its sender vouched for; the payload lies in a buffer.
func (d *Decoder) open2(msg []byte) (Reply, []byte, bool) {
	data, ok := d.transport(msg, protoTransport2)
	if !ok {
		return Reply{}, nil, false
	}
	message, signature, token, ok := d.secure2(data)
	if !ok {
		return Reply{}, nil, false
	}
	r, sender, ok := d.inner2(message)
	// Who is not trusted is left to the fallback, which says why.
	if !ok || vouch(d.Senders, message, signature, token, sender) != nil {
		return Reply{}, nil, false
	}
	r.Sender = string(sender)
	return r, d.payload, true
}

// secure2 reads the secure reply, and checks its hash.
func (d *Decoder) secure2(data []byte) (message, signature, token []byte, ok bool) {
	s := scanner{b: data}
	var seen uint
	var protocol, body, sum, sig []byte
	ok = s.object(func(key []byte) (ok bool) {
		switch string(key) {
		case "protocol":
			protocol, ok = s.plain()
			return ok && once(&seen, 0)
		case "reply":
			body, ok = s.base64()
			return ok && once(&seen, 1)
		case "hash":
			sum, ok = s.plain()
			return ok && once(&seen, 2)
		case "signature":
			sig, ok = s.base64()
			return ok && once(&seen, 3)
		case "sender":
			token, ok = s.plain()
			return ok && once(&seen, 4)
		}
		return false
	})
	if !ok || !s.end() || string(protocol) != protoSecureReply2 {
		return nil, nil, nil, false
	}
	var errBody, errSig error
	d.message, errBody = base64.StdEncoding.AppendDecode(d.message[:0], body)
	d.signature, errSig = base64.StdEncoding.AppendDecode(d.signature[:0], sig)
	if errBody != nil || errSig != nil || !utf8.Valid(d.message) {
		return nil, nil, nil, false
	}
	hash := sha256.Sum256(d.message)
	var want [44]byte
	base64.StdEncoding.Encode(want[:], hash[:])
	return d.message, d.signature, token, bytes.Equal(want[:], sum)
}

// inner2 reads the reply itself; its payload is written to the buffer. The name of the sender is returned beside
// it, still in the buffer.
func (d *Decoder) inner2(message []byte) (r Reply, sender []byte, ok bool) {
	s := scanner{b: message}
	var seen uint
	var sent int64
	var protocol, payload []byte
	ok = s.object(func(key []byte) (ok bool) {
		var text []byte
		switch string(key) {
		case "protocol":
			protocol, ok = s.plain()
			return ok && once(&seen, 0)
		case "message":
			payload, ok = s.base64()
			return ok && once(&seen, 1)
		case "request":
			text, ok = s.plain()
			r.ID = same(&d.id, text)
			return ok && once(&seen, 2)
		case "sender":
			sender, ok = s.plain()
			return ok && once(&seen, 3)
		case "agent":
			text, ok = s.plain()
			r.Agent = same(&d.agent, text)
			return ok && once(&seen, 4)
		case "time":
			sent, ok = s.integer()
			return ok && once(&seen, 5)
		}
		return false
	})
	if !ok || !s.end() || string(protocol) != protoReply2 {
		return Reply{}, nil, false
	}
	var err error
	d.payload, err = base64.StdEncoding.AppendDecode(d.payload[:0], payload)
	r.Time = time.Unix(0, sent)
	return r, sender, err == nil && utf8.Valid(d.payload)
}
