package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// brief is for what is waited for in vain.
const brief = 30 * time.Second

// closed is an address of this machine where nobody listens.
const closed = "127.0.0.1:9"

func TestExamine_saysWhatIsWrongWithANetworkOfTLS(t *testing.T) {
	t.Parallel()
	other := authority(t) // that nobody here trusts
	const cert, broker = "choria certificate", "choria broker"
	house := open(t, authority(t), nil)
	together(t, map[string]broken{
		"the CA of somebody else": {
			spoil: func(c *clinic) { c.Config.NATS.CA = other.CA },
			want:  []want{{cert, Broken, "does not come from the CA in " + other.CA, "name the CA that issued it"}},
		},
		"everything of somebody else": {
			spoil: func(c *clinic) {
				c.Config.NATS.CA, c.Config.NATS.Cert, c.Config.NATS.Key = other.CA, other.ClientCert, other.ClientKey
			},
			want: []want{{broker, Broken, "the broker's certificate does not come from the CA in nats.ca", "name the CA that issued it in nats.ca"}},
		},
		"a certificate that the broker does not trust": {
			spoil: func(c *clinic) {
				both := read(c.t, other.CA) + read(c.t, c.certs.CA)
				c.Config.NATS.CA, c.Config.NATS.Cert, c.Config.NATS.Key = c.write("both.pem", both), other.ClientCert, other.ClientKey
			},
			want: []want{{broker, Broken, "our certificate", "issued by the CA that the broker trusts"}},
		},
		"a CA that is no CA": {
			spoil: func(c *clinic) { c.Config.NATS.CA = c.write("file", "text") },
			want:  []want{{cert, Broken, "it holds no certificate in PEM form", "name the CA"}},
		},
		"a key of another certificate": {
			spoil: func(c *clinic) { c.Config.NATS.Key = other.ClientKey },
			want:  []want{{cert, Broken, "private key does not match public key", "the certificate and the key that belong together"}},
		},
		"a key that is not there": {
			spoil: func(c *clinic) { c.Config.NATS.Key = c.path("nosuch.key") },
			want:  []want{{cert, Broken, "no such file", "the certificate and the key that belong together"}},
		},
		"a key that everybody can read": {
			spoil: func(c *clinic) { c.chmod(c.Config.NATS.Key, 0o644) },
			want:  []want{{"secrets", Broken, "nats.key: ", "chmod 600 "}},
		},
		"a key that a group can read": {
			spoil: func(c *clinic) { c.chmod(c.Config.NATS.Key, 0o640) },
			want:  []want{{"secrets", Warning, "can be read by its group (mode 0640)", "unless that group is meant"}},
		},
		"a certificate that has expired": {
			spoil: func(c *clinic) { c.issue(identity, time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)) },
			want:  []want{{cert, Broken, "has expired on 2020-02-29", "have it renewed"}},
		},
		"a certificate that is about to expire": {
			spoil: func(c *clinic) { c.issue(identity, time.Now().Add(10*time.Hour)) },
			want:  []want{{cert, Warning, "0 days from now", "have it renewed before then"}},
		},
		"a certificate of the future": {
			spoil: func(c *clinic) { c.issue(identity, time.Now().Add(48*time.Hour)) },
			want:  []want{{cert, Broken, "is valid only from", "the clock of this machine"}},
		},
		"another name than that in the certificate": {
			spoil: func(c *clinic) { c.Config.NATS.Identity = "other.mcollective" },
			want:  []want{{cert, Broken, `is for deploy.mcollective and not for nats.identity "other.mcollective"`, "set nats.identity"}},
		},
		"no name at all": {
			spoil: func(c *clinic) { c.Config.NATS.Identity = "" },
			want:  []want{{cert, Broken, "nats.identity is missing; the certificate is for deploy.mcollective", "set nats.identity"}},
		},
		"a name that servers do not take": {
			spoil: func(c *clinic) {
				c.Config.NATS.Identity = "deploy.example.net"
				c.issue("deploy.example.net", time.Now().Add(10*time.Hour))
			},
			want: []want{
				{cert, Broken, `servers take no requests from "deploy.example.net"`, "ends in .mcollective"},
				{cert, Warning, "0 days from now", "have it renewed before then"},
			},
		},
		"no broker": {
			spoil: func(c *clinic) { c.Config.NATS.Servers = []string{"tls://" + closed} },
			want:  []want{{broker, Broken, "tls://" + closed + ": nothing listens there", "start the broker"}},
		},
		"one broker of two": {
			spoil: func(c *clinic) { c.Config.NATS.Servers = append(c.Config.NATS.Servers, "tls://"+closed) },
			want:  []want{{broker, Warning, "tls://" + closed + ": nothing listens there", "until then the others do its work"}},
		},
		"another collective": {
			limit: brief,
			spoil: func(c *clinic) { c.Config.NATS.Collective = "production" },
			want:  []want{{"choria nodes", Broken, "nobody in the collective production answers", "compare nats.collective with the servers' collectives"}},
		},
	}, func(t *testing.T, b broken) {
		t.Helper()
		c := house.room(t)
		c.limit = b.limit
		b.spoil(c)
		c.examine().wants(t, b.want...)
	})
}

