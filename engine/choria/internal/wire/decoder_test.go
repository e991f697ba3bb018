package wire_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// enclose wraps what a server says in good outer layers, so that nothing stops it on its way in.
func enclose(tb testing.TB, message string) []byte {
	tb.Helper()
	sum := sha256.Sum256([]byte(message))
	body, err := json.Marshal(map[string]string{
		"protocol": "choria:secure:reply:1", "message": message, "hash": base64.StdEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return encloseSecure(body)
}

func encloseSecure(body []byte) []byte {
	return []byte(`{"protocol":"choria:transport:1","data":"` + base64.StdEncoding.EncodeToString(body) + `","headers":{"mc_sender":"web1.example.net"}}`)
}

// answered is a reply with a payload.
func answered(tb testing.TB, payload string) []byte {
	tb.Helper()
	r := reply()
	r.Payload = payload
	msg, err := wire.EncodeReply(r)
	if err != nil {
		tb.Fatal(err)
	}
	return msg
}

// agree fails when the decoder and encoding/json differ about a message, and reports whether it was plain.
func agree(tb testing.TB, d *wire.Decoder, msg []byte) bool {
	tb.Helper()
	rare := d.Rare
	got, gotOutcome, gotErr := d.Outcome(msg)
	plain := d.Rare == rare
	want, wantOutcome, wantErr := wire.DecodeOutcome(d.Version, msg, d.Senders)
	if (gotErr == nil) != (wantErr == nil) {
		tb.Fatalf("%.300q: got %v, encoding/json says %v", msg, gotErr, wantErr)
	}
	if got != want || !reflect.DeepEqual(gotOutcome, wantOutcome) { // cmp.Diff takes for ever in deep lists
		tb.Fatalf("%.300q: got %+v, %+v; encoding/json says %+v, %+v", msg, got, gotOutcome, want, wantOutcome)
	}
	got, gotErr = d.Reply(msg)
	want, wantErr = oracle(d, msg)
	if got != want || (gotErr == nil) != (wantErr == nil) {
		tb.Fatalf("%.300q: got %+v, %v; encoding/json says %+v, %v", msg, got, gotErr, want, wantErr)
	}
	return plain
}

// oracle reads a message with encoding/json.
func oracle(d *wire.Decoder, msg []byte) (wire.Reply, error) {
	if d.Version == wire.V2 {
		return wire.DecodeReply2(msg, d.Senders)
	}
	return wire.DecodeReply(msg)
}

// plainPayloads are what servers usually answer.
func plainPayloads() []string {
	return []string{
		`{"action":"ping","statuscode":0,"statusmsg":"OK","data":{"pong":1800000000}}`,
		`{"statuscode":1,"statusmsg":"disk \"full\"\n","data":{}}`,
		`{"statuscode":0,"statusmsg":"Größe","data":{"ä":"ü","a":[],"b":[1,-2.5e3,true,false,null,"x\u003c\ty",{"c":{"d":0}}]}}`,
		` { "statuscode" : 5 , "statusmsg" : "" , "data" : { "x" : [ 1 , 2 ] , "y" : { } } } `,
		`{}`,
	}
}

// rarePayloads are legal or hostile, and left to encoding/json.
func rarePayloads() []string {
	return []string{
		"", "null", "[]", "pong", `{"statuscode":0}x`, `{"statuscode":"0"}`, `{"statuscode":1.5}`, `{"statuscode":1e2}`, `{"statuscode":99999999999999999999}`,
		`{"StatusCode":3}`, `{"statuscode":1,"statuscode":2}`, `{"statuscode":1,"more":true}`, `{"data":null}`, `{"data":[]}`, `{"data":7}`, `{"data":"x"}`,
		`{"data":{"a":1e999}}`, `{"data":{"a":01}}`, `{"data":{"a":.5}}`, `{"data":{"a":1.}}`, `{"data":{"a":-}}`, `{"data":{"a":+1}}`, `{"data":{"a":1e}}`, `{"data":{"a":tru}}`,
		`{"data":{"a":"\ud83d\ude00"}}`, `{"data":{"a":"\ud83d"}}`, `{"data":{"a":"\u12"}}`, `{"data":{"a":"\x"}}`, "{\"data\":{\"a\":\"\x01\"}}", `{"data":{"a\n":1}}`,
		`{"data":{"a":1,}}`, `{"data":{,}}`, `{"data":{"a" 1}}`, `{"data":{"a":[1 2]}}`, `{"data":{"a":[1,]}}`, `{"data":{"a":1}`, `{"data":{"a":"`,
		`{"data":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`,
		`{"data":{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`,
		`{"data":` + strings.Repeat(`{"a":`, 20_000) + `1` + strings.Repeat("}", 20_000) + `}`,
	}
}

func TestDecoder_readsWhatServersUsuallyWriteByItself(t *testing.T) {
	t.Parallel()
	var d wire.Decoder
	for _, payload := range plainPayloads() {
		if !agree(t, &d, answered(t, payload)) {
			t.Errorf("%s was left to encoding/json", payload)
		}
	}
}

func TestDecoder_leavesTheRestToEncodingJSON(t *testing.T) {
	t.Parallel()
	var d wire.Decoder
	for _, payload := range rarePayloads() {
		if agree(t, &d, answered(t, payload)) {
			t.Errorf("%.80q was taken as plain", payload)
		}
		if !agree(t, &d, answered(t, plainPayloads()[0])) {
			t.Fatalf("after %.80q a plain reply is plain no more", payload)
		}
	}
}

func TestDecoder_agreesWithEncodingJSONAboutEveryLayer(t *testing.T) {
	t.Parallel()
	good := answered(t, plainPayloads()[0])
	message := peel(t, good, "", "")
	invalid := strings.Replace(message, "web1", "web\xff", 1) // encoding/json reads other characters, and so another hash
	sum := sha256.Sum256([]byte(invalid))
	noUTF8 := `{"protocol":"choria:secure:reply:1","message":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(invalid) + `","hash":"` +
		base64.StdEncoding.EncodeToString(sum[:]) + `"}`
	var d wire.Decoder
	for _, msg := range []string{
		string(encloseSecure([]byte(noUTF8))),
		change(t, good, "transport", "protocol", "choria:transport:2"), change(t, good, "transport", "data", "!!"), change(t, good, "transport", "data", "AAAA"),
		change(t, good, "transport", "more", "x"), change(t, good, "transport", "headers", "x"), change(t, good, "transport", "data", "e30"), change(t, good, "transport", "data", "AA\nAA"),
		strings.Replace(string(good), `"data":"`, "\"data\":\"\n", 1), strings.Replace(string(good), `"data":"`, `"data":"\r`, 1), strings.Replace(string(good), `"data":"`, `"data":"\u0065`, 1),
		change(t, good, "secure", "hash", "AAAA"), change(t, good, "secure", "protocol", "choria:secure:reply:2"), change(t, good, "secure", "pubcert", "x"),
		peel(t, good, "web1", "web2"), string(good) + "x", string(good[:len(good)-1]), " " + string(good) + "\n",
		string(enclose(t, strings.Replace(message, "choria:reply:1", "choria:reply:2", 1))), string(enclose(t, strings.Replace(message, `"time":1800000000`, `"time":"x"`, 1))),
		string(enclose(t, strings.Replace(message, `"time":1800000000`, `"time":-0`, 1))), string(enclose(t, strings.Replace(message, `"time":1800000000`, `"TIME":3`, 1))),
		string(enclose(t, strings.Replace(message, `"envelope"`, `"Envelope"`, 1))), string(enclose(t, `{"protocol":"choria:reply:1"}`)),
		string(enclose(t, strings.Replace(message, `"senderid":"web1`, `"senderid":"a\u0001`, 1))), string(enclose(t, "\xff")), string(enclose(t, "")),
	} {
		agree(t, &d, []byte(msg))
	}
}

func TestDecoder_returnsNothingThatALaterReplyChanges(t *testing.T) {
	t.Parallel()
	var d wire.Decoder
	msg := answered(t, plainPayloads()[2])
	got, outcome, err := d.Outcome(msg)
	if err != nil {
		t.Fatal(err)
	}
	want, wantOutcome, _ := wire.DecodeOutcome(d.Version, msg, d.Senders)
	other := reply()
	other.ID, other.Sender, other.Agent, other.Payload = strings.Repeat("b", 32), "db1.example.net", "puppet", strings.ReplaceAll(plainPayloads()[2], "x", "z")
	later, err := wire.EncodeReply(other)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Outcome(later); err != nil {
		t.Fatal(err)
	}
	copy(msg, strings.Repeat("?", len(msg)))
	if diff := cmp.Diff(want, got) + cmp.Diff(wantOutcome, outcome); diff != "" {
		t.Errorf("changed afterwards:\n%s", diff)
	}
}

func TestDecoder_agreesWithEncodingJSONAboutAnyData(t *testing.T) {
	t.Parallel()
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaves := []*rapid.Generator[any]{
			rapid.String().AsAny(), rapid.Float64().AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
		}
		if depth > 0 {
			leaves = append(leaves, rapid.Deferred(func() *rapid.Generator[any] {
				return rapid.OneOf(rapid.SliceOfN(value(depth-1), 0, 4).AsAny(), rapid.MapOfN(rapid.String(), value(depth-1), 0, 4).AsAny())
			}))
		}
		return rapid.OneOf(leaves...)
	}
	rapid.Check(t, func(r *rapid.T) {
		payload, err := json.Marshal(map[string]any{
			"statuscode": rapid.IntRange(-1, 6).Draw(r, "code"), "statusmsg": rapid.String().Draw(r, "text"),
			"data": rapid.MapOf(rapid.String(), value(3)).Draw(r, "data"),
		})
		if err != nil {
			r.Skip(err)
		}
		var d wire.Decoder
		agree(t, &d, answered(t, string(payload)))
	})
}

// FuzzDecoderTransport, FuzzDecoderSecure, FuzzDecoderReply and FuzzDecoderAnswer put hostile bytes into
// one layer each: the outer ones are good, so that nothing stops them on their way in.
func FuzzDecoderTransport(f *testing.F) {
	for _, payload := range append(plainPayloads(), rarePayloads()[:10]...) {
		f.Add(answered(f, payload))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var d wire.Decoder
		agree(t, &d, msg)
	})
}

