// Package wire is the protocol of Choria in both its versions: a transport that contains a secure request
// that contains a request that contains the call, all JSON, and the same for replies.
//
// Version 1 signs requests with RSA keys and certificates, and replies not at all: their hash protects
// against damage, not against somebody who controls the broker. Version 2 signs both with ed25519 keys
// that tokens vouch for.
package wire

import (
	"context"
	"crypto/fips140"
	"crypto/md5" //nolint:gosec // the protocol names reply subjects by the MD5 of the caller; nothing is protected by it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Version is a version of the protocol. The zero value is version 1.
type Version int

// The versions.
const (
	V1 Version = iota
	V2
)

// defaultTTL is twice the least that servers accept.
const defaultTTL = time.Minute

// Fact is one comparison of a fact.
type Fact struct {
	Fact     string `json:"fact"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

// Filter selects servers. On the wire all five lists are present.
type Filter struct {
	Fact     []Fact                `json:"fact"`
	Class    []string              `json:"cf_class"`
	Agent    []string              `json:"agent"`
	Identity []string              `json:"identity"`
	Compound [][]map[string]string `json:"compound"`
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
		f.Compound = [][]map[string]string{}
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
	Federation *Federation // on the side of a server: to return with the reply
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

	Federation *Federation // of the request; not known after decoding
}

// ReplySubject is where the servers send replies for a caller's request; "*" as id is every request.
func ReplySubject(collective, caller, id string) string {
	return fmt.Sprintf("%s.reply.%s.%s", collective, hashOf(caller), id)
}

// hashOf is the part of a reply subject that belongs to the caller: the broker lets the owner of a token
// listen to it and to no other. As Choria, it is the SHA-256 where MD5 must not be used.
func hashOf(caller string) string {
	if fips140.Enabled() {
		sum := sha256.Sum256([]byte(caller))
		return hex.EncodeToString(sum[:])
	}
	sum := md5.Sum([]byte(caller)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// NodeSubject is where one server listens.
func NodeSubject(collective, identity string) string { return collective + ".node." + identity }

// BroadcastSubject is where every server with an agent listens.
func BroadcastSubject(collective, agent string) string {
	return collective + ".broadcast.agent." + agent
}

// Sealer makes the secure request of a request: it signs it, or has it signed.
type Sealer interface {
	// Seal returns the JSON that goes into the transport as it is. caller is the one that the request names.
	Seal(ctx context.Context, request []byte, caller string) (secure []byte, err error)
}

// Encode returns the message to publish, to any number of servers.
func Encode(ctx context.Context, v Version, r Request, s Sealer) ([]byte, error) {
	sealed, err := Seal(ctx, v, r, s)
	if err != nil {
		return nil, err
	}
	return sealed.Message()
}

// message is the request itself, which is what is signed.
func (r Request) message(v Version) ([]byte, error) {
	if len(r.ID) != 32 {
		return nil, fmt.Errorf("a request id has 32 characters, %q has %d", r.ID, len(r.ID))
	}
	if r.TTL == 0 {
		r.TTL = defaultTTL
	}
	r.Filter = r.Filter.Whole()
	if v == V2 {
		return r.message2()
	}
	return r.message1()
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
