// Package token reads and checks the tokens of version 2 of Choria's protocol: JWTs that an organization's
// issuer signs with an ed25519 key, for the people and programs that ask (clients) and for those that answer
// (servers). What is accepted here is what Choria's own servers accept.
package token

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// The purposes of tokens.
const (
	Client = "choria_client_id"
	Server = "choria_server"
)

// Date is a moment in seconds since 1970, with a fraction.
type Date float64

// At is the date of a time.
func At(t time.Time) *Date {
	d := Date(t.Unix())
	return &d
}

// Time is the moment.
func (d Date) Time() time.Time {
	whole, part := math.Modf(float64(d))
	return time.Unix(int64(whole), int64(part*float64(time.Second)))
}

// Permissions are those that matter for asking and answering.
type Permissions struct {
	Fleet     bool `json:"fleet_management,omitempty"`         // may ask
	Signed    bool `json:"signed_fleet_management,omitempty"`  // may ask what an authority has signed
	Authority bool `json:"authentication_delegator,omitempty"` // may sign for others, in any name
}

// Claims are what a token says.
type Claims struct {
	Purpose     string      `json:"purpose"`
	Caller      string      `json:"callerid,omitempty"`    // of a client, such as choria=bot.mcollective
	Identity    string      `json:"identity,omitempty"`    // of a server
	Collectives []string    `json:"collectives,omitempty"` // of a server
	Org         string      `json:"ou,omitempty"`          // whose issuer vouches for it
	PublicKey   string      `json:"public_key,omitempty"`  // hexadecimal
	Permissions Permissions `json:"permissions"`
	Chain       string      `json:"tcs,omitempty"` // of a token that somebody below the issuer has made
	ID          string      `json:"jti,omitempty"`
	Issuer      string      `json:"iss,omitempty"`
	Issued      *Date       `json:"iat,omitempty"`
	NotBefore   *Date       `json:"nbf,omitempty"`
	Expires     *Date       `json:"exp,omitempty"`
	IssuerEnds  *Date       `json:"issexp,omitempty"` // when the one who made it may no longer
}

// Expiry is when the token ends, and false when it never does.
func (c Claims) Expiry() (time.Time, bool) {
	var end *Date
	for _, d := range []*Date{c.Expires, c.IssuerEnds} {
		if d != nil && (end == nil || *d < *end) {
			end = d
		}
	}
	if end == nil {
		return time.Time{}, false
	}
	return end.Time(), true
}

// Key is the public key of the token's owner.
func (c Claims) Key() (ed25519.PublicKey, error) { return parseKey(c.PublicKey) }

// parseKey reads a public key in hexadecimal digits.
func parseKey(text string) (ed25519.PublicKey, error) {
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%.80q is no ed25519 public key; it has 64 hexadecimal digits", text)
	}
	return key, nil
}

// ParseSeed reads a private key as Choria keeps it: the seed in hexadecimal digits. The error does not show it.
func ParseSeed(text string) (ed25519.PrivateKey, error) {
	seed, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("it holds no ed25519 seed, which has 64 hexadecimal digits")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// header is the first part of a token. No other algorithm is known here, so none can be chosen by who sends it.
type header struct {
	Algorithm string `json:"alg"`
}

const algorithm = "EdDSA"

// parts of a token.
type parts struct {
	signed    []byte // what the signature is for
	claims    Claims
	signature []byte
}

func split(raw []byte) (parts, error) {
	first, rest, ok := bytes.Cut(raw, []byte("."))
	second, third, more := bytes.Cut(rest, []byte("."))
	if !ok || !more || bytes.IndexByte(third, '.') >= 0 {
		return parts{}, errors.New("it is no token of three parts")
	}
	var h header
	if err := decode(first, &h); err != nil {
		return parts{}, fmt.Errorf("the head of the token: %w", err)
	}
	if h.Algorithm != algorithm {
		return parts{}, fmt.Errorf("the token is signed with %.20q; only %s is known", h.Algorithm, algorithm)
	}
	p := parts{signed: raw[:len(first)+1+len(second)]}
	if err := decode(second, &p.claims); err != nil {
		return parts{}, fmt.Errorf("the claims of the token: %w", err)
	}
	var err error
	if p.signature, err = encoding().AppendDecode(nil, third); err != nil {
		return parts{}, fmt.Errorf("the signature of the token: %w", err)
	}
	return p, nil
}

func encoding() *base64.Encoding { return base64.RawURLEncoding.Strict() }

func decode(part []byte, into any) error {
	data, err := encoding().AppendDecode(nil, part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// Read returns what a token says. Nobody has vouched for it: that is enough to use our own.
func Read(raw string) (Claims, error) {
	p, err := split([]byte(strings.TrimSpace(raw)))
	return p.claims, err
}

// Sign makes a token, as an issuer does.
func Sign(c Claims, key ed25519.PrivateKey) (string, error) {
	claims, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	signed := encoding().EncodeToString([]byte(`{"alg":"`+algorithm+`","typ":"JWT"}`)) + "." + encoding().EncodeToString(claims)
	return signed + "." + encoding().EncodeToString(ed25519.Sign(key, []byte(signed))), nil
}
