// Package wire is protocol version 1 of Choria: a transport that contains a secure request that
// contains a request that contains the call, all JSON, and the same for replies.
//
// Requests are signed by the caller. Replies are not: their hash protects against damage, not
// against somebody who controls the broker.
package wire

import (
	"crypto/md5" //nolint:gosec // the protocol names reply subjects by the MD5 of the caller; nothing is protected by it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	// defaultTTL is twice the least that servers accept.
	defaultTTL = time.Minute
)

// Fact is one comparison of a fact.
type Fact struct {
	Fact     string `json:"fact"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

// Filter selects servers. On the wire all five lists are present.
type Filter struct {
	Fact     []Fact   `json:"fact"`
	Class    []string `json:"cf_class"`
	Agent    []string `json:"agent"`
	Identity []string `json:"identity"`
	Compound []any    `json:"compound"`
}

// Whole returns the filter with no list null, as the protocol wants it.
func (f Filter) Whole() Filter {
	if f.Fact == nil {
		f.Fact = []Fact{}
	}
	if f.Class == nil {
		f.Class = []string{}
	}
	if f.Agent == nil {
		f.Agent = []string{}
	}
	if f.Identity == nil {
		f.Identity = []string{}
	}
	if f.Compound == nil {
		f.Compound = []any{}
	}
	return f
}

// Request is a call to an agent.
type Request struct {
	ID         string // exactly 32 characters
	Sender     string
	Caller     string
	Collective string
	Agent      string
	Time       time.Time
	TTL        time.Duration // how long servers take it; 0 means a minute
	Filter     Filter
	Payload    string
	ReplyTo    string
}

// Expired reports whether a server refuses the request for its age, or for coming from the future.
func (r Request) Expired(now time.Time) bool {
	age := now.Sub(r.Time)
	return age >= r.TTL || age <= -r.TTL
}

// Reply is one server's answer.
type Reply struct {
	ID      string
	Sender  string
	Agent   string
	Time    time.Time
	Payload string
	Via     string // the broker that a server is connected to; not known after decoding
}

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
}

// unread is a transport without its headers: the caller has no use for those of a reply.
type unread struct {
	Protocol string `json:"protocol"`
	Data     []byte `json:"data"`
}

// ReplySubject is where the servers send replies for a caller's request; "*" as id is every request.
func ReplySubject(collective, caller, id string) string {
	sum := md5.Sum([]byte(caller)) //nolint:gosec // see the import
	return fmt.Sprintf("%s.reply.%s.%s", collective, hex.EncodeToString(sum[:]), id)
}

// NodeSubject is where one server listens.
func NodeSubject(collective, identity string) string { return collective + ".node." + identity }

// BroadcastSubject is where every server with an agent listens.
func BroadcastSubject(collective, agent string) string {
	return collective + ".broadcast.agent." + agent
}

// EncodeRequest signs a request and returns the message to publish, to any number of servers.
func EncodeRequest(r Request, s Signer) ([]byte, error) {
	if len(r.ID) != 32 {
		return nil, fmt.Errorf("a request id has 32 characters, %q has %d", r.ID, len(r.ID))
	}
	if r.TTL == 0 {
		r.TTL = defaultTTL
	}
	filter := r.Filter.Whole()
	message, err := json.Marshal(inner{Protocol: protoRequest, Message: r.Payload, Envelope: envelope{
		RequestID: r.ID, SenderID: r.Sender, CallerID: r.Caller, Collective: r.Collective, Agent: r.Agent,
		TTL: int(r.TTL / time.Second), Time: r.Time.Unix(), Filter: &filter,
	}})
	if err != nil {
		return nil, err
	}
	signature, cert, err := s.Sign(message)
	if err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	return wrap(secure{Protocol: protoSecureRequest, Message: string(message), Signature: signature, PubCert: cert},
		headers{ReplyTo: r.ReplyTo, Sender: r.Sender})
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
		ReplyTo: t.Headers.ReplyTo,
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
		headers{Sender: r.Sender, SeenBy: [][3]string{{r.Via, r.Sender, r.Via}}})
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

func hash(message []byte) string {
	sum := sha256.Sum256(message)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Call is the payload of an RPC request.
type Call struct {
	Agent  string          `json:"agent"`
	Action string          `json:"action"`
	Data   json.RawMessage `json:"data"`
}

// Answer is the payload of an RPC reply. Status codes: 0 OK, 1 aborted, 2 unknown action, 3 missing
// data, 4 invalid data, 5 unknown error.
type Answer struct {
	Action     string          `json:"action,omitempty"`
	StatusCode int             `json:"statuscode"`
	StatusMsg  string          `json:"statusmsg"`
	Data       json.RawMessage `json:"data"`
}
