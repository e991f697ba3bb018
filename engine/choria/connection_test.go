package choria_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestConnection_saysWhichBrokerItIs(t *testing.T) {
	t.Parallel()
	for name, certs := range map[string]*fleetsim.Certs{"plain": nil, "TLS": authority(t, "deploy.mcollective")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, o := network(t, certs)
			o.Identity = "deploy.mcollective"
			c := connect(t, o)
			got := c.Connection()
			if got.Broker != f.URL() || got.Name != "fleetsim" || got.RoundTrip <= 0 || (got.TLS == "TLS 1.3") != (certs != nil) {
				t.Errorf("got %+v of %s", got, f.URL())
			}
			c.Close()
			if got := c.Connection(); got.Broker != "" || got.TLS != "" || got.RoundTrip != 0 {
				t.Errorf("closed: %+v", got)
			}
		})
	}
}

func TestTry_saysInWhoseNameWithoutAConnection(t *testing.T) {
	t.Parallel()
	certs := authority(t, "deploy.mcollective")
	o := choria.Options{Servers: []string{"tls://127.0.0.1:9"}, Identity: "deploy.mcollective", CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey}
	if c, err := o.Try(); err != nil || c.Own != "choria=deploy.mcollective" || c.Named {
		t.Errorf("got %+v, %v", c, err)
	}
	o.Identity = "other.mcollective"
	if _, err := o.Try(); err == nil || !strings.Contains(err.Error(), "not the identity") {
		t.Errorf("another name: %v", err)
	}
	ca, cert, key := choria.Options{PuppetSSL: "/ssl", Identity: "a.mcollective"}.Certificate()
	if ca != "/ssl/certs/ca.pem" || cert != "/ssl/certs/a.mcollective.pem" || key != "/ssl/private_keys/a.mcollective.pem" {
		t.Errorf("the files of a puppet agent are %s, %s, %s", ca, cert, key)
	}
}

func TestTokenEnds_isWhenTheTokenSays(t *testing.T) {
	t.Parallel()
	tokens, err := fleetsim.NewTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{time.Hour, -time.Hour} {
		begin := time.Now()
		file, seed, err := tokens.Client("choria=bot.mcollective", fleetsim.May{Ask: true, For: d})
		if err != nil {
			t.Fatal(err)
		}
		end, err := choria.Options{Token: file, Seed: seed}.TokenEnds()
		if d < 0 {
			if err == nil || !strings.Contains(err.Error(), "expired") {
				t.Errorf("one that has ended: %v, %v", end, err)
			}
			continue
		}
		if err != nil || end.Before(begin.Add(d-2*time.Second)) || end.After(time.Now().Add(d+2*time.Second)) {
			t.Errorf("got %v, %v; want %v from now", end, err, d)
		}
	}
}
