package choria_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// away takes the broker away and returns when the client knows. The client's library keeps timers
// for the whole process when it connects again, so such tests cannot have virtual time; none of
// them depends on how long something takes.
func away(f *fleetsim.Fleet, c *choria.Client) {
	f.StopBroker()
	for c.Connected() {
		runtime.Gosched()
	}
}

func TestCall_whileTheBrokerIsDownSendsNothing(t *testing.T) {
	t.Parallel()
	f, o := network(t, nil)
	c := connect(t, o)
	away(f, c)
	q := ping(bravo()...)
	q.Timeout = time.Millisecond
	res, err := c.Call(t.Context(), q)
	if !errors.Is(err, choria.ErrNotSent) || len(res.Unasked) != 3 {
		t.Errorf("got %v, %s; want nothing sent and three unasked", err, account(res))
	}
	for _, want := range []string{f.URL(), "is the broker running"} {
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := f.StartBroker(); err != nil {
		t.Fatal(err)
	}
	q.Timeout = time.Minute
	res, err = c.Call(t.Context(), q)
	if err != nil || len(res.Replies) != 3 {
		t.Errorf("after the return of the broker: %v, %s", err, account(res))
	}
	if n := len(f.Calls()); n != 3 {
		t.Errorf("%d requests reached nodes, want the 3 of the second call", n)
	}
}

func TestCall_thatBeginsWhileTheBrokerIsDownGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	f, o := network(t, nil)
	c := connect(t, o)
	away(f, c)
	back := make(chan error, 1)
	q := ping(bravo()...)
	q.Before = func([]string) error { // the call has begun
		go func() { back <- f.StartBroker() }()
		return nil
	}
	res, err := c.Call(t.Context(), q)
	if err != nil || len(res.Replies) != 3 {
		t.Errorf("got %v, %s; want three answers", err, account(res))
	}
	if err := <-back; err != nil {
		t.Error(err)
	}
}

func TestCall_betweenWhoseBatchesTheBrokerGoesSaysHowManyWereAsked(t *testing.T) {
	t.Parallel()
	f, o := network(t, nil)
	o.Timeout = time.Millisecond // of the wait for the broker
	c := connect(t, o)
	batches := 0
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "puppet", Action: "disable", Nodes: bravo(), BatchSize: 1, Timeout: time.Minute,
		Before: func([]string) error {
			if batches++; batches == 2 {
				away(f, c)
			}
			return nil
		},
	})
	if err == nil || errors.Is(err, choria.ErrNotSent) || !strings.Contains(err.Error(), "1 nodes were asked before") {
		t.Errorf("got %v, want that one node was asked before", err)
	}
	if want := "ok 1 failed 0 silent 0 unasked 2 stranger 0 duplicate 0 malformed 0"; account(res) != want {
		t.Errorf("got %s, want %s", account(res), want)
	}
}

func TestCall_afterCloseSendsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		t.client.Close()
		t.client.Close()
		if _, err := t.client.Call(t.Context(), ping("web1.example.net")); !errors.Is(err, choria.ErrNotSent) {
			t.Errorf("call: got %v", err)
		}
		if _, err := t.client.Discover(t.Context(), choria.Filter{}); !errors.Is(err, choria.ErrNotSent) {
			t.Errorf("discover: got %v", err)
		}
	})
}

func TestClose_isNoLossOfTheNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)})
		c := connect(t, choria.Options{InProcess: f, Insecure: true, Logger: slog.New(slog.NewTextHandler(&said, nil))})
		synctest.Wait()
		c.Close()
		synctest.Wait()
		if got := said.String(); !strings.Contains(got, "is in reach") || strings.Contains(got, "out of reach") {
			t.Errorf("logged\n%s", got)
		}
	})
}

func TestConnect_doesNotSayWhoWantedToConnect(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"hunter1:hunter2", "hunter3"} { // the second one is a token
		_, err := choria.Connect(t.Context(), choria.Options{Servers: []string{"nats://" + who + "@127.0.0.1:1"}, Insecure: true})
		if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "nats://127.0.0.1:1") {
			t.Errorf("got %v", err)
		}
	}
}

