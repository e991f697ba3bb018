package choria_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// network starts a fleet and a client for it.
func network(t *testing.T, o fleetsim.Options, change ...func(*choria.Options)) (*fleetsim.Fleet, *choria.Client) {
	t.Helper()
	o.Listen = true
	f, err := fleetsim.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	opts := choria.Options{
		Servers: []string{f.URL()}, Insecure: true, Window: 100 * time.Millisecond, Timeout: 2 * time.Second,
	}
	if o.Certs != nil {
		opts.Insecure = false
		opts.CA, opts.Cert, opts.Key = o.Certs.CA, o.Certs.ClientCert, o.Certs.ClientKey
	}
	for _, c := range change {
		c(&opts)
	}
	c, err := choria.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return f, c
}

func web(t *testing.T) (*fleetsim.Fleet, *choria.Client) {
	t.Helper()
	return network(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0)})
}

func bravo() []string { return []string{"web4.example.net", "web5.example.net", "web6.example.net"} }

func TestDiscover_evaluatesEveryFilter(t *testing.T) {
	t.Parallel()
	_, c := web(t)
	for name, row := range map[string]struct {
		filter choria.Filter
		want   string
	}{
		"fact":       {choria.Filter{Facts: []string{"tier=bravo"}}, "web4 web5 web6"},
		"regex fact": {choria.Filter{Facts: []string{"tier=/^al/"}}, "web1 web2 web3"},
		"not":        {choria.Filter{Facts: []string{"role!=webserver"}}, "lb1 lb2"},
		"number":     {choria.Filter{Facts: []string{"processorcount>=5"}}, ""},
		"dotted":     {choria.Filter{Facts: []string{"os.family=debian", "role=haproxy"}}, "lb1 lb2"},
		"class":      {choria.Filter{Classes: []string{"roles::haproxy"}}, "lb1 lb2"},
		"identity":   {choria.Filter{Identities: []string{"web1.example.net", "/^lb1/"}}, "lb1 web1"},
		"agent":      {choria.Filter{Agents: []string{"nosuch"}}, ""},
		"all at once": {choria.Filter{Agents: []string{"puppet"}, Classes: []string{"/webserver/"}, Facts: []string{"tier=alfa"}, Identities: []string{"/[12]/"}},
			"web1 web2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.Discover(t.Context(), row.filter)
			if err != nil {
				t.Fatal(err)
			}
			if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); s != row.want {
				t.Errorf("got %q, want %q", s, row.want)
			}
		})
	}
}

func TestCall_accountsForEveryNode(t *testing.T) {
	t.Parallel()
	for kind, row := range map[fleetsim.Kind]struct {
		ok, failed, silent, stranger, duplicate, malformed int
	}{
		fleetsim.Silent:         {ok: 2, silent: 1},
		fleetsim.Fail:           {ok: 2, failed: 1},
		fleetsim.Slow:           {ok: 3},
		fleetsim.Late:           {ok: 2, silent: 1},
		fleetsim.Duplicate:      {ok: 3, duplicate: 1},
		fleetsim.Malformed:      {ok: 2, silent: 1, malformed: 1},
		fleetsim.Stranger:       {ok: 2, silent: 1, stranger: 1},
		fleetsim.WrongRequestID: {ok: 2, silent: 1, malformed: 1},
		fleetsim.Huge:           {ok: 2, silent: 1, malformed: 1},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f, c := web(t)
			delay := 50 * time.Millisecond
			if kind == fleetsim.Late {
				delay = time.Minute
			}
			// the first node to answer misbehaves, so that what it sends arrives while the others are awaited
			f.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: kind, Delay: delay})
			f.Fault(fleetsim.Fault{Node: "web6.example.net", Kind: fleetsim.Slow, Delay: 200 * time.Millisecond})
			res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: bravo(), Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			ok := 0
			for _, r := range res.Replies {
				if r.OK() {
					ok++
				}
			}
			got := fmt.Sprint(ok, len(res.Replies)-ok, len(res.Silent), res.Stranger, res.Duplicate, res.Malformed)
			want := fmt.Sprint(row.ok, row.failed, row.silent, row.stranger, row.duplicate, row.malformed)
			if got != want {
				t.Errorf("ok failed silent stranger duplicate malformed: got %s, want %s", got, want)
			}
			if ok+len(res.Replies)-ok+len(res.Silent) != 3 {
				t.Errorf("not every node is accounted for: %+v", res)
			}
		})
	}
}

func TestCall_withoutTargetsIsAnErrorAndSendsNothing(t *testing.T) {
	t.Parallel()
	f, c := web(t)
	_, err := c.Call(t.Context(), choria.Request{Agent: "puppet", Action: "disable"})
	if !errors.Is(err, choria.ErrNotSent) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{"*", ">", "", "a b", "web..net"} {
		if _, err := c.Call(t.Context(), choria.Request{Agent: "puppet", Action: "disable", Nodes: []string{bad}}); !errors.Is(err, choria.ErrNotSent) {
			t.Errorf("node %q: got %v", bad, err)
		}
	}
	if n := len(f.Calls()); n != 0 {
		t.Errorf("%d calls reached the fleet", n)
	}
}

