package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// key is a private key of a test, by its name.
func key(name string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte((name + strings.Repeat(".", ed25519.SeedSize))[:ed25519.SeedSize]))
}

func public(name string) ed25519.PublicKey {
	k, _ := key(name).Public().(ed25519.PublicKey)
	return k
}

func text(name string) string { return hex.EncodeToString(public(name)) }

func issuers() token.Issuers { return token.Issuers{"acme": public("issuer")} }

func client(change func(*token.Claims)) token.Claims {
	c := token.Claims{
		Purpose: token.Client, Caller: "choria=bot", Org: "acme", PublicKey: text("bot"), Expires: token.At(time.Now().Add(time.Hour)),
		Permissions: token.Permissions{Fleet: true},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func sign(tb testing.TB, c token.Claims, by string) string {
	tb.Helper()
	raw, err := token.Sign(c, key(by))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// chained makes a token that somebody below the issuer has made.
func chained(c *token.Claims) {
	trust := hex.EncodeToString(ed25519.Sign(key("issuer"), []byte("login."+text("login"))))
	c.ID, c.Issuer = "1", "C-login."+text("login")
	c.Chain = trust + "." + hex.EncodeToString(ed25519.Sign(key("login"), []byte(c.ID+"."+trust)))
	c.Issued, c.IssuerEnds = token.At(time.Now()), token.At(time.Now().Add(time.Hour))
}

func TestVerify_takesWhatTheIssuerVouchesFor(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, row := range map[string]struct {
		change func(*token.Claims)
		by     string
		want   string
	}{
		"good":                      {nil, "issuer", ""},
		"without an end":            {func(c *token.Claims) { c.Expires = nil }, "issuer", ""},
		"signed by another":         {nil, "thief", "is not signed by the issuer"},
		"signed by itself":          {nil, "bot", "is not signed by the issuer"},
		"another organization":      {func(c *token.Claims) { c.Org = "other" }, "issuer", `no issuer of the organization "other"`},
		"ended":                     {func(c *token.Claims) { c.Expires = token.At(now.Add(-time.Second)) }, "issuer", "expired at"},
		"begins later":              {func(c *token.Claims) { c.NotBefore = token.At(now.Add(time.Hour)) }, "issuer", "from"},
		"made by one who may":       {chained, "login", ""},
		"and said to be":            {chained, "thief", "is not signed by the issuer"},
		"whose time is over":        {func(c *token.Claims) { chained(c); c.IssuerEnds = token.At(now.Add(-time.Hour)) }, "login", "expired at"},
		"whose end is not known":    {func(c *token.Claims) { chained(c); c.IssuerEnds = nil }, "login", "lacks an id or a time"},
		"whom nobody knows":         {func(c *token.Claims) { chained(c); c.Issuer = "C-login." + text("thief") }, "thief", "does not vouch for the one who made it"},
		"for another token":         {func(c *token.Claims) { chained(c); c.ID = "2" }, "login", "did not"},
		"with a chain of nothing":   {func(c *token.Claims) { chained(c); c.Chain = "x" }, "login", "cannot be read"},
		"with a maker of nothing":   {func(c *token.Claims) { chained(c); c.Issuer = "C-" }, "login", "does not say who made it"},
		"a server's without a link": {func(c *token.Claims) { chained(c); c.Purpose, c.Issuer = token.Server, "I-x" }, "issuer", "may make none for servers"},
	} {
		c, err := issuers().Verify([]byte(sign(t, client(row.change), row.by)), now)
		switch {
		case row.want == "" && (err != nil || c.Caller != "choria=bot"):
			t.Errorf("%s: got %+v, %v; want it taken", name, c, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestVerify_knowsOneAlgorithm(t *testing.T) {
	t.Parallel()
	good := sign(t, client(nil), "issuer")
	_, rest, _ := strings.Cut(good, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	head := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, raw := range []string{
		"", ".", "..", "a.b.c.d", rest, good + ".x", good + "=", head(`{"alg":"none"}`) + "." + claims + ".", head(`{"alg":"HS256"}`) + "." + rest,
		head(`{}`) + "." + rest, head(`{"alg":"EdDSA"}`) + "." + head(`{}`) + "." + signature, head(`[]`) + "." + rest, good[:len(good)-2],
	} {
		if c, err := issuers().Verify([]byte(raw), time.Now()); err == nil {
			t.Errorf("%.60q was taken: %+v", raw, c)
		}
	}
}

// prove is what the owners of two keys show for a request.
func prove(t *testing.T, signed string, caller, signer *token.Claims) wire.Proof {
	t.Helper()
	p := wire.Proof{Signature: ed25519.Sign(key(signed), []byte("request")), Caller: sign(t, *caller, "issuer")}
	if signer != nil {
		p.Signer = sign(t, *signer, "issuer")
	}
	return p
}

func TestGate_isOpenToThoseWhoMayAsk(t *testing.T) {
	t.Parallel()
	claims := func(p token.Permissions) *token.Claims {
		c := client(func(c *token.Claims) { c.Permissions = p })
		return &c
	}
	authority := client(func(c *token.Claims) {
		c.Caller, c.PublicKey, c.Permissions = "choria=aaa", text("aaa"), token.Permissions{Authority: true}
	})
	both := claims(token.Permissions{Fleet: true, Authority: true})
	server := client(func(c *token.Claims) { c.Purpose, c.Identity = token.Server, "web1" })
	ask, signed := claims(token.Permissions{Fleet: true}), claims(token.Permissions{Signed: true})
	for name, row := range map[string]struct {
		proof  wire.Proof
		caller string
		want   string
	}{
		"good":                          {prove(t, "bot", ask, nil), "choria=bot", ""},
		"another caller":                {prove(t, "bot", ask, nil), "slack=T1.U1", `caller "slack=T1.U1" is not the one of the token`},
		"another key":                   {prove(t, "thief", ask, nil), "choria=bot", "signature"},
		"who may not":                   {prove(t, "bot", claims(token.Permissions{}), nil), "choria=bot", "may not manage the fleet"},
		"a server":                      {prove(t, "bot", &server, nil), "choria=bot", "is no client's"},
		"who needs an authority":        {prove(t, "bot", signed, nil), "choria=bot", "needs the signature of an authority"},
		"and has one":                   {prove(t, "aaa", signed, &authority), "slack=T1.U1", ""},
		"the authority in another name": {prove(t, "aaa", ask, &authority), "slack=T1.U1", ""},
		"one that did not sign":         {prove(t, "bot", ask, &authority), "choria=bot", "signature"},
		"one that is none":              {prove(t, "bot", ask, ask), "choria=bot", "without being an authority"},
		"one's own authority":           {prove(t, "bot", both, both), "slack=T1.U1", ""},
		"which may not ask":             {prove(t, "aaa", &authority, &authority), "slack=T1.U1", "may not manage the fleet"},
	} {
		err := token.Gate{Issuers: issuers()}.VerifyProof([]byte("request"), row.proof, row.caller)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestServers_vouchForServersUntilTheirTokensEnd(t *testing.T) {
	t.Parallel()
	server := func(change func(*token.Claims)) []byte {
		return []byte(sign(t, client(func(c *token.Claims) {
			c.Purpose, c.Caller, c.Identity, c.PublicKey = token.Server, "", "web1", text("web1")
			if change != nil {
				change(c)
			}
		}), "issuer"))
	}
	s := &token.Servers{Issuers: issuers()}
	for range 2 { // the second time it is remembered
		if name, k, err := s.Server(server(nil)); err != nil || name != "web1" || !k.Equal(public("web1")) {
			t.Fatalf("got %s, %x, %v", name, k, err)
		}
	}
	for name, raw := range map[string][]byte{
		"a client":    []byte(sign(t, client(nil), "issuer")),
		"no name":     server(func(c *token.Claims) { c.Identity = "" }),
		"no key":      server(func(c *token.Claims) { c.PublicKey = "" }),
		"a short key": server(func(c *token.Claims) { c.PublicKey = "ab" }),
		"ended":       server(func(c *token.Claims) { c.Expires = token.At(time.Now().Add(-time.Hour)) }),
		"nothing":     nil,
	} {
		if got, _, err := s.Server(raw); err == nil {
			t.Errorf("%s: vouched for %q", name, got)
		}
	}
}

func TestParse_namesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if is, err := token.ParseIssuers(map[string]string{"acme": text("issuer")}); err != nil || !is["acme"].Equal(public("issuer")) {
		t.Errorf("got %v, %v", is, err)
	}
	if is, err := token.ParseIssuers(nil); is != nil || err != nil {
		t.Errorf("no issuers: got %v, %v", is, err)
	}
	for _, bad := range []string{"", "zz", text("issuer")[2:], text("issuer") + "00"} {
		if _, err := token.ParseIssuers(map[string]string{"acme": bad}); err == nil || !strings.Contains(err.Error(), "64 hexadecimal digits") {
			t.Errorf("issuer %q: got %v", bad, err)
		}
		if _, err := token.ParseSeed(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("seed %q: got %v; want an error that does not show it", bad, err)
		}
	}
	if k, err := token.ParseSeed(hex.EncodeToString(key("bot").Seed()) + "\n"); err != nil || !k.Equal(key("bot")) {
		t.Errorf("a seed: got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(sign(f, client(nil), "thief")))
	f.Add([]byte(sign(f, client(chained), "thief")))
	f.Add([]byte("e30.e30."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := issuers().Verify(raw, time.Now()); err == nil {
			t.Fatalf("taken without the issuer: %+v", c)
		}
		if c, err := token.Read(string(raw)); err == nil {
			c.Expiry()
		}
	})
}