func TestConnect_namesTheServerAndTheRemedy(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	nodeCert, nodeKey, err := certs.Issue("web1.example.net")
	if err != nil {
		t.Fatal(err)
	}
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const nobody = "nats://127.0.0.1:1"
	for name, row := range map[string]struct {
		options choria.Options
		want    string
	}{
		"nothing listens":     {choria.Options{Servers: []string{nobody}, Insecure: true}, nobody},
		"and says what to do": {choria.Options{Servers: []string{nobody}, Insecure: true}, "is the broker running, and is the address in nats.servers right?"},
		"two servers":         {choria.Options{Servers: []string{nobody, "nats://127.0.0.1:2"}, Insecure: true}, nobody + ", nats://127.0.0.1:2"},
		"no certificate":      {choria.Options{Servers: []string{nobody}}, "or nats.insecure: true for a simulated fleet only"},
		"no key":              {choria.Options{Servers: []string{nobody}, CA: certs.CA, Cert: certs.ClientCert}, "nats.cert and nats.key are needed together"},
		"missing file":        {choria.Options{Servers: []string{nobody}, CA: certs.CA, Cert: junk + ".gone", Key: certs.ClientKey}, "junk.pem.gone"},
		"key of another":      {choria.Options{Servers: []string{nobody}, CA: certs.CA, Cert: certs.ClientCert, Key: nodeKey}, "private key does not match"},
		"missing CA":          {choria.Options{Servers: []string{nobody}, CA: junk + ".gone", Cert: certs.ClientCert, Key: certs.ClientKey}, "CA: open"},
		"CA is no PEM":        {choria.Options{Servers: []string{nobody}, CA: junk, Cert: certs.ClientCert, Key: certs.ClientKey}, "holds no certificate in PEM form"},
		"another identity": {
			choria.Options{Servers: []string{nobody}, Identity: "bot.mcollective", CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey},
			`names playbot.mcollective and not the identity "bot.mcollective"`,
		},
		"a server's name": {
			choria.Options{Servers: []string{nobody}, Identity: "web1.example.net", CA: certs.CA, Cert: nodeCert, Key: nodeKey},
			"does not end in .mcollective or .choria",
		},
	} {
		c, err := choria.Connect(t.Context(), row.options)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestConnect_patientWaitsForTheBrokerAndSaysWhyMeanwhile(t *testing.T) {
	t.Parallel()
	f, o := network(t, nil)
	f.StopBroker()
	if c, err := choria.Connect(t.Context(), o); err == nil {
		c.Close()
		t.Error("connected to a broker that does not run")
	}
	o.Patient, o.Timeout = true, time.Millisecond
	c := connect(t, o)
	_, refused := c.Call(t.Context(), ping(bravo()...))
	for _, want := range []string{f.URL(), "is the broker running"} {
		if !errors.Is(refused, choria.ErrNotSent) || !strings.Contains(refused.Error(), want) || strings.Contains(refused.Error(), "nil") {
			t.Errorf("got %v, want %q and why", refused, want)
		}
	}
	if err := f.StartBroker(); err != nil {
		t.Fatal(err)
	}
	q := ping(bravo()...)
	q.Timeout = time.Minute
	res, err := c.Call(t.Context(), q)
	for errors.Is(err, choria.ErrNotSent) { // until the client is connected
		res, err = c.Call(t.Context(), q)
	}
	if err != nil || len(res.Replies) != 3 {
		t.Errorf("after the start of the broker: %v, %s", err, account(res))
	}
}

func TestFileSecurity_isHeardByServersThatCheckSignatures(t *testing.T) {
	t.Parallel()
	f, o := network(t, authority(t, "playbot.mcollective"))
	c := connect(t, o)
	res, err := c.Call(t.Context(), ping(bravo()...))
	if err != nil || len(res.Replies) != 3 {
		t.Fatalf("got %v, %s", err, account(res))
	}
	for _, call := range f.Calls() {
		if call.Caller != "choria=playbot.mcollective" {
			t.Errorf("%s saw caller %q", call.Node, call.Caller)
		}
	}
}

func TestFileSecurity_comesBackAfterTheBrokerWasAway(t *testing.T) {
	t.Parallel()
	f, o := network(t, authority(t, "playbot.mcollective"))
	c := connect(t, o)
	f.StopBroker()
	if err := f.StartBroker(); err != nil {
		t.Fatal(err)
	}
	// The client may not have seen the broker go: then a first request is lost with the old connection.
	q := ping(bravo()...)
	q.Timeout = 2 * time.Second
	for try := 0; ; try++ {
		res, err := c.Call(t.Context(), q)
		if err == nil && len(res.Replies) == 3 {
			return
		}
		if try == 20 {
			t.Fatalf("got %v, %s; want three answers over a new connection", err, account(res))
		}
	}
}

func TestFileSecurity_refusesForeigners(t *testing.T) {
	t.Parallel()
	certs, foreign := authority(t, "playbot.mcollective"), authority(t, "playbot.mcollective")
	_, o := network(t, certs)
	for name, change := range map[string]func(*choria.Options){
		"the broker refuses us":           func(o *choria.Options) { o.Cert, o.Key = foreign.ClientCert, foreign.ClientKey },
		"we refuse the broker":            func(o *choria.Options) { o.CA = foreign.CA },
		"the broker wants certificates":   func(o *choria.Options) { o.Insecure = true },
		"certificates are never optional": func(o *choria.Options) { o.CA, o.Cert, o.Key = "", "", "" },
	} {
		mine := o
		change(&mine)
		c, err := choria.Connect(t.Context(), mine)
		if err == nil {
			c.Close()
			t.Errorf("%s: connected", name)
		}
	}
}

func TestFileSecurity_neverTalksToABrokerWithoutTLS(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	f, o := network(t, nil)
	o.Insecure, o.CA, o.Cert, o.Key = false, certs.CA, certs.ClientCert, certs.ClientKey
	c, err := choria.Connect(t.Context(), o)
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, nats.ErrSecureConnWanted) || !strings.Contains(err.Error(), f.URL()) {
		t.Errorf("got %v, want a refusal that names %s", err, f.URL())
	}
}

func TestFileSecurity_isNotHeardWithoutASignature(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	f, o := network(t, certs)
	conn, err := nats.Connect(f.URL(), nats.RootCAs(o.CA), nats.ClientCert(o.Cert, o.Key))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for name, text := range map[string]string{
		"not even JSON": "puppet disable", "no transport": "{}",
		"unsigned": `{"protocol":"choria:transport:1","data":"e30=","headers":{"reply-to":"x"}}`,
	} {
		if err := conn.Publish("mcollective.node.web1.example.net", []byte(text)); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	// The nodes take messages in order: when they answer a good call, they have seen the bad ones.
	if res, err := connect(t, o).Call(t.Context(), ping("web1.example.net")); err != nil || len(res.Replies) != 1 {
		t.Fatalf("got %v, %s", err, account(res))
	}
	if calls := f.Calls(); len(calls) != 1 {
		t.Errorf("got %+v, want the signed call alone", calls)
	}
}
