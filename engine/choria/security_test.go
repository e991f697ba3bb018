package choria_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func TestCheck_namesEveryContradictionAndItsRemedy(t *testing.T) {
	t.Parallel()
	signer := &choria.SignerOptions{URL: "https://aaa.example.net/choria/v1/sign"}
	for name, row := range map[string]struct {
		options choria.Options
		want    string
	}{
		"nothing":                     {choria.Options{}, "nothing says who playbot is"},
		"insecure and a certificate":  {choria.Options{Insecure: true, Cert: "c"}, "nats.insecure stands beside certificates or tokens"},
		"insecure and a token":        {choria.Options{Insecure: true, Token: "t"}, "nats.insecure stands beside certificates or tokens"},
		"insecure and issuers":        {choria.Options{Insecure: true, Issuers: map[string]string{"a": "b"}}, "nats.insecure stands beside"},
		"two places for certificates": {choria.Options{PuppetSSL: "/ssl", CA: "ca"}, "remove nats.ca, nats.cert and nats.key, or nats.puppet_ssl"},
		"a token without its key":     {choria.Options{Token: "t"}, "name the file of its seed in nats.seed"},
		"a key without its token":     {choria.Options{Seed: "s", CA: "ca", Cert: "c", Key: "k"}, "name the file of the token in nats.token"},
		"issuers without a token":     {choria.Options{CA: "ca", Cert: "c", Key: "k", Issuers: map[string]string{"a": "b"}}, "add nats.token and nats.seed, or remove nats.issuers"},
		"an issuer without a key":     {choria.Options{Token: "t", Seed: "s", Issuers: map[string]string{"acme": "00"}}, `nats.issuers: the issuer of "acme": "00" is no ed25519 public key`},
		"half a pair":                 {choria.Options{CA: "ca", Cert: "c"}, "nats.cert and nats.key are needed together"},
		"a signer in the clear":       {choria.Options{Token: "t", Seed: "s", Signer: &choria.SignerOptions{URL: "http://aaa"}}, "write it as https://"},
		"a signer without a token":    {choria.Options{CA: "ca", Seed: "s", Signer: signer}, "nats.signer.token is missing"},
		"a signer without a key":      {choria.Options{CA: "ca", Signer: &choria.SignerOptions{URL: signer.URL, Token: "t"}}, "nats.seed is missing"},
		"a signer without a CA":       {choria.Options{Seed: "s", Signer: &choria.SignerOptions{URL: signer.URL, Token: "t"}}, "nats.ca is missing"},
	} {
		if err := errors.Join(row.options.Check()...); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
	for name, o := range map[string]choria.Options{
		"insecure": {Insecure: true}, "file": {CA: "ca", Cert: "c", Key: "k"}, "puppet": {PuppetSSL: "/ssl"}, "token": {Token: "t", Seed: "s"},
		"token and CA": {Token: "t", Seed: "s", CA: "ca"}, "signer in v2": {Token: "t", Seed: "s", Signer: signer},
		"signer in v1": {CA: "ca", Seed: "s", Signer: &choria.SignerOptions{URL: signer.URL, Token: "t"}},
	} {
		if err := errors.Join(o.Check()...); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestConnect_findsWhatAPuppetAgentHas(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	ssl := t.TempDir()
	for from, to := range map[string]string{
		certs.CA: "certs/ca.pem", certs.ClientCert: "certs/playbot.mcollective.pem", certs.ClientKey: "private_keys/playbot.mcollective.pem",
	} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(ssl, filepath.Dir(to)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(ssl, to), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, o := network(t, certs)
	c := connect(t, choria.Options{Servers: o.Servers, PuppetSSL: ssl, Timeout: o.Timeout})
	res, err := c.Call(t.Context(), ping(bravo()...))
	if err != nil || len(res.Replies) != 3 || f.Calls()[0].Caller != "choria=playbot.mcollective" {
		t.Errorf("got %v, %s", err, account(res))
	}
}

// tokens is a fleet of version 2 in a bubble.
func tokens(t *testing.T, test func(t *testing.T, f *fleetsim.Fleet, issuer *fleetsim.Tokens)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		is := issuer(t)
		test(t, start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Tokens: is}), is)
	})
}

