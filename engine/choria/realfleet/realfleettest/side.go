package realfleettest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// side is the real servers or the simulated ones, and what vouches for callers there.
type side struct {
	options     choria.Options
	revision    func() string // of the target
	certificate func(name string) (cert, key string, err error)
	token       func(caller string, may fleetsim.May) (token, seed string, err error)
}

// sealed is how a request is made to be believed.
type sealed struct {
	version wire.Version
	sealer  wire.Sealer
}

// sealer is that of somebody: of our client when by is empty, of a stranger of another authority when
// it is foreign.
func (s *side) sealer(t *testing.T, by string) sealed {
	t.Helper()
	switch {
	case s.options.Insecure:
		return sealed{wire.V1, wire.Signed{Signer: wire.Insecure{}}}
	case s.options.Token != "":
		return sealed{wire.V2, wire.Tokened{Signer: s.proof(t, by)}}
	default:
		return sealed{wire.V1, wire.Signed{Signer: s.signer(t, by)}}
	}
}

// signer signs with the key of a certificate.
func (s *side) signer(t *testing.T, by string) wire.RSA {
	t.Helper()
	cert, key := s.options.Cert, s.options.Key
	var err error
	switch by {
	case "server":
		cert, key, err = s.certificate("lb1" + suffix)
	case "privileged":
		cert, key, err = s.certificate("other.privileged.mcollective")
	case "foreign":
		var foreign *fleetsim.Certs
		if foreign, err = fleetsim.NewCerts(t.TempDir(), s.options.Identity); err == nil {
			cert, key = foreign.ClientCert, foreign.ClientKey
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	private, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		t.Fatalf("%s is no RSA key", key)
	}
	return wire.RSA{Key: private, Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))}
}

// proof signs with the key of a token. It implements [wire.TokenSigner].
type proof struct {
	caller, signer string // tokens
	key            ed25519.PrivateKey
}

// Prove implements [wire.TokenSigner].
func (p proof) Prove(request []byte, _ string) (wire.Proof, error) {
	return wire.Proof{Signature: ed25519.Sign(p.key, request), Caller: p.caller, Signer: p.signer}, nil
}

func (s *side) proof(t *testing.T, by string) proof {
	t.Helper()
	caller := "choria=" + s.options.Identity
	own := s.holder(t, s.options.Token, s.options.Seed)
	other := func(issue func(string, fleetsim.May) (string, string, error), caller string, may fleetsim.May) proof {
		t.Helper()
		token, seed, err := issue(caller, may)
		if err != nil {
			t.Fatal(err)
		}
		return s.holder(t, token, seed)
	}
	foreign, err := fleetsim.NewTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ward := other(s.token, caller, fleetsim.May{AskSigned: true})
	authority := fleetsim.May{Ask: true, SignForAll: true}
	switch by {
	case "foreign":
		return other(foreign.Client, caller, fleetsim.May{Ask: true})
	case "ended":
		return other(s.token, caller, fleetsim.May{Ask: true, For: -time.Minute})
	case "nobody":
		return other(s.token, caller, fleetsim.May{})
	case "thief":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return proof{caller: own.caller, key: key}
	case "ward":
		return ward
	case "ward of authority":
		return ward.signedBy(other(s.token, "choria=aaa.mcollective", authority))
	case "ward of client":
		return ward.signedBy(own)
	case "ward of foreign authority":
		return ward.signedBy(other(foreign.Client, "choria=aaa.mcollective", authority))
	case "authority":
		own = other(s.token, caller, authority)
		return own.signedBy(own)
	}
	return own
}

// signedBy is the same caller, with the signature of another.
func (p proof) signedBy(a proof) proof { return proof{caller: p.caller, signer: a.caller, key: a.key} }

// holder reads a token and its key.
func (s *side) holder(t *testing.T, token, seed string) proof {
	t.Helper()
	raw, err := hex.DecodeString(read(t, seed))
	if err != nil {
		t.Fatal(err)
	}
	return proof{caller: read(t, token), key: ed25519.NewKeyFromSeed(raw)}
}
