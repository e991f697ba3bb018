package realfleet_test

import (
	"crypto/rsa"
	"crypto/tls"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

const target = "web1.example.net"

// signer signs with the key of a certificate.
func signer(t *testing.T, cert, key string) wire.RSA {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return wire.RSA{
		Key:  pair.PrivateKey.(*rsa.PrivateKey),
		Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})),
	}
}

// upgrade is a request that a server obeys, once it is sent as it is.
func upgrade() wire.Request {
	return wire.Request{
		ID: strings.Repeat("e", 32), Sender: "playbot.mcollective", Caller: "choria=playbot.mcollective", Collective: "mcollective", Agent: "appmgr",
		Time: time.Now(), TTL: time.Minute, Filter: wire.Filter{Agent: []string{"appmgr"}}, ReplyTo: "mcollective.reply.nobody.x",
		Payload: `{"agent":"appmgr","action":"upgrade","data":{"revision":"6.6.6"}}`,
	}
}

// TestServers_obeyOnlyGoodRequests sends one request at a time that differs from a good one in one
// respect. What the simulated server obeys must be what the real one does.
func TestServers_obeyOnlyGoodRequests(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(r *wire.Request)
		by     string // whose certificate: the client's, a server's, or one of another authority
		obeyed bool
	}{
		"good":                         {func(*wire.Request) {}, "client", true},
		"almost too old":               {func(r *wire.Request) { r.Time = time.Now().Add(-50 * time.Second) }, "client", true},
		"too old":                      {func(r *wire.Request) { r.Time = time.Now().Add(-61 * time.Second) }, "client", false},
		"from the future":              {func(r *wire.Request) { r.Time = time.Now().Add(62 * time.Second) }, "client", false},
		"caller is not the signer":     {func(r *wire.Request) { r.Caller = "choria=root.mcollective" }, "client", false},
		"caller of another kind":       {func(r *wire.Request) { r.Caller = "slack=ana" }, "client", false},
		"caller is a server":           {func(r *wire.Request) { r.Caller = "choria=lb1.example.net" }, "server", false},
		"signed by another authority":  {func(*wire.Request) {}, "foreign", false},
		"for servers of another agent": {func(r *wire.Request) { r.Filter.Agent = []string{"nosuch"} }, "client", false},
		"for servers of another class": {func(r *wire.Request) { r.Filter.Class = []string{"nosuch"} }, "client", false},
		"for a server of another name": {func(r *wire.Request) { r.Filter.Identity = []string{"lb1.example.net"} }, "client", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := realfleet.Start(t, realfleet.Options{Nodes: realfleet.Six()[:2]})
			certs, err := fleetsim.NewCerts(t.TempDir(), f.Identity)
			if err != nil {
				t.Fatal(err)
			}
			double, err := fleetsim.Start(t.Context(), fleetsim.Options{Listen: true, Certs: certs, Nodes: []fleetsim.Node{
				{Name: target, Classes: []string{"roles::webserver"}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(double.Stop)
			for who, side := range map[string]struct {
				options  choria.Options
				issue    func(string) (cert, key string, err error)
				revision func() string
			}{
				"real": {f.Options(), f.Issue, func() string { return f.Revision(target) }},
				"simulated": {
					choria.Options{Servers: []string{double.URL()}, Identity: f.Identity, CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey},
					certs.Issue, func() string { return double.Node(target).Revision },
				},
			} {
				cert, key := side.options.Cert, side.options.Key
				switch row.by {
				case "server":
					if cert, key, err = side.issue("lb1.example.net"); err != nil {
						t.Fatal(err)
					}
				case "foreign":
					foreign, err := fleetsim.NewCerts(t.TempDir(), f.Identity)
					if err != nil {
						t.Fatal(err)
					}
					cert, key = foreign.ClientCert, foreign.ClientKey
				}
				r := upgrade()
				row.change(&r)
				deliver(t, side.options, r, signer(t, cert, key))
				if obeyed := side.revision() == "6.6.6"; obeyed != row.obeyed {
					t.Errorf("%s server: obeyed %v, want %v", who, obeyed, row.obeyed)
				}
			}
		})
	}
}

// deliver publishes a request and returns when the server has dealt with it: it has answered a good
// one that came behind.
func deliver(t *testing.T, o choria.Options, r wire.Request, s wire.Signer) {
	t.Helper()
	msg, err := wire.EncodeRequest(r, s)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(o.Servers[0], nats.RootCAs(o.CA), nats.ClientCert(o.Cert, o.Key))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Publish(wire.NodeSubject("mcollective", target), msg); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // a server carries requests out side by side
		res, err := connect(t, o).Call(t.Context(), choria.Request{Agent: "appmgr", Action: "status", Nodes: []string{target}})
		if err != nil || len(senders(res)) != 1 {
			t.Fatalf("got %v, %+v", err, res)
		}
	}
}
