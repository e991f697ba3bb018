package engine

import "time"

// Seq is the position of an event in its stream; the first event has 1 and there are no holes.
type Seq uint64

// AnySeq given to [Log.Append] appends wherever the stream ends.
const AnySeq = ^Seq(0)

// Pos is the position of an event in the whole log. It grows without holes.
type Pos uint64

// Event is one fact. It never changes once it is written.
type Event struct {
	Stream StreamID
	Seq    Seq
	Pos    Pos
	Time   time.Time
	Payload
}

// Payload is what happened. The set is sealed: one struct per kind, all in payload.go, payload_steer.go and payload_approval.go.
//
//sumtype:decl
type Payload interface {
	// Kind is the stable name of the payload in the file.
	Kind() string
	payload()
}