func FuzzDecoderSecure(f *testing.F) {
	f.Add([]byte(`{"protocol":"choria:secure:reply:1","message":"{}","hash":"RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="}`))
	f.Add([]byte(`{"protocol":"choria:secure:reply:1","message":"\u0041\n","hash":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d wire.Decoder
		agree(t, &d, encloseSecure(body))
	})
}

func FuzzDecoderReply(f *testing.F) {
	f.Add(`{"protocol":"choria:reply:1","message":"{\"statuscode\":0}","envelope":{"requestid":"a","senderid":"b","agent":"c","time":1}}`)
	f.Add(`{"protocol":"choria:reply:1","message":"","envelope":{"time":-1}}`)
	f.Add(`{"protocol":"choria:reply:1","message":null,"envelope":null}`)
	f.Fuzz(func(t *testing.T, message string) {
		var d wire.Decoder
		agree(t, &d, enclose(t, message))
	})
}

func FuzzDecoderAnswer(f *testing.F) {
	for _, payload := range append(plainPayloads(), rarePayloads()...) {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		var d wire.Decoder
		agree(t, &d, answered(t, payload))
	})
}

// FuzzRequest puts hostile bytes where a caller's own words are: a signed or an unsigned request never
// makes a server fall over, and what was read can be written and read again.
func FuzzRequest(f *testing.F) {
	f.Add(`{"protocol":"choria:request:1","message":"x","envelope":{"requestid":"a","time":1,"ttl":60,"filter":{"fact":[{"fact":"a","operator":"==","value":"b"}]}}}`)
	f.Add(`{"protocol":"choria:request:1","message":"x","envelope":{"filter":{"agent":null,"compound":[{}]},"ttl":-1,"time":9223372036854775807}}`)
	f.Fuzz(func(t *testing.T, message string) {
		body, err := json.Marshal(map[string]string{"protocol": "choria:secure:request:1", "message": message, "signature": "insecure", "pubcert": "insecure"})
		if err != nil {
			t.Skip(err)
		}
		r, err := wire.DecodeRequest(encloseSecure(body), wire.Insecure{})
		if err != nil {
			return
		}
		r.Expired(time.Now())
		if len(r.ID) != 32 {
			return
		}
		again, err := wire.EncodeRequest(r, wire.Insecure{})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		got, err := wire.DecodeRequest(again, wire.Insecure{})
		if err != nil || got.ID != r.ID || got.Caller != r.Caller || got.Agent != r.Agent || got.Payload != r.Payload || !got.Time.Equal(r.Time) {
			t.Fatalf("read %+v, wrote it and read %+v, %v", r, got, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	msg := answered(b, plainPayloads()[0])
	b.Run("decoder", func(b *testing.B) {
		b.ReportAllocs()
		var d wire.Decoder
		for b.Loop() {
			if _, _, err := d.Outcome(msg); err != nil || d.Rare > 0 {
				b.Fatal(err, d.Rare)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := wire.DecodeOutcome(wire.V1, msg, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
