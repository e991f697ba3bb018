package choria_test

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func TestMain(m *testing.M) {
	url := os.Getenv(clientEnv)
	if url == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := callAlone(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err) // and nothing on stdout, which the benchmark misses
	}
}

// start starts a fleet.
func start(t *testing.T, o fleetsim.Options) *fleetsim.Fleet {
	t.Helper()
	f, err := fleetsim.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return f
}

// connect connects a client.
func connect(t *testing.T, o choria.Options) *choria.Client {
	t.Helper()
	c, err := choria.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// under is what a test in a bubble has at hand.
type under struct {
	*testing.T
	fleet  *fleetsim.Fleet
	client *choria.Client
}

// bubble runs a test with a fleet, a client and virtual time: a machine under load cannot make a
// wait end too early, and a wait of an hour costs nothing.
func bubble(t *testing.T, nodes []fleetsim.Node, test func(under)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := start(t, fleetsim.Options{Nodes: nodes})
		test(under{T: t, fleet: f, client: connect(t, choria.Options{InProcess: f, Insecure: true})})
	})
}

// network starts a fleet that listens, with the `file` security when there are certificates, and the
// options of a client for it. There is no virtual time: nothing in such a test may depend on a wait.
func network(t *testing.T, certs *fleetsim.Certs) (*fleetsim.Fleet, choria.Options) {
	t.Helper()
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Certs: certs})
	o := choria.Options{Servers: []string{f.URL()}, Insecure: certs == nil, Timeout: time.Minute}
	if certs != nil {
		o.CA, o.Cert, o.Key = certs.CA, certs.ClientCert, certs.ClientKey
	}
	return f, o
}

func authority(t *testing.T, identity string) *fleetsim.Certs {
	t.Helper()
	certs, err := fleetsim.NewCerts(t.TempDir(), identity)
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

func bravo() []string { return []string{"web4.example.net", "web5.example.net", "web6.example.net"} }

func ping(nodes ...string) choria.Request {
	return choria.Request{Agent: "rpcutil", Action: "ping", Nodes: nodes}
}

// signerOf signs with the certificate of the options.
func signerOf(t *testing.T, o choria.Options) wire.Signer {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := pair.PrivateKey.(*rsa.PrivateKey)
	return wire.RSA{Key: key, Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))}
}
