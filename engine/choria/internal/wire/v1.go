package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	protoTransport     = "choria:transport:1"
	protoSecureRequest = "choria:secure:request:1"
	protoRequest       = "choria:request:1"
	protoSecureReply   = "choria:secure:reply:1"
	protoReply         = "choria:reply:1"
)

// Signer signs requests.
type Signer interface {
	// Sign returns the base64 signature of a message and the PEM certificate that verifies it.
	Sign(message []byte) (signature, cert string, err error)
}

// Verifier checks requests on the side of a server.
type Verifier interface {
	Verify(message []byte, signature, cert, caller string) error
}

type envelope struct {
	RequestID  string  `json:"requestid"`
	SenderID   string  `json:"senderid"`
	CallerID   string  `json:"callerid,omitempty"`
	Collective string  `json:"collective,omitempty"`
	Agent      string  `json:"agent"`
	TTL        int     `json:"ttl,omitempty"`
	Time       int64   `json:"time"`
	Filter     *Filter `json:"filter,omitempty"`
}

type inner struct {
	Protocol string   `json:"protocol"`
	Message  string   `json:"message"`
	Envelope envelope `json:"envelope"`
}

type secure struct {
	Protocol  string `json:"protocol"`
	Message   string `json:"message"`
	Signature string `json:"signature,omitempty"`
	PubCert   string `json:"pubcert,omitempty"`
	Hash      string `json:"hash,omitempty"`
}

type transport struct {
	Protocol string  `json:"protocol"`
	Data     []byte  `json:"data"` // base64 on the wire
	Headers  headers `json:"headers"`
}

// headers are those that are read or written here; others are let through.
type headers struct {
	ReplyTo string      `json:"reply-to,omitempty"`
	Sender  string      `json:"mc_sender"`
	SeenBy  [][3]string `json:"seen-by,omitempty"` // the hops; see [unread]

	Federation *federation1 `json:"federation,omitempty"`
}

// unread is a transport without its headers: the caller has no use for those of a reply.
type unread struct {
	Protocol string `json:"protocol"`
	Data     []byte `json:"data"`
}

// EncodeRequest is [Encode] for version 1.
func EncodeRequest(r Request, s Signer) ([]byte, error) {
	return Encode(context.Background(), V1, r, Signed{s})
}

// message1 is the request of version 1.
func (r Request) message1() ([]byte, error) {
	return json.Marshal(inner{Protocol: protoRequest, Message: r.Payload, Envelope: envelope{
		RequestID: r.ID, SenderID: r.Sender, CallerID: r.Caller, Collective: r.Collective, Agent: r.Agent,
		TTL: int(r.TTL / time.Second), Time: r.Time.Unix(), Filter: &r.Filter,
	}})
}

// Signed is the [Sealer] of version 1 with a key of our own.
type Signed struct{ Signer Signer }

// Seal implements [Sealer].
func (s Signed) Seal(_ context.Context, request []byte, _ string) ([]byte, error) {
	signature, cert, err := s.Signer.Sign(request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(secure{Protocol: protoSecureRequest, Message: string(request), Signature: signature, PubCert: cert})
}

func wrap(s secure, h headers) ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return json.Marshal(transport{Protocol: protoTransport, Data: data, Headers: h})
}

// unwrap checks the protocol of a transport and returns what it contains.
func unwrap(transport string, data []byte, protocol string) (secure, error) {
	if transport != protoTransport {
		return secure{}, fmt.Errorf("unknown transport %q", transport)
	}
	var s secure
	if err := json.Unmarshal(data, &s); err != nil {
		return secure{}, fmt.Errorf("decode %s: %w", protocol, err)
	}
	if s.Protocol != protocol {
		return secure{}, fmt.Errorf("got %q, want %q", s.Protocol, protocol)
	}
	return s, nil
}

// DecodeRequest is the server's side of [EncodeRequest].
func DecodeRequest(data []byte, v Verifier) (Request, error) {
	var t transport
	if err := json.Unmarshal(data, &t); err != nil {
		return Request{}, fmt.Errorf("decode transport: %w", err)
	}
	s, err := unwrap(t.Protocol, t.Data, protoSecureRequest)
	if err != nil {
		return Request{}, err
	}
	var in inner
	if err := json.Unmarshal([]byte(s.Message), &in); err != nil {
		return Request{}, fmt.Errorf("decode request: %w", err)
	}
	if in.Protocol != protoRequest {
		return Request{}, fmt.Errorf("got %q, want %q", in.Protocol, protoRequest)
	}
	if err := v.Verify([]byte(s.Message), s.Signature, s.PubCert, in.Envelope.CallerID); err != nil {
		return Request{}, err
	}
	e := in.Envelope
	r := Request{
		ID: e.RequestID, Sender: e.SenderID, Caller: e.CallerID, Collective: e.Collective, Agent: e.Agent,
		Time: time.Unix(e.Time, 0), TTL: time.Duration(e.TTL) * time.Second, Payload: in.Message,
		ReplyTo: t.Headers.ReplyTo, Federation: (*Federation)(t.Headers.Federation),
	}
	if e.Filter != nil {
		r.Filter = *e.Filter
	}
	return r, nil
}

// EncodeReply returns the message that a server publishes.
func EncodeReply(r Reply) ([]byte, error) {
	message, err := json.Marshal(inner{Protocol: protoReply, Message: r.Payload, Envelope: envelope{
		RequestID: r.ID, SenderID: r.Sender, Agent: r.Agent, Time: r.Time.Unix(),
	}})
	if err != nil {
		return nil, err
	}
	return wrap(secure{Protocol: protoSecureReply, Message: string(message), Hash: hash(message)},
		headers{Sender: r.Sender, SeenBy: [][3]string{{r.Via, r.Sender, r.Via}}, Federation: (*federation1)(r.Federation)})
}

// DecodeReply checks the hash of a reply and returns it.
func DecodeReply(data []byte) (Reply, error) {
	var t unread
	if err := json.Unmarshal(data, &t); err != nil {
		return Reply{}, fmt.Errorf("decode transport: %w", err)
	}
	s, err := unwrap(t.Protocol, t.Data, protoSecureReply)
	if err != nil {
		return Reply{}, err
	}
	if s.Hash != hash([]byte(s.Message)) {
		return Reply{}, errors.New("the hash of the reply does not match")
	}
	var in inner
	if err := json.Unmarshal([]byte(s.Message), &in); err != nil {
		return Reply{}, fmt.Errorf("decode reply: %w", err)
	}
	if in.Protocol != protoReply {
		return Reply{}, fmt.Errorf("got %q, want %q", in.Protocol, protoReply)
	}
	e := in.Envelope
	return Reply{ID: e.RequestID, Sender: e.SenderID, Agent: e.Agent, Time: time.Unix(e.Time, 0), Payload: in.Message}, nil
}
