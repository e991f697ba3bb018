package wire_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// trusting is an issuer whose word about tokens is the token itself: "name" or "name of the key's owner".
type trusting struct{ key ed25519.PrivateKey }

func newTrusting() trusting {
	return trusting{ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))}
}

// Server implements [wire.Senders].
func (k trusting) Server(token []byte) (string, ed25519.PublicKey, error) {
	if string(token) == "" || string(token) == "stranger" {
		return "", nil, errors.New("nobody knows it")
	}
	public, _ := k.key.Public().(ed25519.PublicKey)
	return string(token), public, nil
}

// SignReply implements [wire.ReplySigner].
func (k trusting) SignReply(reply []byte) (signature []byte, token string, err error) {
	return ed25519.Sign(k.key, reply), "web1.example.net", nil
}

// Prove implements [wire.TokenSigner].
func (k trusting) Prove(request []byte, caller string) (wire.Proof, error) {
	return wire.Proof{Signature: ed25519.Sign(k.key, request), Caller: caller}, nil
}

// VerifyProof implements [wire.ProofVerifier].
func (k trusting) VerifyProof(request []byte, p wire.Proof, caller string) error {
	public, _ := k.key.Public().(ed25519.PublicKey)
	if p.Caller != caller || !ed25519.Verify(public, request, p.Signature) {
		return errors.New("not the caller's signature")
	}
	return nil
}

func encode2(tb testing.TB, r wire.Request, k trusting) []byte {
	tb.Helper()
	msg, err := wire.Encode(tb.Context(), wire.V2, r, wire.Tokened{Signer: k})
	if err != nil {
		tb.Fatal(err)
	}
	return msg
}

func TestRequest2_isReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-z0-9.:/=~ "\\\x{e4}-]*`)
	k := newTrusting()
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Request{
			ID: rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "id"), Sender: words.Draw(t, "sender"), Caller: words.Draw(t, "caller"),
			Collective: words.Draw(t, "collective"), Agent: words.Draw(t, "agent"), Payload: words.Draw(t, "payload"),
			Time: time.Unix(0, rapid.Int64().Draw(t, "time")), TTL: time.Duration(rapid.IntRange(1, 1000).Draw(t, "ttl")) * time.Second,
			ReplyTo: words.Draw(t, "reply to"), Filter: wire.Filter{Agent: rapid.SliceOf(words).Draw(t, "agents")}.Whole(),
		}
		msg, err := wire.Encode(context.Background(), wire.V2, want, wire.Tokened{Signer: k})
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodeRequest2(msg, k)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v, wrote and read differ:\n%s", err, diff)
		}
	})
}

func TestRequest2_isRefusedWhenItIsNotWhole(t *testing.T) {
	t.Parallel()
	k := newTrusting()
	good := encode2(t, request(), k)
	other := trusting{ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", ed25519.SeedSize)))}
	v1, err := wire.EncodeRequest(request(), wire.Insecure{})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ msg, want string }{
		"nothing":                {"", "decode transport"},
		"version 1":              {string(v1), `unknown transport "choria:transport:1"`},
		"another secure request": {change(t, good, "secure", "protocol", "x"), `got "x"`},
		"another key":            {string(encode2(t, request(), other)), "not the caller's signature"},
		"another caller's token": {change(t, good, "secure", "caller", "choria=root"), "not the caller's signature"},
		"changed on the way":     {change(t, good, "secure", "request", base64.StdEncoding.EncodeToString([]byte(`{"protocol":"io.choria.protocol.v2.request"}`))), "not the caller's signature"},
		"request is not JSON":    {change(t, good, "secure", "request", "AAAA"), "decode io.choria.protocol.v2.request"},
	} {
		if _, err := wire.DecodeRequest2([]byte(row.msg), k); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func answered2(tb testing.TB, payload string) []byte {
	tb.Helper()
	r := reply()
	r.Payload = payload
	msg, err := wire.EncodeReply2(r, newTrusting())
	if err != nil {
		tb.Fatal(err)
	}
	return msg
}

func TestReply2_isReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	want := reply()
	got, err := wire.DecodeReply2(answered2(t, want.Payload), newTrusting())
	want.Via = ""
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, wrote and read differ:\n%s", err, diff)
	}
}

func TestReply2_countsOnlyWhenItsSenderSignedIt(t *testing.T) {
	t.Parallel()
	good := answered2(t, `{"statuscode":0}`)
	unsigned, err := wire.EncodeReply2(reply(), nil)
	if err != nil {
		t.Fatal(err)
	}
	v1, err := wire.EncodeReply(reply())
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		msg       string
		untrusted bool
		want      string
		alone     bool // it counts where no issuer is known
	}{
		"good":                    {string(good), false, "", true},
		"unsigned":                {string(unsigned), true, "it is not signed", true},
		"no token":                {change(t, good, "secure", "sender", ""), true, "it is not signed", true},
		"no signature":            {change(t, good, "secure", "signature", ""), true, "it is not signed", true},
		"an unknown token":        {change(t, good, "secure", "sender", "stranger"), true, "nobody knows it", true},
		"another's token":         {change(t, good, "secure", "sender", "web2.example.net"), true, `"web2.example.net" signed in the name of "web1.example.net"`, true},
		"another signature":       {change(t, good, "secure", "signature", "AAAA"), true, "its signature does not match", true},
		"version 1":               {string(v1), false, `unknown transport "choria:transport:1"`, false},
		"another hash":            {change(t, good, "secure", "hash", "AAAA"), false, "hash of the reply does not match", false},
		"changed on the way":      {change(t, good, "secure", "reply", "e30="), false, "hash of the reply does not match", false},
		"signature is not base64": {change(t, good, "secure", "signature", "!"), false, "decode io.choria.protocol.v2.secure_reply", false},
	} {
		for _, senders := range []wire.Senders{newTrusting(), nil} {
			d := wire.Decoder{Version: wire.V2, Senders: senders}
			_, err := d.Reply([]byte(row.msg))
			if good := err == nil; good != (row.want == "" || senders == nil && row.alone) {
				t.Errorf("%s: got %v", name, err)
			}
			if senders != nil && row.want != "" && (!strings.Contains(err.Error(), row.want) || errors.Is(err, wire.ErrUntrusted) != row.untrusted) {
				t.Errorf("%s: got %v, want %q", name, err, row.want)
			}
			agree(t, &d, []byte(row.msg))
		}
	}
	if _, err := wire.DecodeReply(good); err == nil {
		t.Error("version 1 reads a reply of version 2")
	}
}
