package wire

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	protoTransport2     = "io.choria.protocol.v2.transport"
	protoSecureRequest2 = "io.choria.protocol.v2.secure_request"
	protoRequest2       = "io.choria.protocol.v2.request"
	protoSecureReply2   = "io.choria.protocol.v2.secure_reply"
	protoReply2         = "io.choria.protocol.v2.reply"
)

// ErrUntrusted says that a reply is whole, but nobody vouches for its sender.
var ErrUntrusted = errors.New("the sender of the reply is not trusted")

// Bytes are base64 on the wire, and times are nanoseconds since 1970.

type transport2 struct {
	Protocol string   `json:"protocol"`
	Data     []byte   `json:"data"`
	Headers  headers2 `json:"headers"`
}

type headers2 struct {
	ReplyTo string      `json:"reply,omitempty"`
	Sender  string      `json:"sender,omitempty"`
	Trace   [][3]string `json:"trace,omitempty"` // the hops; a reply's are not read

	Federation *federation2 `json:"federation,omitempty"`
}

type secureRequest2 struct {
	Protocol  string `json:"protocol"`
	Request   []byte `json:"request"`
	Signature []byte `json:"signature"`
	Caller    string `json:"caller"`           // the caller's token
	Signer    string `json:"signer,omitempty"` // the token of the authority that signed in its place
}

type request2 struct {
	Protocol   string  `json:"protocol"`
	Message    []byte  `json:"message"`
	ID         string  `json:"id"`
	Sender     string  `json:"sender"`
	Caller     string  `json:"caller"`
	Collective string  `json:"collective"`
	Agent      string  `json:"agent"`
	TTL        int     `json:"ttl"`
	Time       int64   `json:"time"`
	Filter     *Filter `json:"filter,omitempty"`
}

type secureReply2 struct {
	Protocol  string `json:"protocol"`
	Reply     []byte `json:"reply"`
	Hash      string `json:"hash"`
	Signature []byte `json:"signature,omitempty"`
	Sender    string `json:"sender,omitempty"` // the server's token
}

type reply2 struct {
	Protocol string `json:"protocol"`
	Message  []byte `json:"message"`
	Request  string `json:"request"`
	Sender   string `json:"sender"`
	Agent    string `json:"agent"`
	Time     int64  `json:"time"`
}

// Proof is what a secure request of version 2 shows for its request.
type Proof struct {
	Signature []byte
	Caller    string // the caller's token
	Signer    string // the token of the authority that signed in the caller's place; usually none
}

// TokenSigner signs requests of version 2.
type TokenSigner interface {
	Prove(request []byte, caller string) (Proof, error)
}

// Tokened is the [Sealer] of version 2 with a key and a token of our own.
type Tokened struct{ Signer TokenSigner }

// Seal implements [Sealer].
func (t Tokened) Seal(_ context.Context, request []byte, caller string) ([]byte, error) {
	p, err := t.Signer.Prove(request, caller)
	if err != nil {
		return nil, err
	}
	return json.Marshal(secureRequest2{
		Protocol: protoSecureRequest2, Request: request, Signature: p.Signature, Caller: p.Caller, Signer: p.Signer,
	})
}

// message2 is the request of version 2.
func (r Request) message2() ([]byte, error) {
	return json.Marshal(request2{
		Protocol: protoRequest2, Message: []byte(r.Payload), ID: r.ID, Sender: r.Sender, Caller: r.Caller, Collective: r.Collective,
		Agent: r.Agent, TTL: int(r.TTL / time.Second), Time: r.Time.UnixNano(), Filter: &r.Filter,
	})
}

// ProofVerifier checks requests of version 2 on the side of a server.
type ProofVerifier interface {
	VerifyProof(request []byte, p Proof, caller string) error
}

