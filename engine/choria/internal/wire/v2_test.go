package wire_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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

func decoder2() *wire.Decoder { return &wire.Decoder{Version: wire.V2, Senders: newTrusting()} }

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

func TestDecoder2_readsWhatServersUsuallyWriteByItself(t *testing.T) {
	t.Parallel()
	d := decoder2()
	for _, payload := range plainPayloads() {
		if !agree(t, d, answered2(t, payload)) {
			t.Errorf("%s was left to encoding/json", payload)
		}
	}
	for _, payload := range append(rarePayloads(), "\xff") {
		if agree(t, d, answered2(t, payload)) {
			t.Errorf("%.80q was taken as plain", payload)
		}
	}
}

func TestDecoder2_makesAsLittleGarbageAsVersion1(t *testing.T) { //nolint:paralleltest // it counts allocations
	one, two := answered(t, plainPayloads()[0]), answered2(t, plainPayloads()[0])
	count := func(d *wire.Decoder, msg []byte) float64 {
		return testing.AllocsPerRun(100, func() {
			if _, _, err := d.Outcome(msg); err != nil {
				t.Fatal(err)
			}
		})
	}
	v1, v2 := count(&wire.Decoder{}, one), count(&wire.Decoder{Version: wire.V2}, two)
	if v1 > 5 || v2 > v1 {
		t.Errorf("a reply costs %v allocations in version 1, which may take 5, and %v in version 2", v1, v2)
	}
}

// enclose2 wraps what a server says in good outer layers, so that nothing stops it on its way in.
func enclose2(tb testing.TB, message []byte) []byte {
	tb.Helper()
	sum := sha256.Sum256(message)
	k := newTrusting()
	body, err := json.Marshal(map[string]any{
		"protocol": "io.choria.protocol.v2.secure_reply", "reply": message, "hash": base64.StdEncoding.EncodeToString(sum[:]),
		"signature": ed25519.Sign(k.key, message), "sender": "web1.example.net",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return encloseSecure2(body)
}

func encloseSecure2(body []byte) []byte {
	return []byte(`{"protocol":"io.choria.protocol.v2.transport","data":"` + base64.StdEncoding.EncodeToString(body) + `","headers":{"sender":"web1.example.net"}}`)
}

func TestDecoder2_agreesWithEncodingJSONAboutEveryLayer(t *testing.T) {
	t.Parallel()
	good := answered2(t, plainPayloads()[0])
	const inner = `{"protocol":"io.choria.protocol.v2.reply","message":"e30=","request":"a","sender":"web1.example.net","agent":"b","time":1800000000000000000}`
	d := decoder2()
	if !agree(t, d, enclose2(t, []byte(inner))) {
		t.Error("a plain reply was left to encoding/json")
	}
	for _, msg := range []string{
		change(t, good, "transport", "protocol", "x"), change(t, good, "transport", "data", "!!"), change(t, good, "transport", "more", "x"),
		change(t, good, "secure", "protocol", "x"), change(t, good, "secure", "more", "x"), change(t, good, "secure", "reply", nil), change(t, good, "secure", "sender", 1),
		string(good) + "x", string(good[:len(good)-1]), string(encloseSecure2([]byte("\xff"))),
	} {
		agree(t, d, []byte(msg))
	}
	for _, change := range [][2]string{
		{"io.choria.protocol.v2.reply", "x"}, {`"time"`, `"TIME"`}, {"1800000000000000000", "9223372036854775807"}, {"1800000000000000000", "9223372036854775808"},
		{"1800000000000000000", "-9223372036854775808"}, {"1800000000000000000", "99999999999999999999"}, {"1800000000000000000", "1e3"}, {"e30=", "e30"}, {"e30=", ""},
		{"web1", `we\u0062`}, {"web1", "\xff"}, {`"agent":"b"`, `"agent":"b","agent":"c"`}, {`"e30="`, "null"}, {inner, ""}, {inner, "[]"},
	} {
		agree(t, d, enclose2(t, []byte(strings.Replace(inner, change[0], change[1], 1))))
	}
}

// The targets put hostile bytes into one layer each, as those of version 1 do.
func FuzzDecoder2Transport(f *testing.F) {
	for _, payload := range append(plainPayloads(), rarePayloads()[:10]...) {
		f.Add(answered2(f, payload))
	}
	f.Fuzz(func(t *testing.T, msg []byte) { agree(t, decoder2(), msg) })
}

func FuzzDecoder2Secure(f *testing.F) {
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.secure_reply","reply":"e30=","hash":"RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=","signature":"AA==","sender":"web1"}`))
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.secure_reply","reply":null,"hash":"","signature":null,"sender":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		agree(t, decoder2(), encloseSecure2(body))
		agree(t, &wire.Decoder{Version: wire.V2}, encloseSecure2(body))
	})
}

