package doctor

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// tokened is an installation before a network of servers with tokens.
func tokened(t *testing.T) (*clinic, *fleetsim.Tokens) {
	t.Helper()
	tokens, err := fleetsim.NewTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	certs := authority(t)
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(2, 0), Listen: true, Certs: certs, Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	c := offline(t)
	c.certs = certs
	c.Config.NATS = app.NATSConfig{Servers: []string{f.URL()}, Collective: "mcollective", CA: certs.CA, Issuers: tokens.Issuers(), Window: time.Second}
	return c, tokens
}

// hold gives the installation a token.
func (c *clinic) hold(tokens *fleetsim.Tokens, may fleetsim.May) {
	c.t.Helper()
	var err error
	if c.Config.NATS.Token, c.Config.NATS.Seed, err = tokens.Client("choria=deploy.mcollective", may); err != nil {
		c.t.Fatal(err)
	}
}

func TestExamine_looksAtTokens(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]struct {
		may    fleetsim.May
		spoil  func(c *clinic)
		want   []want
		caller string // "" when it does not come to that
	}{
		"an ordinary one":      {may: fleetsim.May{Ask: true}, caller: "nodes see choria=deploy.mcollective and not the person"},
		"that of an authority": {may: fleetsim.May{Ask: true, SignForAll: true}, caller: "nodes see the person: the token of choria=deploy.mcollective is that of an authority"},
		"one that has ended": {
			may:  fleetsim.May{Ask: true, For: -time.Hour},
			want: []want{{"choria token", Broken, "expired at", "renew it"}},
		},
		"one that may not ask": {
			want: []want{{"choria token", Broken, "may not ask servers", "fleet_management"}},
		},
		"one of another key": {
			may: fleetsim.May{Ask: true}, spoil: func(c *clinic) { c.Config.NATS.Seed = c.write("seed", "00") },
			want: []want{{"choria token", Broken, "seed", ""}},
		},
		"one without issuers": {
			may: fleetsim.May{Ask: true}, spoil: func(c *clinic) { c.Config.NATS.Issuers = nil },
			want:   []want{{"choria token", Warning, "replies are not held to their senders", "set nats.issuers"}},
			caller: "nodes see",
		},
		"a key that everybody can read": {
			may: fleetsim.May{Ask: true}, spoil: func(c *clinic) { c.chmod(c.Config.NATS.Seed, 0o644) },
			want:   []want{{"secrets", Broken, "nats.seed: ", "chmod 600 "}},
			caller: "nodes see",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, tokens := tokened(t)
			c.hold(tokens, b.may)
			if b.spoil != nil {
				b.spoil(c)
			}
			r := c.examine()
			r.wants(t, append(b.want, noSlack)...)
			if b.caller != "" && (!r.has("choria caller", OK, b.caller, "") || !r.has("choria broker", OK, "requests are signed with a token's key", "")) {
				t.Errorf("the report lacks %q:\n%s", b.caller, r)
			}
		})
	}
}

func TestExamine_saysWhetherNodesSeeThePerson(t *testing.T) {
	t.Parallel()
	for name, caller := range map[string]string{
		"deploy.mcollective":            "nodes see choria=deploy.mcollective and not the person: the certificate of deploy.mcollective is an ordinary one",
		"deploy.privileged.mcollective": "nodes see the person: the certificate of deploy.privileged.mcollective is privileged",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := offline(t)
			certs, err := fleetsim.NewCerts(t.TempDir(), name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0), Listen: true, Certs: certs})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(f.Stop)
			// As a puppet agent keeps them.
			for to, from := range map[string]string{
				"ssl/certs/ca.pem": certs.CA, "ssl/certs/" + name + ".pem": certs.ClientCert, "ssl/private_keys/" + name + ".pem": certs.ClientKey,
			} {
				c.write(filepath.FromSlash(to), read(t, from))
			}
			c.Config.NATS = app.NATSConfig{Servers: []string{f.URL()}, Collective: "mcollective", Identity: name, PuppetSSL: c.path("ssl"), Window: time.Second}
			r := c.examine()
			r.wants(t, noSlack)
			if !r.has("choria caller", OK, caller, "") || !r.has("choria certificate", OK, name+", valid until", "") {
				t.Errorf("the report lacks %q:\n%s", caller, r)
			}
		})
	}
}
