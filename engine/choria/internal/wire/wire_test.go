package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func request() wire.Request {
	return wire.Request{
		ID: strings.Repeat("a", 32), Sender: "bot.mcollective", Caller: "choria=bot.mcollective", Collective: "mcollective",
		Agent: "rpcutil", Time: time.Unix(1_800_000_000, 0), TTL: time.Minute, Payload: `{"agent":"rpcutil"}`, ReplyTo: "mcollective.reply.x.y",
		Filter: wire.Filter{Agent: []string{"rpcutil"}}.Whole(),
	}
}

func reply() wire.Reply {
	return wire.Reply{
		ID: strings.Repeat("a", 32), Sender: "web1.example.net", Agent: "rpcutil", Time: time.Unix(1_800_000_000, 0),
		Payload: `{"statuscode":0}`, Via: "nats://broker:4222",
	}
}

func TestRequest_isReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-z0-9.:/=~ "\\\x{e4}-]*`)
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Request{
			ID: rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "id"), Sender: words.Draw(t, "sender"), Caller: words.Draw(t, "caller"),
			Collective: words.Draw(t, "collective"), Agent: words.Draw(t, "agent"), Payload: words.Draw(t, "payload"),
			Time: time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "time"), 0), TTL: time.Duration(rapid.IntRange(1, 1000).Draw(t, "ttl")) * time.Second,
			ReplyTo: words.Draw(t, "reply to"),
			Filter: wire.Filter{
				Class: rapid.SliceOf(words).Draw(t, "classes"), Agent: rapid.SliceOf(words).Draw(t, "agents"), Identity: rapid.SliceOf(words).Draw(t, "identities"),
				Fact: []wire.Fact{{Fact: words.Draw(t, "fact"), Operator: "==", Value: words.Draw(t, "value")}},
			}.Whole(),
		}
		msg, err := wire.EncodeRequest(want, wire.Insecure{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodeRequest(msg, wire.Insecure{})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v, wrote and read differ:\n%s", err, diff)
		}
	})
}

func TestReply_isReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	want := reply()
	msg, err := wire.EncodeReply(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.DecodeReply(msg)
	want.Via = "" // no business of the caller
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, wrote and read differ:\n%s", err, diff)
	}
}