func TestToken_thatIsNotGoodIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	type makes func(fleetsim.May) (file, seed string) // a token
	for name, row := range map[string]struct {
		change func(o *choria.Options, token makes)
		want   string
	}{
		"ended": {func(o *choria.Options, token makes) {
			o.Token, o.Seed = token(fleetsim.May{Ask: true, For: time.Minute})
			time.Sleep(time.Minute)
		}, "expired at 2000-01-01T00:01:00Z; renew it"},
		"of another key":         {func(o *choria.Options, token makes) { _, o.Seed = token(fleetsim.May{Ask: true}) }, "belongs to another key"},
		"who may not ask":        {func(o *choria.Options, token makes) { o.Token, o.Seed = token(fleetsim.May{}) }, "have one with fleet_management issued"},
		"who needs an authority": {func(o *choria.Options, token makes) { o.Token, o.Seed = token(fleetsim.May{AskSigned: true}) }, "set nats.signer"},
		"no token":               {func(o *choria.Options, _ makes) { o.Token = o.Seed }, "it is no token of three parts"},
		"no seed":                {func(o *choria.Options, _ makes) { o.Seed = o.Token }, "it holds no ed25519 seed"},
		"no file":                {func(o *choria.Options, _ makes) { o.Token += ".gone" }, ".jwt.gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens(t, func(t *testing.T, f *fleetsim.Fleet, is *fleetsim.Tokens) {
				t.Helper()
				o := choria.Options{InProcess: f}
				o.Token, o.Seed = tokenFor(t, is, fleetsim.May{Ask: true})
				row.change(&o, func(may fleetsim.May) (string, string) { return tokenFor(t, is, may) })
				c, err := choria.Connect(t.Context(), o)
				if err == nil {
					c.Close()
				}
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("got %v, want %q", err, row.want)
				}
			})
		})
	}
}