func FuzzDecoder2Reply(f *testing.F) {
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.reply","message":"e30=","request":"a","sender":"web1.example.net","agent":"b","time":1}`))
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.reply","message":null,"time":-1}`))
	f.Fuzz(func(t *testing.T, message []byte) { agree(t, decoder2(), enclose2(t, message)) })
}

func FuzzDecoder2Answer(f *testing.F) {
	for _, payload := range append(plainPayloads(), rarePayloads()...) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) { agree(t, decoder2(), answered2(t, payload)) })
}

// FuzzRequest2 puts hostile bytes where a caller's own words are, and in the layers around them.
func FuzzRequest2(f *testing.F) {
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.request","message":"eA==","id":"a","time":1,"ttl":60,"filter":{"agent":null}}`), true)
	f.Add([]byte(`{"protocol":"io.choria.protocol.v2.secure_request","request":"e30=","signature":"AA==","caller":"x"}`), false)
	f.Fuzz(func(t *testing.T, message []byte, inside bool) {
		k := newTrusting()
		body := message
		if inside {
			var named struct {
				Caller string `json:"caller"`
			}
			if json.Unmarshal(message, &named) != nil {
				return
			}
			var err error
			body, err = json.Marshal(map[string]any{
				"protocol": "io.choria.protocol.v2.secure_request", "request": message, "signature": ed25519.Sign(k.key, message), "caller": named.Caller,
			})
			if err != nil {
				t.Skip(err)
			}
		}
		r, err := wire.DecodeRequest2(encloseSecure2(body), k)
		if err != nil {
			return
		}
		if !inside {
			t.Fatal("accepted without a signature")
		}
		r.Expired(time.Now())
		if len(r.ID) != 32 || r.TTL <= 0 || r.Time.IsZero() {
			return
		}
		got, err := wire.DecodeRequest2(encode2(t, r, k), k)
		if err != nil || got.ID != r.ID || got.Caller != r.Caller || got.Agent != r.Agent || got.Payload != r.Payload || !got.Time.Equal(r.Time) {
			t.Fatalf("read %+v, wrote it and read %+v, %v", r, got, err)
		}
	})
}

func TestAdopt_takesBackNoOtherRequest(t *testing.T) {
	t.Parallel()
	k := newTrusting()
	asked := request()
	other := request()
	other.Agent = "puppet"
	named := request()
	named.Caller = "choria=authority"
	for _, v := range []wire.Version{wire.V1, wire.V2} {
		catch := &catcher{}
		if _, err := wire.Encode(t.Context(), v, asked, catch); !errors.Is(err, errCaught) {
			t.Fatal(err)
		}
		for name, row := range map[string]struct {
			request wire.Request
			refused bool
		}{"as asked": {asked, false}, "in the authority's name": {named, false}, "another agent": {other, true}} {
			_, err := wire.Adopt(v, sealed(t, v, row.request, k), catch.request, "ours")
			if (err != nil) != row.refused {
				t.Errorf("version %d, %s: got %v", v+1, name, err)
			}
		}
		if _, err := wire.Adopt(v, []byte("{}"), catch.request, "ours"); err == nil {
			t.Errorf("version %d: nothing was taken for a request", v+1)
		}
	}
}

var errCaught = errors.New("caught")

// catcher keeps the request that it is to seal.
type catcher struct{ request []byte }

func (c *catcher) Seal(_ context.Context, request []byte, _ string) ([]byte, error) {
	c.request = request
	return nil, errCaught
}

// sealed is what an authority answers.
func sealed(t *testing.T, v wire.Version, r wire.Request, k trusting) []byte {
	t.Helper()
	catch := &catcher{}
	if _, err := wire.Encode(t.Context(), v, r, catch); !errors.Is(err, errCaught) {
		t.Fatal(err)
	}
	if v == wire.V1 {
		out, err := wire.Signed{Signer: wire.Insecure{}}.Seal(t.Context(), catch.request, "")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out, err := json.Marshal(map[string]any{
		"protocol": "io.choria.protocol.v2.secure_request", "request": catch.request, "signature": ed25519.Sign(k.key, catch.request), "caller": "authority", "signer": "authority",
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
