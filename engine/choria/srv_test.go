package choria_test

import (
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

const (
	domain  = "example.net"
	current = "_mcollective-server._tcp." + domain
	older   = "_x-puppet-mcollective._tcp." + domain
)

// at is the SRV record of a broker.
func at(t *testing.T, address string, priority, weight uint16) net.SRV {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return net.SRV{Target: "localhost.", Port: uint16(port), Priority: priority, Weight: weight}
}

// byName is the address under which a broker is found by its record.
func byName(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }

// closed is a port that nobody listens on.
func closed(t *testing.T) net.SRV {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return at(t, "nats://"+l.Addr().String(), 0, 0)
}

func bySRV(s *nameServer) choria.Options {
	return choria.Options{SRVDomain: domain, Resolver: s.resolver(), Insecure: true, Timeout: time.Minute}
}

func TestConnect_findsTheBrokerBySRVRecords(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		records func(broker net.SRV) map[string][]net.SRV
		asked   string
	}{
		"under the name of today": {
			func(b net.SRV) map[string][]net.SRV { return map[string][]net.SRV{current: {b}, older: {closed(t)}} },
			current + ".",
		},
		"under the older name": {
			func(b net.SRV) map[string][]net.SRV { return map[string][]net.SRV{older: {b}} },
			current + ". " + older + ".",
		},
		"under the older name, when today's says that there is no such service": {
			func(b net.SRV) map[string][]net.SRV {
				return map[string][]net.SRV{current: {{Target: ".", Port: 4222}}, older: {b}}
			},
			current + ". " + older + ".",
		},
		"behind one that is down": {
			func(b net.SRV) map[string][]net.SRV {
				down := closed(t)
				b.Priority = down.Priority + 10
				return map[string][]net.SRV{current: {b, down}}
			},
			current + ".",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := network(t, nil)
			s := startNameServer(t, row.records(at(t, f.URL(), 5, 5)))
			c := connect(t, bySRV(s))
			res, err := c.Call(t.Context(), ping(bravo()...))
			if err != nil || len(res.Replies) != 3 {
				t.Errorf("got %v, %s; want three answers", err, account(res))
			}
			if got, want := c.Broker(), byName(f.URL()); got != want {
				t.Errorf("connected to %q, want %q", got, want)
			}
			if got := s.questions(); got != row.asked {
				t.Errorf("asked for %s, want %s", got, row.asked)
			}
		})
	}
}

func TestConnect_findsTheBrokerBySRVRecordsAndHoldsItToItsCertificate(t *testing.T) {
	t.Parallel()
	certs := authority(t, "playbot.mcollective")
	f, o := network(t, certs)
	s := startNameServer(t, map[string][]net.SRV{current: {at(t, f.URL(), 0, 0)}})
	o.Servers, o.SRVDomain, o.Resolver = nil, domain, s.resolver()
	c := connect(t, o)
	if got, want := c.Broker(), byName(f.URL()); got != want || !strings.HasPrefix(got, "tls://") {
		t.Errorf("connected to %q, want %q", got, want)
	}
	foreign := authority(t, "playbot.mcollective")
	o.CA = foreign.CA
	if c, err := choria.Connect(t.Context(), o); err == nil {
		c.Close()
		t.Error("connected to a broker of another authority")
	}
}

// TestConnect_respectsPriorityAndWeight looks at where many clients go: all to the lowest priority
// value, there more to the heavier one, and to the rest only when those are down.
func TestConnect_respectsPriorityAndWeight(t *testing.T) {
	t.Parallel()
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Cluster: true})
	heavy, light := peer(t, f), peer(t, f)
	s := startNameServer(t, map[string][]net.SRV{current: {at(t, f.URL(), 20, 100), at(t, light.URL(), 10, 1), at(t, heavy.URL(), 10, 99)}})
	where := make(map[string]int)
	for range 40 {
		c := connect(t, bySRV(s))
		where[c.Broker()]++
		c.Close()
	}
	// Of 40 the heavy one gets fewer than 30 once in 10^12 times.
	if where[byName(heavy.URL())] < 30 || where[byName(f.URL())] > 0 {
		t.Errorf("connected to %v; want most to %s, some to %s, none to %s", where, heavy.URL(), light.URL(), f.URL())
	}
	heavy.Stop()
	light.Stop()
	if got, want := connect(t, bySRV(s)).Broker(), byName(f.URL()); got != want {
		t.Errorf("connected to %q, want %q, the one that is left", got, want)
	}
}

