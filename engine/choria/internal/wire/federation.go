package wire

import (
	"context"
	"encoding/json"
	"fmt"
)

// MaxTargets is how many servers a message to a Federation Broker names at most (go-choria 0.30,
// choria/connection.go, publishFederatedDirect).
const MaxTargets = 200

// Federation is what a message between a caller and a Federation Broker, and on behind it, says beside the
// request. A server returns it with its reply.
type Federation struct {
	Request string   // the request's id
	ReplyTo string   // where the caller waits; the broker writes it
	Targets []string // the subjects to publish to behind the broker
}

// The same as the two versions write it.
type (
	federation1 struct {
		Request string   `json:"req,omitempty"`
		ReplyTo string   `json:"reply-to,omitempty"`
		Targets []string `json:"target,omitempty"`
	}
	federation2 struct {
		Request string   `json:"request,omitempty"`
		ReplyTo string   `json:"reply,omitempty"`
		Targets []string `json:"targets,omitempty"`
	}
)

// FederationSubject is where the Federation Brokers of a cluster take requests.
func FederationSubject(cluster string) string {
	return "choria.federation." + cluster + ".federation"
}

// CollectiveSubject is where the Federation Brokers of a cluster take the replies of its servers.
func CollectiveSubject(cluster string) string {
	return "choria.federation." + cluster + ".collective"
}

// ServiceSubject is where the servers listen that offer a service; one of them takes each request.
func ServiceSubject(collective, agent string) string {
	return collective + ".broadcast.service." + agent
}

// Sealed is a signed request. It may be put into any number of messages.
type Sealed struct {
	version Version
	request Request
	secure  []byte
}

// Seal signs a request, or has it signed.
func Seal(ctx context.Context, v Version, r Request, s Sealer) (Sealed, error) {
	message, err := r.message(v)
	if err != nil {
		return Sealed{}, err
	}
	secure, err := s.Seal(ctx, message, r.Caller)
	if err != nil {
		return Sealed{}, fmt.Errorf("sign request: %w", err)
	}
	return Sealed{version: v, request: r, secure: secure}, nil
}

// Message is the message to servers, any number of them.
func (s Sealed) Message() ([]byte, error) { return s.message(nil) }

// Federated is the message to a Federation Broker, which publishes the request to the targets. They are
// subjects, at most [MaxTargets].
func (s Sealed) Federated(targets []string) ([]byte, error) {
	if len(targets) == 0 || len(targets) > MaxTargets {
		return nil, fmt.Errorf("a message to a Federation Broker names 1 to %d targets, not %d", MaxTargets, len(targets))
	}
	return s.message(&Federation{Request: s.request.ID, Targets: targets})
}

func (s Sealed) message(f *Federation) ([]byte, error) {
	if s.version == V2 {
		return json.Marshal(transport2{Protocol: protoTransport2, Data: s.secure, Headers: headers2{
			ReplyTo: s.request.ReplyTo, Sender: s.request.Sender, Federation: (*federation2)(f),
		}})
	}
	return json.Marshal(transport{Protocol: protoTransport, Data: s.secure, Headers: headers{
		ReplyTo: s.request.ReplyTo, Sender: s.request.Sender, Federation: (*federation1)(f),
	}})
}

// Forward returns a message of any version as a Federation Broker passes it on: with what change makes of its
// reply subject and of what it says to the broker, which may be nil.
func Forward(data []byte, change func(replyTo string, f *Federation) (string, *Federation)) ([]byte, error) {
	var t transport
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("decode transport: %w", err)
	}
	if t.Protocol != protoTransport2 {
		replyTo, f := change(t.Headers.ReplyTo, (*Federation)(t.Headers.Federation))
		t.Headers.ReplyTo, t.Headers.Federation = replyTo, (*federation1)(f)
		return json.Marshal(t)
	}
	var t2 transport2
	if err := json.Unmarshal(data, &t2); err != nil {
		return nil, fmt.Errorf("decode transport: %w", err)
	}
	replyTo, f := change(t2.Headers.ReplyTo, (*Federation)(t2.Headers.Federation))
	t2.Headers.ReplyTo, t2.Headers.Federation = replyTo, (*federation2)(f)
	return json.Marshal(t2)
}