// DecodeRequest2 is the server's side of [Encode] in version 2.
func DecodeRequest2(data []byte, v ProofVerifier) (Request, error) {
	var t transport2
	if err := json.Unmarshal(data, &t); err != nil {
		return Request{}, fmt.Errorf("decode transport: %w", err)
	}
	if t.Protocol != protoTransport2 {
		return Request{}, fmt.Errorf("unknown transport %q", t.Protocol)
	}
	var s secureRequest2
	if err := layer(t.Data, &s, &s.Protocol, protoSecureRequest2); err != nil {
		return Request{}, err
	}
	var in request2
	if err := layer(s.Request, &in, &in.Protocol, protoRequest2); err != nil {
		return Request{}, err
	}
	if err := v.VerifyProof(s.Request, Proof{Signature: s.Signature, Caller: s.Caller, Signer: s.Signer}, in.Caller); err != nil {
		return Request{}, err
	}
	r := Request{
		ID: in.ID, Sender: in.Sender, Caller: in.Caller, Collective: in.Collective, Agent: in.Agent,
		Time: time.Unix(0, in.Time), TTL: time.Duration(in.TTL) * time.Second, Payload: string(in.Message),
		ReplyTo: t.Headers.ReplyTo, Federation: (*Federation)(t.Headers.Federation),
	}
	if in.Filter != nil {
		r.Filter = *in.Filter
	}
	return r, nil
}

// layer decodes one layer and checks that it is the one that is wanted.
func layer(data []byte, into any, protocol *string, want string) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decode %s: %w", want, err)
	}
	if *protocol != want {
		return fmt.Errorf("got %q, want %q", *protocol, want)
	}
	return nil
}

// ReplySigner signs replies on the side of a server.
type ReplySigner interface {
	SignReply(reply []byte) (signature []byte, token string, err error)
}

// EncodeReply2 returns the message that a server publishes; a nil signer signs nothing.
func EncodeReply2(r Reply, s ReplySigner) ([]byte, error) {
	message, err := json.Marshal(reply2{
		Protocol: protoReply2, Message: []byte(r.Payload), Request: r.ID, Sender: r.Sender, Agent: r.Agent, Time: r.Time.UnixNano(),
	})
	if err != nil {
		return nil, err
	}
	sealed := secureReply2{Protocol: protoSecureReply2, Reply: message, Hash: hash(message)}
	if s != nil {
		if sealed.Signature, sealed.Sender, err = s.SignReply(message); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(sealed)
	if err != nil {
		return nil, err
	}
	return json.Marshal(transport2{Protocol: protoTransport2, Data: data, Headers: headers2{
		Sender: r.Sender, Trace: [][3]string{{r.Via, r.Sender, r.Via}}, Federation: (*federation2)(r.Federation),
	}})
}

// Senders vouches for those who reply.
type Senders interface {
	// Server returns the name and the public key of the server that a token belongs to. It keeps nothing of the
	// slice, and an error says why the token is not good.
	Server(token []byte) (identity string, key ed25519.PublicKey, err error)
}

// DecodeReply2 checks a reply of version 2 and returns it. Without senders only its hash is checked, as in
// version 1; with them an unsigned reply is not trusted either.
func DecodeReply2(data []byte, senders Senders) (Reply, error) {
	var t unread
	if err := json.Unmarshal(data, &t); err != nil {
		return Reply{}, fmt.Errorf("decode transport: %w", err)
	}
	if t.Protocol != protoTransport2 {
		return Reply{}, fmt.Errorf("unknown transport %q", t.Protocol)
	}
	var s secureReply2
	if err := layer(t.Data, &s, &s.Protocol, protoSecureReply2); err != nil {
		return Reply{}, err
	}
	if s.Hash != hash(s.Reply) {
		return Reply{}, errors.New("the hash of the reply does not match")
	}
	var in reply2
	if err := layer(s.Reply, &in, &in.Protocol, protoReply2); err != nil {
		return Reply{}, err
	}
	if err := vouch(senders, s.Reply, s.Signature, []byte(s.Sender), []byte(in.Sender)); err != nil {
		return Reply{}, err
	}
	return Reply{ID: in.Request, Sender: in.Sender, Agent: in.Agent, Time: time.Unix(0, in.Time), Payload: string(in.Message)}, nil
}

// vouch checks that a reply comes from the server that it names.
func vouch(senders Senders, reply, signature, token, sender []byte) error {
	if senders == nil {
		return nil
	}
	if len(signature) == 0 || len(token) == 0 {
		return fmt.Errorf("%w: it is not signed", ErrUntrusted)
	}
	identity, key, err := senders.Server(token)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if identity != string(sender) {
		return fmt.Errorf("%w: %q signed in the name of %q", ErrUntrusted, identity, sender)
	}
	if !ed25519.Verify(key, reply, signature) {
		return fmt.Errorf("%w: its signature does not match", ErrUntrusted)
	}
	return nil
}
