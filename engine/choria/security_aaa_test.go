package choria_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// service is a small AAA service: it lets every client of the issuer ask, in the name of its token.
type service struct {
	t       *testing.T
	issuers token.Issuers
	seal    func(request []byte, caller string) ([]byte, error)
	refuse  string
}

// ServeHTTP implements [http.Handler].
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Token     string `json:"token"`
		Request   []byte `json:"request"`
		Signature string `json:"signature"`
	}
	var answer struct {
		Secure []byte `json:"secure_request,omitempty"`
		Error  string `json:"error,omitempty"`
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	claims, errToken := s.issuers.Verify([]byte(asked.Token), time.Now())
	key, errKey := claims.Key()
	signature, errSig := hex.DecodeString(asked.Signature)
	switch {
	case err != nil || errToken != nil || errKey != nil || errSig != nil || !ed25519.Verify(key, asked.Request, signature):
		answer.Error = "Request denied"
	case s.refuse != "":
		answer.Error = s.refuse
	default:
		if answer.Secure, err = s.seal(asked.Request, claims.Caller); err != nil {
			answer.Error = err.Error()
		}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

// serve starts the service; the path of its CA is returned too.
func (s *service) serve(t *testing.T) (url, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "aaa.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, ca
}

// renamed is the request in another caller's name, as the service of Choria writes it.
func renamed(request []byte, caller string, place ...string) ([]byte, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(request, &m); err != nil {
		return nil, err
	}
	if len(place) > 0 {
		inner, err := renamed(m[place[0]], caller)
		m[place[0]] = inner
		if err != nil {
			return nil, err
		}
		return json.Marshal(m)
	}
	key := "caller"
	if _, v1 := m["callerid"]; v1 {
		key = "callerid"
	}
	m[key], _ = json.Marshal(caller)
	return json.Marshal(m)
}

// authoritative is what signs for others in version 2.
type authoritative struct {
	key ed25519.PrivateKey
	raw string
}

// Prove implements [wire.TokenSigner].
func (a authoritative) Prove(request []byte, _ string) (wire.Proof, error) {
	return wire.Proof{Signature: ed25519.Sign(a.key, request), Caller: "not known to the service", Signer: a.raw}, nil
}

func parse(t *testing.T, is *fleetsim.Tokens) token.Issuers {
	t.Helper()
	issuers, err := token.ParseIssuers(is.Issuers())
	if err != nil {
		t.Fatal(err)
	}
	return issuers
}

func TestSigner_asksInVersion1AsTheCallerOfItsToken(t *testing.T) {
	t.Parallel()
	certs, is := authority(t, "playbot.mcollective"), issuer(t)
	f, o := network(t, certs)
	privileged := o
	var err error
	if privileged.Cert, privileged.Key, err = certs.Issue("aaa.privileged.mcollective"); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, issuers: parse(t, is), seal: func(request []byte, caller string) ([]byte, error) {
		request, err := renamed(request, caller, "envelope")
		if err != nil {
			return nil, err
		}
		return wire.Signed{Signer: signerOf(t, privileged)}.Seal(t.Context(), request, caller)
	}}
	o.Signer = &choria.SignerOptions{}
	o.Signer.URL, o.Signer.CA = s.serve(t)
	o.Signer.Token, o.Seed = tokenFor(t, is, fleetsim.May{Ask: true})
	signedCalls(t, f, o, s)
}

func TestSigner_asksInVersion2AsTheCallerOfItsToken(t *testing.T) {
	t.Parallel()
	certs, is := authority(t, "playbot.mcollective"), issuer(t)
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Certs: certs, Tokens: is})
	file, seed, err := is.Client("choria=aaa.choria", fleetsim.May{SignForAll: true})
	if err != nil {
		t.Fatal(err)
	}
	a := authoritative{raw: read(t, file)}
	if a.key, err = token.ParseSeed(read(t, seed)); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, issuers: parse(t, is), seal: func(request []byte, caller string) ([]byte, error) {
		request, err := renamed(request, caller)
		if err != nil {
			return nil, err
		}
		return wire.Tokened{Signer: a}.Seal(t.Context(), request, caller)
	}}
	o := choria.Options{Servers: []string{f.URL()}, CA: certs.CA, Issuers: is.Issuers(), Timeout: time.Minute, Signer: &choria.SignerOptions{}}
	o.Signer.URL, o.Signer.CA = s.serve(t)
	o.Token, o.Seed = tokenFor(t, is, fleetsim.May{AskSigned: true})
	signedCalls(t, f, o, s)
}

// TestSigner_refusesTokensOfTwoCallers: replies come to the caller of the one token, and the broker listens for
// that of the other.
func TestSigner_refusesTokensOfTwoCallers(t *testing.T) {
	t.Parallel()
	certs, is := authority(t, "playbot.mcollective"), issuer(t)
	o := choria.Options{CA: certs.CA, Signer: &choria.SignerOptions{URL: "https://127.0.0.1/sign"}}
	o.Token, o.Seed = tokenFor(t, is, fleetsim.May{AskSigned: true})
	o.Signer.Token = another(t, o.Token, "choria=other.choria")
	_, err := o.Try()
	for _, part := range []string{`nats.signer.token is that of "choria=other.choria"`, `nats.token that of "` + botCaller + `"`, "have both issued for one caller"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want %q", err, part)
		}
	}
	o.Signer.Token = another(t, o.Token, botCaller)
	if got, err := o.Try(); err != nil || got.Own != botCaller {
		t.Errorf("two tokens of one caller: got %+v, %v", got, err)
	}
}

// another is a token with the key of one that is there, for a caller. Nobody checks who issued it.
func another(t *testing.T, file, caller string) string {
	t.Helper()
	claims, err := token.Read(strings.TrimSpace(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	claims.Caller = caller
	raw, err := token.Sign(claims, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "another.jwt")
	if err := os.WriteFile(out, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// signedCalls asks through a service that agrees, refuses, and signs something else.
func signedCalls(t *testing.T, f *fleetsim.Fleet, o choria.Options, s *service) {
	t.Helper()
	c := connect(t, o)
	if got := c.Callers(); got.Own != botCaller || got.Named || !strings.Contains(got.Why, "AAA service") {
		t.Errorf("callers: %+v", got)
	}
	if res, err := c.Call(t.Context(), ping(bravo()...)); err != nil || len(res.Replies) != 3 {
		t.Fatalf("got %v, %s", err, account(res))
	}
	for _, call := range f.Calls() {
		if call.Caller != botCaller {
			t.Errorf("%s was asked by %s, want %s", call.Node, call.Caller, botCaller)
		}
	}
	want := func(text string, c *choria.Client) {
		t.Helper()
		if _, err := c.Call(t.Context(), ping(bravo()...)); err == nil || !strings.Contains(err.Error(), "nothing was sent") || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	s.refuse = "Request denied"
	want("the AAA service refuses: Request denied", c)
	s.refuse = ""
	s.seal = func([]byte, string) ([]byte, error) { return []byte(`{"protocol":"x"}`), nil }
	want(`got "x"`, c)
	stranger := o
	stranger.Signer = &choria.SignerOptions{URL: o.Signer.URL, Token: o.Signer.Token}
	want("certificate", connect(t, stranger))
	if n := len(f.Calls()); n != 3 {
		t.Errorf("%d nodes were asked, want 3", n)
	}
}