// issuing guards the CA of the house, which is not safe for concurrent use.
var issuing sync.Mutex

// issue gives the installation a certificate of its own CA.
func (c *clinic) issue(name string, end time.Time) {
	c.t.Helper()
	issuing.Lock()
	defer issuing.Unlock()
	cert, key, err := c.certs.IssueUntil(name, end)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Config.NATS.Cert, c.Config.NATS.Key = cert, key
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestExamine_saysWhatIsWrongWithNodes(t *testing.T) {
	t.Parallel()
	const nodes = "choria nodes"
	first := "lb1.example.net"
	together(t, map[string]broken{
		"a node that does not answer requests": {
			limit: brief,
			fleet: true,
			spoil: func(c *clinic) {
				c.Fleet.Fault(fleetsim.Fault{Node: first, Action: "rpcutil.ping", Kind: fleetsim.Silent})
			},
			want: []want{{nodes, Broken, first + " answered the discovery, but not rpcutil.ping within 10s", "action policy"}},
		},
		"a node that refuses": {
			fleet: true,
			spoil: func(c *clinic) {
				c.Fleet.Fault(fleetsim.Fault{Node: first, Action: "rpcutil.ping", Kind: fleetsim.Fail, Message: "You are not authorized"})
			},
			want: []want{{nodes, Broken, first + " refuses rpcutil.ping: You are not authorized", "action policy"}},
		},
		"nodes that answer late": {
			fleet: true,
			spoil: func(c *clinic) {
				c.Config.NATS.Window = time.Millisecond
				c.Fleet.Fault(fleetsim.Fault{Action: "discovery", Kind: fleetsim.Slow, Delay: time.Second})
			},
			want: []want{{nodes, Warning, "6 nodes answered a discovery, and none of them within nats.discovery_window", "raise nats.discovery_window"}},
		},
		"a fleet with security, asked without": {
			limit: brief,
			fleet: true,
			local: func(o *app.LocalOptions) { o.Nodes = []fleetsim.Node{} },
			want:  []want{{nodes, Broken, "nobody in the collective mcollective answers", "servers with security ignore a client with nats.insecure"}, {"puppetdb", Warning, "knows no node", "let nodes report to it"}},
		},
		"an agent of another version than its DDL": {
			fleet: true,
			spoil: func(c *clinic) {
				c.write("ddls/haproxy.json", `{"metadata": {"name": "haproxy", "version": "9.0.0", "timeout": 10}, "actions": [{"action": "status"}]}`)
				c.write("ddls/nrpe.json", `{"metadata": {"name": "nrpe", "version": "4.2.0", "timeout": 10}, "actions": [{"action": "status"}]}`)
				c.Config.Choria.DDLs = []string{c.path("ddls")}
			},
			want: []want{
				{"choria agents", Warning, "haproxy: nodes have 1.0.2, and the newest DDL is of 9.0.0", "choria.ddls"},
				{"playbooks", Broken, "does not load", "playbot check "}, // the DDLs know none of the actions
			},
		},
		"a DDL that cannot be read": {
			spoil: func(c *clinic) {
				c.write("ddls/haproxy.json", `{"metadata": {"name": "haproxy", "version": "9.0.0"}, "actions": [{"action": "x", "input": {"y": {"type": "intger"}}}]}`)
				c.Config.Choria.DDLs = []string{c.path("ddls")}
			},
			want: []want{{"descriptions", Broken, `"intger" is no type`, `did you mean "integer"?`}},
		},
	}, func(t *testing.T, b broken) { t.Helper(); b.play(t) })
}

func TestExamine_saysWhatIsWrongWithPuppetDB(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]broken{
		"a certificate that is not on its list": {
			spoil: func(c *clinic) {
				c.PuppetDB.Fail(http.StatusForbidden, "deploy.mcollective doesn't appear in the certificate allowlist.")
			},
			want: []want{{"puppetdb", Broken, "403 Forbidden: deploy.mcollective doesn't appear", "let the server's allowlist name the certificate of puppetdb.cert"}},
		},
		"one that starts": {
			spoil: func(c *clinic) { c.PuppetDB.Fail(http.StatusServiceUnavailable, "PuppetDB is currently down") },
			want:  []want{{"puppetdb", Broken, "503", "wait until it has started"}},
		},
		"a closed port": {
			spoil: func(c *clinic) { c.Config.PuppetDB.URL = "http://" + closed },
			want:  []want{{"puppetdb", Broken, "connection refused", "is it running, and is puppetdb.url right?"}},
		},
		"something else at its address": {
			spoil: func(c *clinic) { c.Config.PuppetDB.URL = c.Workspace.URL() },
			want:  []want{{"puppetdb", Broken, "404 Not Found", "is puppetdb.url right?"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.play(t)
		})
	}
}

func TestRefusal_namesTheCauseAndTheRemedy(t *testing.T) {
	t.Parallel()
	leaf := &x509.Certificate{DNSNames: []string{"broker.example.net"}, NotAfter: time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)}
	for err, want := range map[error][2]string{
		x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}:            {"has expired on 2020-02-29", "renewed on the broker"},
		x509.UnknownAuthorityError{Cert: leaf}:                                    {"does not come from the CA", "nats.ca"},
		x509.HostnameError{Certificate: leaf, Host: "nats"}:                       {"is for broker.example.net and not for nats", "nats.servers"},
		&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}: {"refuses our certificate: tls: bad", "the CA that the broker trusts"},
		syscall.ECONNRESET:                              {"ends the connection", "the CA that the broker trusts"},
		errors.New("something; look here"):              {"something", "look here"},
		errors.New("something that nobody has thought"): {"something that nobody", "the broker's log"},
	} {
		why, remedy := refusal(fmt.Errorf("connect: %w", err), "nats")
		if !strings.Contains(why, want[0]) || !strings.Contains(remedy, want[1]) {
			t.Errorf("%v: %q → %q, want %q", err, why, remedy, want)
		}
	}
	for err, want := range map[error][2]string{
		&net.DNSError{Name: "nats", Err: "no such host", IsNotFound: true}:          {"the name nats is not known", "DNS"},
		&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}:                       {"there is no answer", "firewall"},
		&url.Error{Op: "dial", Err: errors.New("network is unreachable"), URL: "x"}: {"network is unreachable", "nats.servers"},
	} {
		why, remedy := unreachable(err)
		if !strings.Contains(why, want[0]) || !strings.Contains(remedy, want[1]) {
			t.Errorf("%v: %q → %q, want %q", err, why, remedy, want)
		}
	}
}