func TestToken_thatEndsIsReadAgain(t *testing.T) {
	t.Parallel()
	tokens(t, func(t *testing.T, f *fleetsim.Fleet, is *fleetsim.Tokens) {
		t.Helper()
		o := choria.Options{InProcess: f, Issuers: is.Issuers()}
		o.Token, o.Seed = tokenFor(t, is, fleetsim.May{Ask: true, For: time.Minute})
		c := connect(t, o)
		time.Sleep(time.Minute)
		if _, err := c.Call(t.Context(), ping(bravo()...)); !errors.Is(err, choria.ErrNotSent) || !strings.Contains(err.Error(), "renew it") {
			t.Fatalf("with a token that has ended: got %v", err)
		}
		if n := len(f.Calls()); n != 0 {
			t.Errorf("%d nodes were asked", n)
		}
		file, seed := tokenFor(t, is, fleetsim.May{Ask: true})
		for from, to := range map[string]string{file: o.Token, seed: o.Seed} {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
		if res, err := c.Call(t.Context(), ping(bravo()...)); err != nil || len(res.Replies) != 3 {
			t.Errorf("with a new one: got %v, %s", err, account(res))
		}
	})
}

func TestDiscover_saysThatNobodyVouchesForTheServers(t *testing.T) {
	t.Parallel()
	tokens(t, func(t *testing.T, f *fleetsim.Fleet, is *fleetsim.Tokens) {
		t.Helper()
		o := choria.Options{InProcess: f, Issuers: issuer(t).Issuers()}
		o.Token, o.Seed = tokenFor(t, is, fleetsim.May{Ask: true})
		c := connect(t, o)
		found, err := c.Discover(t.Context(), choria.Filter{Agents: []string{"appmgr"}})
		if found != nil || err == nil || !strings.Contains(err.Error(), "8 servers answered, and no issuer in nats.issuers vouches for any of them") {
			t.Errorf("got %v, %v", found, err)
		}
		res, err := c.Call(t.Context(), ping(bravo()...))
		if want := "ok 0 failed 0 silent 3 unasked 0 stranger 0 duplicate 0 malformed 0 untrusted 3"; err != nil || account(res) != want {
			t.Errorf("got %v, %s, want %s", err, account(res), want)
		}
	})
}

func TestToken_isShownToTheBrokerOverTLSOnly(t *testing.T) {
	t.Parallel()
	certs, is := authority(t, "playbot.mcollective"), issuer(t)
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Certs: certs, Tokens: is})
	good := choria.Options{Servers: []string{f.URL()}, CA: certs.CA, Issuers: is.Issuers(), Timeout: time.Minute}
	good.Token, good.Seed = tokenFor(t, is, fleetsim.May{Ask: true})
	c := connect(t, good)
	for range 2 { // the second time over a new connection
		res, err := c.Call(t.Context(), ping(bravo()...))
		if err != nil || len(res.Replies) != 3 {
			t.Errorf("got %v, %s", err, account(res))
		}
		away(f, c)
		if err := f.StartBroker(); err != nil {
			t.Fatal(err)
		}
	}
	plain := start(t, fleetsim.Options{Listen: true})
	for name, row := range map[string]struct {
		change func(*choria.Options)
		want   string
	}{
		"a broker of another CA": {func(o *choria.Options) { o.CA = authority(t, "playbot.mcollective").CA }, "certificate"},
		"no CA is no permission": {func(o *choria.Options) { o.CA = "" }, "certificate"},
		"a token that the broker does not trust": {func(o *choria.Options) {
			o.Token, o.Seed = tokenFor(t, issuer(t), fleetsim.May{Ask: true})
		}, "Authorization Violation; the broker turns us away: was the token or certificate issued by somebody it trusts"},
		"a broker that has no TLS": {func(o *choria.Options) { o.Servers = []string{plain.URL()} }, "secure connection not available"},
	} {
		o := good
		row.change(&o)
		c, err := choria.Connect(t.Context(), o)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestBroker_letsNobodyListenToAnothersReplies(t *testing.T) {
	t.Parallel()
	tokens(t, func(t *testing.T, f *fleetsim.Fleet, is *fleetsim.Tokens) {
		t.Helper()
		o := choria.Options{InProcess: f, Issuers: is.Issuers()}
		o.Token, o.Seed = tokenFor(t, is, fleetsim.May{Ask: true, SignForAll: true})
		c := connect(t, o)
		q := ping(bravo()...)
		q.Caller = "slack=T1.UANA" // the replies come to us, not to a subject of hers
		if res, err := c.Call(t.Context(), q); err != nil || len(res.Replies) != 3 {
			t.Errorf("got %v, %s", err, account(res))
		}
	})
}

// deliver publishes a request as somebody who does not keep to what a client of ours does.
func deliver(t *testing.T, f *fleetsim.Fleet, o choria.Options, msg []byte) {
	t.Helper()
	conn, err := nats.Connect(f.URL(), nats.RootCAs(o.CA), nats.ClientCert(o.Cert, o.Key))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Publish(wire.NodeSubject("mcollective", bravo()[0]), msg); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

// claim is a request in the name of caller, signed with the certificate of the options.
func claim(t *testing.T, o choria.Options, caller string) []byte {
	t.Helper()
	r := wire.Request{
		ID: strings.Repeat("a", 32), Sender: "x", Caller: caller, Collective: "mcollective", Agent: "rpcutil", Time: time.Now(),
		Payload: `{"agent":"rpcutil","action":"ping","data":{}}`, ReplyTo: wire.ReplySubject("mcollective", "choria="+o.Identity, "x"),
	}
	msg, err := wire.EncodeRequest(r, signerOf(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestCertificate_ofAnOrdinaryNameGetsNoAnswerInAnothers(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	f, o := network(t, certs)
	privileged := o
	privileged.Identity = "playbot.privileged.mcollective"
	var err error
	if privileged.Cert, privileged.Key, err = certs.Issue(privileged.Identity); err != nil {
		t.Fatal(err)
	}
	deliver(t, f, o, claim(t, o, "slack=T1.UANA"))
	deliver(t, f, o, claim(t, privileged, "slack=T1.UANA"))
	deliver(t, f, o, claim(t, privileged, "T1.UANA"))
	// What was delivered before this call has been looked at when it is answered: it is for the same node.
	if res, err := connect(t, o).Call(t.Context(), ping(bravo()[0])); err != nil || len(res.Replies) != 1 {
		t.Fatalf("got %v, %s", err, account(res))
	}
	var callers []string
	for _, c := range f.Calls() {
		callers = append(callers, c.Caller)
	}
	if got := strings.Join(callers, " "); got != "slack=T1.UANA choria=playbot.mcollective" {
		t.Errorf("the node was asked by %s; want the privileged one and the ordinary one in its own name", got)
	}
}
