package realfleettest

import (
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// double is a simulated fleet in the mode of a real one.
type double struct {
	*fleetsim.Fleet
	options choria.Options // of our client
	certs   *fleetsim.Certs
	tokens  *fleetsim.Tokens
}

func simulate(tb testing.TB, mode realfleet.Mode, identity string, nodes []realfleet.Node) *double {
	tb.Helper()
	dir := tb.TempDir()
	certs, err := fleetsim.NewCerts(dir, identity)
	if err != nil {
		tb.Fatal(err)
	}
	d := &double{certs: certs, options: choria.Options{Identity: identity}}
	var o fleetsim.Options
	switch mode {
	case realfleet.File:
		o.Certs = certs
		d.options.CA, d.options.Cert, d.options.Key = certs.CA, certs.ClientCert, certs.ClientKey
	case realfleet.JWT:
		if d.tokens, err = fleetsim.NewTokens(dir); err != nil {
			tb.Fatal(err)
		}
		if d.options.Token, d.options.Seed, err = d.tokens.Client("choria="+identity, fleetsim.May{Ask: true}); err != nil {
			tb.Fatal(err)
		}
		o.Certs, o.Tokens = certs, d.tokens
		d.options.CA, d.options.Issuers = certs.CA, d.tokens.Issuers()
	case realfleet.Insecure:
		d.options.Insecure = true
	}
	o.Listen = true
	for _, n := range nodes {
		o.Nodes = append(o.Nodes, fleetsim.Node{Name: n.Name, Facts: n.Facts, Classes: n.Classes, Agents: n.Agents})
	}
	if d.Fleet, err = fleetsim.Start(tb.Context(), o); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.Stop)
	d.options.Servers = []string{d.URL()}
	return d
}

// token has the issuer make one more.
func (d *double) token(caller string, may fleetsim.May) (token, seed string, err error) {
	return d.tokens.Client(caller, may)
}