func TestRequest_hasNoListThatIsNull(t *testing.T) {
	t.Parallel()
	r := request()
	r.Filter = wire.Filter{}
	msg, err := wire.EncodeRequest(r, wire.Insecure{})
	if err != nil {
		t.Fatal(err)
	}
	text := peel(t, msg, "", "")
	want := `"filter":{"fact":[],"cf_class":[],"agent":[],"identity":[],"compound":[]}`
	if !strings.Contains(text, want) {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestRequest_wantsAnIDOf32Characters(t *testing.T) {
	t.Parallel()
	r := request()
	r.ID = "short"
	if _, err := wire.EncodeRequest(r, wire.Insecure{}); err == nil || !strings.Contains(err.Error(), "32 characters") {
		t.Errorf("got %v", err)
	}
}

func TestRequest_expiresOnBothSidesOfItsTime(t *testing.T) {
	t.Parallel()
	r := request()
	r.TTL = 30 * time.Second
	for age, want := range map[time.Duration]bool{
		0: false, 29 * time.Second: false, 30 * time.Second: true, time.Hour: true,
		-29 * time.Second: false, -30 * time.Second: true, // a clock that is ahead
	} {
		if got := r.Expired(r.Time.Add(age)); got != want {
			t.Errorf("after %s: got %v, want %v", age, got, want)
		}
	}
}

func TestSubjects_areThoseOfTheProtocol(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		wire.NodeSubject("c", "web1.example.net"):                 "c.node.web1.example.net",
		wire.BroadcastSubject("c", "puppet"):                      "c.broadcast.agent.puppet",
		wire.ReplySubject("c", "choria=playbot.mcollective", "*"): "c.reply.9e330402c2f8130914edde705ce1616c.*",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// peel opens a message down to the request or reply inside, and puts a replacement into each layer.
func peel(t *testing.T, msg []byte, old, replacement string) string {
	t.Helper()
	var outer, middle map[string]any
	if err := json.Unmarshal(msg, &outer); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(outer["data"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &middle); err != nil {
		t.Fatal(err)
	}
	text := middle["message"].(string)
	if old == "" {
		return text
	}
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %s", text, old)
	}
	middle["message"] = strings.Replace(text, old, replacement, 1)
	return repack(t, outer, middle)
}

func repack(t *testing.T, outer, middle map[string]any) string {
	t.Helper()
	body, err := json.Marshal(middle)
	if err != nil {
		t.Fatal(err)
	}
	outer["data"] = base64.StdEncoding.EncodeToString(body)
	msg, err := json.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

// change sets a field of the transport or of the secure layer.
func change(t *testing.T, msg []byte, layer, field string, value any) string {
	t.Helper()
	var outer, middle map[string]any
	if err := json.Unmarshal(msg, &outer); err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(outer["data"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &middle); err != nil {
		t.Fatal(err)
	}
	if layer == "transport" {
		outer[field] = value
		out, err := json.Marshal(outer)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	middle[field] = value
	return repack(t, outer, middle)
}

func TestDecodeReply_refusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	msg, err := wire.EncodeReply(reply())
	if err != nil {
		t.Fatal(err)
	}
	asked, err := wire.EncodeRequest(request(), wire.Insecure{})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ msg, want string }{
		"nothing":              {"", "decode transport"},
		"no JSON":              {"pong", "decode transport"},
		"cut off":              {string(msg[:len(msg)/2]), "decode transport"},
		"another transport":    {change(t, msg, "transport", "protocol", "choria:transport:2"), `unknown transport "choria:transport:2"`},
		"data is not base64":   {change(t, msg, "transport", "data", "!!"), "decode transport"},
		"data is not JSON":     {change(t, msg, "transport", "data", "AAAA"), "decode choria:secure:reply:1"},
		"another secure reply": {change(t, msg, "secure", "protocol", "choria:secure:reply:2"), `got "choria:secure:reply:2"`},
		"a request":            {string(asked), `got "choria:secure:request:1", want "choria:secure:reply:1"`},
		"wrong hash":           {change(t, msg, "secure", "hash", "AAAA"), "hash of the reply does not match"},
		"no hash":              {change(t, msg, "secure", "hash", ""), "hash of the reply does not match"},
		"changed on the way":   {peel(t, msg, "web1", "web2"), "hash of the reply does not match"},
		"message is no text":   {change(t, msg, "secure", "message", 1), "decode choria:secure:reply:1"},
	} {
		if _, err := wire.DecodeReply([]byte(row.msg)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

// identity is a certificate and its key.
type identity struct {
	cert *x509.Certificate
	key  any
	pem  string
}

// issue makes a certificate for the names, by a CA or by itself.
func issue(t *testing.T, ca *identity, key, public any, names ...string) *identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names[1:], NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &identity{cert: cert, key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignedRequest_isRefusedUnlessItsCallerSignedIt(t *testing.T) {
	t.Parallel()
	caKey, key, other := rsaKey(t), rsaKey(t), rsaKey(t)
	ca := issue(t, nil, caKey, &caKey.PublicKey, "CA")
	bot := issue(t, ca, key, &key.PublicKey, "bot.mcollective", "second.choria")
	node := issue(t, ca, key, &key.PublicKey, "web1.example.net")
	self := issue(t, nil, key, &key.PublicKey, "bot.mcollective")
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elliptical := issue(t, ca, curve, &curve.PublicKey, "bot.mcollective")
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	signed := func(caller string, s wire.Signer) []byte {
		r := request()
		r.Caller = caller
		msg, err := wire.EncodeRequest(r, s)
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	good := signed("choria=bot.mcollective", wire.RSA{Key: key, Cert: bot.pem})
	for name, row := range map[string]struct{ msg, want string }{
		"good":                        {string(good), ""},
		"by another name it has":      {string(signed("choria=second.choria", wire.RSA{Key: key, Cert: bot.pem})), ""},
		"another caller":              {string(signed("choria=root.mcollective", wire.RSA{Key: key, Cert: bot.pem})), "is not named by the certificate"},
		"another kind of caller":      {string(signed("slack=bot.mcollective", wire.RSA{Key: key, Cert: bot.pem})), ""},
		"more than a name":            {string(signed("choria=bot.mcollective or so", wire.RSA{Key: key, Cert: bot.pem})), ""},
		"no name":                     {string(signed("bot.mcollective", wire.RSA{Key: key, Cert: bot.pem})), "is no name"},
		"a server as the caller":      {string(signed("choria=web1.example.net", wire.RSA{Key: key, Cert: node.pem})), "is no client"},
		"another key":                 {string(signed("choria=bot.mcollective", wire.RSA{Key: other, Cert: bot.pem})), "signature"},
		"certificate of itself":       {string(signed("choria=bot.mcollective", wire.RSA{Key: key, Cert: self.pem})), "certificate of the request"},
		"certificate of another kind": {string(signed("choria=bot.mcollective", wire.RSA{Key: key, Cert: elliptical.pem})), "no RSA key"},
		"unsigned":                    {string(signed("choria=bot.mcollective", wire.Insecure{})), "has no certificate"},
		"changed on the way":          {peel(t, good, `"agent":"rpcutil","ttl"`, `"agent":"puppet","ttl"`), "signature"},
		"signature is not base64":     {change(t, good, "secure", "signature", "?"), "signature"},
		"certificate is junk":         {change(t, good, "secure", "pubcert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "certificate of the request"},
		"another secure request":      {change(t, good, "secure", "protocol", "choria:secure:request:2"), `got "choria:secure:request:2"`},
		"another request":             {peel(t, signed("choria=bot.mcollective", wire.Insecure{}), "choria:request:1", "choria:request:9"), `got "choria:request:9"`},
		"message is not JSON":         {change(t, good, "secure", "message", "x"), "decode request"},
	} {
		got, err := wire.DecodeRequest([]byte(row.msg), wire.Authority{Roots: roots})
		switch {
		case row.want == "" && (err != nil || got.Agent != "rpcutil" || got.ReplyTo != "mcollective.reply.x.y"):
			t.Errorf("%s: got %+v, %v; want it accepted", name, got, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func FuzzDecode_neverPanics(f *testing.F) {
	asked, err := wire.EncodeRequest(request(), wire.Insecure{})
	if err != nil {
		f.Fatal(err)
	}
	answered, err := wire.EncodeReply(reply())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{asked, answered, nil, []byte("{}"), []byte("null"), []byte(`{"protocol":"choria:transport:1","data":"bnVsbA=="}`)} {
		f.Add(seed)
	}
	authority := wire.Authority{Roots: x509.NewCertPool()}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := wire.DecodeReply(data); err == nil {
			again, err := wire.EncodeReply(r)
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			if got, err := wire.DecodeReply(again); err != nil || got != r {
				t.Fatalf("read %+v, wrote it and read %+v, %v", r, got, err)
			}
		}
		if r, err := wire.DecodeRequest(data, wire.Insecure{}); err == nil {
			r.Expired(time.Now())
		}
		if _, err := wire.DecodeRequest(data, authority); err == nil {
			t.Fatal("accepted without a signature")
		}
	})
}

// FuzzDecodeInside puts the bytes where a server's own words are: no outer layer stops them.
func FuzzDecodeInside_neverPanics(f *testing.F) {
	f.Add(`{"protocol":"choria:reply:1","message":"x","envelope":{"requestid":"1","time":1}}`)
	f.Add(`{"protocol":"choria:request:1","message":"x","envelope":{"filter":null}}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, message string) {
		for _, protocol := range []string{"choria:secure:reply:1", "choria:secure:request:1"} {
			body, err := json.Marshal(map[string]string{"protocol": protocol, "message": message})
			if err != nil {
				t.Skip(err)
			}
			msg, err := json.Marshal(map[string]any{"protocol": "choria:transport:1", "data": base64.StdEncoding.EncodeToString(body)})
			if err != nil {
				t.Skip(err)
			}
			if _, err := wire.DecodeReply(msg); err == nil {
				t.Fatal("accepted without a hash")
			}
			if r, err := wire.DecodeRequest(msg, wire.Insecure{}); err == nil {
				r.Filter.Whole()
			}
		}
	})
}