func TestCall_batches(t *testing.T) {
	t.Parallel()
	f, c := web(t)
	var batches []string
	stop := errors.New("enough")
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2"}, Nodes: bravo(), BatchSize: 1,
		Before: func(batch []string) error {
			if len(batches) == 2 {
				return stop
			}
			batches = append(batches, batch...)
			return nil
		},
	})
	if !errors.Is(err, stop) || len(res.Replies) != 2 || fmt.Sprint(res.Unasked) != "[web6.example.net]" {
		t.Errorf("got %v, %d replies, unasked %v", err, len(res.Replies), res.Unasked)
	}
	if f.Count("web6.example.net", "appmgr.upgrade") != 0 || f.Node("web4.example.net").Revision != "2" {
		t.Error("the stopped batch was asked, or the first was not")
	}
}

func TestCall_cutOffKeepsWhatWasHeard(t *testing.T) {
	t.Parallel()
	f, c := web(t)
	f.Fault(fleetsim.Fault{Node: "web6.example.net", Kind: fleetsim.Silent})
	ctx, cancel := context.WithCancelCause(t.Context())
	heard := 0
	res, err := c.Call(ctx, choria.Request{Agent: "rpcutil", Action: "ping", Nodes: bravo(), Timeout: time.Minute, OnReply: func(choria.Reply) {
		if heard++; heard == 2 {
			cancel(errors.New("somebody cancelled"))
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "somebody cancelled") || len(res.Replies) != 2 || len(res.Silent) != 1 {
		t.Errorf("got %v, %d replies, silent %v", err, len(res.Replies), res.Silent)
	}
}

func TestCall_whileTheBrokerIsDownSendsNothing(t *testing.T) {
	t.Parallel()
	f, c := web(t)
	f.StopBroker()
	for c.Connected() { // until the client has seen the connection go
		runtime.Gosched()
	}
	_, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: bravo(), Timeout: 300 * time.Millisecond})
	if !errors.Is(err, choria.ErrNotSent) {
		t.Errorf("got %v, want nothing sent", err)
	}
	if err := f.StartBroker(); err != nil {
		t.Fatal(err)
	}
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: bravo(), Timeout: 10 * time.Second})
	if err != nil || len(res.Replies) != 3 {
		t.Errorf("after the return of the broker: %v, %d replies", err, len(res.Replies))
	}
}

func TestFileSecurity_signsAndRefusesForeigners(t *testing.T) {
	t.Parallel()
	certs, err := fleetsim.NewCerts(t.TempDir(), "playbot.mcollective")
	if err != nil {
		t.Fatal(err)
	}
	f, c := network(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0), Certs: certs})
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: []string{"web1.example.net"}})
	if err != nil || len(res.Replies) != 1 {
		t.Fatalf("got %v, %d replies", err, len(res.Replies))
	}
	if got := f.Calls()[0].Caller; got != "choria=playbot.mcollective" {
		t.Errorf("the node saw caller %q", got)
	}
	foreign, err := fleetsim.NewCerts(t.TempDir(), "playbot.mcollective")
	if err != nil {
		t.Fatal(err)
	}
	_, err = choria.Connect(t.Context(), choria.Options{Servers: []string{f.URL()}, CA: certs.CA, Cert: foreign.ClientCert, Key: foreign.ClientKey})
	if err == nil {
		t.Error("a certificate of another authority was let in")
	}
}

func TestConnect_saysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]choria.Options{
		"nothing listens": {Servers: []string{"nats://127.0.0.1:1"}, Insecure: true},
		"no certificate":  {Servers: []string{"nats://127.0.0.1:1"}},
		"missing file":    {Servers: []string{"nats://127.0.0.1:1"}, CA: "x", Cert: filepath.Join(t.TempDir(), "gone.pem"), Key: "y"},
	} {
		if _, err := choria.Connect(t.Context(), o); err == nil || len(err.Error()) < 40 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCall_thousandNodesWithEveryFault(t *testing.T) {
	t.Parallel()
	f, c := network(t, fleetsim.Options{Nodes: fleetsim.Plain(1000)})
	var nodes []string
	for i, n := range f.Nodes() {
		nodes = append(nodes, n.Name)
		kinds := []fleetsim.Kind{fleetsim.Silent, fleetsim.Fail, fleetsim.Duplicate, fleetsim.Malformed, fleetsim.Stranger}
		if i%10 == 0 {
			f.Fault(fleetsim.Fault{Node: n.Name, Kind: kinds[i/10%len(kinds)]})
		}
	}
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: nodes, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, r := range res.Replies {
		if !r.OK() {
			failed++
		}
	}
	if got := fmt.Sprint(len(res.Replies)-failed, failed, len(res.Silent)); got != "920 20 60" {
		t.Errorf("ok failed silent: got %s, want 920 20 60", got)
	}
	slices.Sort(nodes)
	for _, n := range nodes {
		if f.Count(n, "rpcutil.ping") > 1 {
			t.Errorf("%s was asked twice", n)
		}
	}
}

func FuzzParseFact(f *testing.F) {
	for _, s := range []string{"country=uk", "mem>=4", "a=~/x/", "=", "a==", "os.family=/Deb/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fact, err := choria.ParseFact(s)
		if err == nil && (fact.Fact == "" || fact.Value == "" || fact.Operator == "") {
			t.Errorf("%q gives %+v", s, fact)
		}
	})
}
