package choria_test

import (
	"testing"

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
