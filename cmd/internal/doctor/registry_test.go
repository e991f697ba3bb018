package doctor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// haproxy is the DDL of the agent that the playbooks of a clinic name.
const haproxy = `{"metadata": {"name": "haproxy", "version": "1.0.2", "timeout": 10}, "actions": [{"action": "disable"}, {"action": "status"}]}`

func TestExamine_looksAtTheRegistryOfDDLs(t *testing.T) {
	t.Parallel()
	const check = "choria registry"
	for name, b := range map[string]struct {
		texts map[string]string
		spoil func(c *clinic)
		want  []want // what is wrong
		good  []want
	}{
		"off": {
			spoil: func(c *clinic) { c.Config.Choria.Registry = false },
			good:  []want{{check, Skipped, "choria.registry is not set", ""}},
		},
		"one that describes": {
			texts: map[string]string{"haproxy": haproxy},
			good:  []want{{check, OK, "it describes haproxy 1.0.2", ""}},
		},
		"one that is not needed": {
			spoil: func(c *clinic) {
				c.write("ddls/haproxy.json", haproxy)
				c.Config.Choria.DDLs = []string{c.path("ddls")}
			},
			good: []want{{check, OK, "it is not needed", ""}},
		},
		"DDLs that cannot be read": {
			spoil: func(c *clinic) {
				c.write("ddls/haproxy.json", "{")
				c.Config.Choria.DDLs = []string{c.path("ddls")}
			},
			want: []want{{"descriptions", Broken, "the file ends too early", "is it complete"}},
			good: []want{{check, Skipped, "it is not asked before", ""}},
		},
		"none": {
			spoil: func(c *clinic) { c.limit = brief },
			want:  []want{{check, Warning, "it does not answer, and agents without a DDL are asked unchecked: no server answers for the service choria_registry", "plugin.choria.services.registry.store"}},
		},
		"one without the agent": {
			texts: map[string]string{},
			want:  []want{{check, Warning, `haproxy has no DDL that counts, and is asked unchecked: it says "Could not load DDL"`, "choria.ddls"}},
		},
		"one with the DDL of another": {
			texts: map[string]string{"haproxy": strings.ReplaceAll(haproxy, "haproxy", "nrpe")},
			want:  []want{{check, Warning, "it is the DDL of nrpe, not of haproxy", "choria.ddls"}},
		},
		"what was kept of it": {
			texts: map[string]string{"haproxy": haproxy},
			spoil: func(c *clinic) {
				c.keep("haproxy.json", haproxy)
				c.keep("nrpe.json", "{")
			},
			want: []want{{"descriptions", Warning, "what was kept of the registry about nrpe does not count: ", "remove the file"}},
			good: []want{{"descriptions", OK, "1 DDL kept from the registry in ", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, nil, nil)
			c.Config.Choria.Registry = true
			c.Fleet.SetRegistry(b.texts)
			if b.spoil != nil {
				b.spoil(c)
			}
			before := c.files()
			r := c.examine()
			r.wants(t, b.want...)
			for _, w := range b.good {
				if !r.has(w.check, w.status, w.what, w.remedy) {
					t.Errorf("the report lacks %+v:\n%s", w, r)
				}
			}
			if after := c.files(); len(after) > len(before)+1 { // the configuration
				t.Errorf("it left files:\n%s", strings.Join(after, "\n"))
			}
		})
	}
}

// keep puts a file where what was fetched from the registry is kept.
func (c *clinic) keep(name, text string) {
	c.t.Helper()
	dir := filepath.Join(c.Config.DataDir, "registry")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// zone holds the SRV records of brokers; without any, the name server does not answer.
type zone []*net.SRV

// LookupSRV implements [choria.Resolver].
func (z zone) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	switch {
	case len(z) == 0:
		return "", nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case name != "_mcollective-server._tcp.example.net.":
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, z, nil
}

func record(t *testing.T, address string) *net.SRV {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return &net.SRV{Target: host + ".", Port: uint16(n)}
}

func TestExamine_findsBrokersBySRVRecords(t *testing.T) {
	t.Parallel()
	const broker = "choria broker"
	certs := authority(t)
	house := open(t, certs, func(o *app.LocalOptions) { o.Nodes = fleetsim.WebFleet(1, 0) })
	address := strings.TrimPrefix(house.Config.NATS.Servers[0], "tls://")
	gone := record(t, closed)
	for name, b := range map[string]struct {
		domain string
		names  zone
		want   []want
		good   string
	}{
		"one":                       {"example.net", zone{record(t, address)}, nil, "tls://" + address + ": TLS 1.3"},
		"two, and one is gone":      {"example.net", zone{gone, record(t, address)}, []want{{broker, Warning, "nothing listens there", "correct the port in the SRV records of example.net; until then"}}, "tls://" + address + ": TLS 1.3"},
		"one that is gone":          {"example.net", zone{gone}, []want{{broker, Broken, "tls://" + closed + ": nothing listens there", "the SRV records of example.net"}}, ""},
		"a domain without":          {"example.org", zone{gone}, []want{{broker, Broken, "there is no SRV record _mcollective-server._tcp.example.org", "publish the records"}}, ""},
		"a name server that is ill": {"example.net", nil, []want{{broker, Broken, "server misbehaving", "publish the records"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := house.room(t)
			c.Config.NATS.Servers, c.Config.NATS.SRVDomain, c.names = nil, b.domain, b.names
			r := c.examine()
			r.wants(t, b.want...)
			if b.good != "" && !r.has(broker, OK, b.good, "") {
				t.Errorf("the report lacks %q:\n%s", b.good, r)
			}
		})
	}
}
