package wire_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func decoder2() *wire.Decoder { return &wire.Decoder{Version: wire.V2, Senders: newTrusting()} }

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
		{"io.choria.protocol.v2.reply", "x"},
		{`"time"`, `"TIME"`},
		{"1800000000000000000", "9223372036854775807"},
		{"1800000000000000000", "9223372036854775808"},
		{"1800000000000000000", "-9223372036854775808"},
		{"1800000000000000000", "99999999999999999999"},
		{"1800000000000000000", "1e3"},
		{"e30=", "e30"},
		{"e30=", ""},
		{"web1", `we\u0062`},
		{"web1", "\xff"},
		{`"agent":"b"`, `"agent":"b","agent":"c"`},
		{`"e30="`, "null"},
		{inner, ""},
		{inner, "[]"},
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