func TestConnect_saysWhyNoBrokerIsFound(t *testing.T) {
	t.Parallel()
	down := closed(t)
	for name, row := range map[string]struct {
		records map[string][]net.SRV
		code    dnsmessage.RCode
		want    []string
		asked   string
	}{
		"no record": {
			nil, 0, []string{"there is no SRV record " + current + " and no " + older, "is the domain example.net right?"}, current + ". " + older + ".",
		},
		"the name is there, without such records": {
			map[string][]net.SRV{current: nil, older: nil}, 0, []string{"there is no SRV record " + current}, current + ". " + older + ".",
		},
		"the name server is in trouble": {
			map[string][]net.SRV{current: {down}},
			dnsmessage.RCodeServerFailure,
			[]string{"look up the SRV records " + current, "does the name server answer?"},
			current + ".",
		},
		"the brokers are down": {
			map[string][]net.SRV{current: {down}},
			0,
			[]string{"nats://localhost:" + strconv.Itoa(int(down.Port)) + ", as example.net says", "is the broker running, and are its SRV records right?"},
			current + ".",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startNameServer(t, row.records)
			s.fail(row.code)
			c, err := choria.Connect(t.Context(), bySRV(s))
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q", err, want)
				}
			}
			if got := s.questions(); got != row.asked {
				t.Errorf("asked for %s, want %s", got, row.asked)
			}
		})
	}
}

func TestConnect_saysThatNoNameServerListens(t *testing.T) {
	t.Parallel()
	s := startNameServer(t, nil)
	s.conn.Close()
	c, err := choria.Connect(t.Context(), bySRV(s))
	if err == nil {
		c.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "does the name server answer?") {
		t.Errorf("got %v", err)
	}
}

func TestBrokers_areListedInTheOrderInWhichTheyAreTried(t *testing.T) {
	t.Parallel()
	s := startNameServer(t, map[string][]net.SRV{current: {
		{Target: "b.example.net.", Port: 4223, Priority: 2}, {Target: ".", Port: 1}, {Target: "a.example.net.", Port: 4222, Priority: 1},
	}})
	o := bySRV(s)
	o.Insecure = false
	got, err := o.Brokers(t.Context())
	if want := []string{"tls://a.example.net:4222", "tls://b.example.net:4223"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	named := choria.Options{Servers: []string{"tls://c:1", "tls://d:2"}}
	if got, err := named.Brokers(t.Context()); err != nil || !slices.Equal(got, named.Servers) {
		t.Errorf("got %v, %v; want those that are named", got, err)
	}
}

func TestConnect_refusesServersBesideADomain(t *testing.T) {
	t.Parallel()
	c, err := choria.Connect(t.Context(), choria.Options{Servers: []string{"nats://127.0.0.1:1"}, SRVDomain: domain, Insecure: true})
	if err == nil {
		c.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "leave one of them out") {
		t.Errorf("got %v", err)
	}
}

// TestConnect_patientWaitsForTheNameServer starts before the name server does.
func TestConnect_patientWaitsForTheNameServer(t *testing.T) {
	t.Parallel()
	f, _ := network(t, nil)
	s := startNameServer(t, nil)
	s.fail(dnsmessage.RCodeServerFailure)
	o := bySRV(s)
	o.Patient = true
	c := connect(t, o)
	q := ping(bravo()...)
	q.Timeout = 200 * time.Millisecond
	if _, err := c.Call(t.Context(), q); err == nil || !strings.Contains(err.Error(), "does the name server answer?") || strings.Contains(err.Error(), "0.0.0.0") {
		t.Errorf("before the name server answers: %v", err)
	}
	s.set(current, at(t, f.URL(), 0, 0))
	s.fail(dnsmessage.RCodeSuccess)
	res, err := c.Call(t.Context(), ping(bravo()...))
	if err != nil || len(res.Replies) != 3 {
		t.Errorf("got %v, %s; want three answers", err, account(res))
	}
}

// TestConnect_looksAgainWhenAllBrokersAreLost moves the only broker to another port.
func TestConnect_looksAgainWhenAllBrokersAreLost(t *testing.T) {
	t.Parallel()
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Cluster: true})
	first, second := peer(t, f), peer(t, f)
	s := startNameServer(t, map[string][]net.SRV{current: {at(t, first.URL(), 0, 0)}})
	c := connect(t, bySRV(s))
	s.set(current, at(t, second.URL(), 0, 0))
	first.Stop()
	for c.Broker() == byName(first.URL()) {
		runtime.Gosched()
	}
	res, err := c.Call(t.Context(), ping(bravo()...))
	if err != nil || len(res.Replies) != 3 || c.Broker() != byName(second.URL()) {
		t.Errorf("got %v, %s at %s; want three answers at %s", err, account(res), c.Broker(), second.URL())
	}
}

// TestBroker_isTheOneInUseAlsoWhenItIsNoLongerNamed takes a broker out of the records that still runs.
func TestBroker_isTheOneInUseAlsoWhenItIsNoLongerNamed(t *testing.T) {
	t.Parallel()
	f := start(t, fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0), Listen: true, Cluster: true})
	old := peer(t, f)
	s := startNameServer(t, map[string][]net.SRV{current: {at(t, old.URL(), 0, 0)}})
	o := bySRV(s)
	o.Resolver = &turning{Resolver: s.resolver(), turn: func() { s.set(current, at(t, f.URL(), 0, 0)) }}
	c := connect(t, o)
	for !slices.Contains(c.Brokers(), byName(f.URL())) {
		runtime.Gosched()
	}
	if got, want := c.Broker(), byName(old.URL()); got != want {
		t.Errorf("connected to %q, want %q", got, want)
	}
	old.Stop()
	for c.Broker() != byName(f.URL()) {
		runtime.Gosched()
	}
}
