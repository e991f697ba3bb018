package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine/choria"
)

// choria connects to every broker, and then looks at the network behind the first that it reaches.
func (s site) choria(ctx context.Context, n *notes) {
	if !s.cfg.NATS.Used() {
		n.skip("neither nats.servers nor nats.srv_domain is set; tasks that need a fleet say so")
		return
	}
	o := s.cfg.ChoriaOptions()
	o.Resolver = s.resolver
	servers, err := o.Brokers(ctx)
	if err != nil {
		n.broken("publish the records, or name the brokers in nats.servers", "%v", err)
		return
	}
	own := &notes{}
	if s.certificate(ctx, own); own.count(Broken) > 0 {
		n.skip("brokers are not asked before that is good by which playbot proves who it is; see above")
		return
	}
	visits := s.visits(ctx, servers)
	defer func() {
		for _, v := range visits {
			if v.client != nil {
				v.client.Close()
			}
		}
	}()
	first := slices.IndexFunc(visits, func(v visit) bool { return v.client != nil })
	for _, v := range visits {
		switch {
		case v.client != nil:
			s.connected(n, v)
		case first >= 0:
			n.warn(v.remedy+"; until then the others do its work", "%s: %s", v.server, v.why)
		default:
			n.broken(v.remedy, "%s: %s", v.server, v.why)
		}
	}
	if first < 0 {
		n.about("choria nodes").skip("no broker is in reach")
		return
	}
	w := network{site: s, client: visits[first].client, server: servers[first]}
	described := &notes{check: "choria registry"}
	var asking sync.WaitGroup
	asking.Go(func() { w.registry(ctx, described) })
	w.look(ctx, n)
	asking.Wait()
	n.list = append(n.list, described.list...)
}

// count is how many notes have a status, whatever they are about.
func (n *notes) count(s Status) int { return Report(n.list).Count(s) }

// visit is what came of connecting to one broker.
type visit struct {
	server      string
	client      *choria.Client // nil when it could not be reached
	took        time.Duration
	why, remedy string // of what went wrong
}

// visits connects to brokers side by side.
func (s site) visits(ctx context.Context, servers []string) []visit {
	out := make([]visit, len(servers))
	var wg sync.WaitGroup
	for i, server := range servers {
		wg.Go(func() { out[i] = s.visit(ctx, server) })
	}
	wg.Wait()
	return out
}

// patience is how long one step of a check may wait for an answer: a check has three that do.
func (s site) patience() time.Duration { return s.limit / 3 }

func (s site) visit(ctx context.Context, server string) visit {
	v := visit{server: server}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		v.server, v.why, v.remedy = "nats.servers", "there is something that is no address", "write it as tls://HOST:4222"
		return v
	}
	v.server = u.Scheme + "://" + u.Host // a name without a password is a token
	if err := dial(ctx, u, s.patience()); err != nil {
		v.why, v.remedy = unreachable(err)
		v.remedy = s.named(v.remedy)
		return v
	}
	o := s.cfg.ChoriaOptions()
	o.Servers, o.SRVDomain, o.Timeout = []string{server}, "", s.patience()
	begin := time.Now()
	v.client, err = choria.Connect(ctx, o)
	v.took = time.Since(begin)
	if err != nil {
		v.why, v.remedy = refusal(err, u.Hostname())
		v.remedy = s.named(v.remedy)
	}
	return v
}

// named is a remedy that speaks of what names the brokers here.
func (s site) named(remedy string) string {
	if domain := s.cfg.NATS.SRVDomain; domain != "" {
		return strings.ReplaceAll(remedy, "nats.servers", "the SRV records of "+domain)
	}
	return remedy
}

// connected says what a broker is like.
func (s site) connected(n *notes, v visit) {
	c := v.client.Connection()
	how := c.TLS
	u, err := url.Parse(v.server)
	local := err == nil && loopback(u.Hostname())
	if how == "" {
		how = "without TLS"
	}
	if s.cfg.NATS.Insecure && !local {
		n.warn("set nats.ca, cert and key, and take nats.insecure away: that is for a simulated fleet",
			"%s: requests are neither signed nor encrypted", v.server)
		return
	}
	how += ", " + s.signing()
	if c.Name != "" {
		how += ", it calls itself " + c.Name
	}
	n.ok("%s: %s, collective %s, connected in %v", v.server, how, s.cfg.NATS.Collective, v.took.Round(time.Millisecond))
}

// signing says how requests prove who asks.
func (s site) signing() string {
	switch c := s.cfg.NATS; {
	case c.Insecure:
		return "requests are not signed"
	case c.Signer != nil:
		return "an AAA service signs requests"
	case c.Token != "":
		return "requests are signed with a token's key"
	}
	return "requests are signed"
}

// dial looks whether anybody listens at a broker's address: the client library does not tell why it
// could not connect.
func dial(ctx context.Context, u *url.URL, limit time.Duration) error {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	if port == "" {
		port = "4222"
	}
	conn, err := (&net.Dialer{Timeout: limit}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// unreachable says why nobody answers at an address.
func unreachable(err error) (why, remedy string) {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case isDNS:
		return fmt.Sprintf("the name %s is not known (%s)", dns.Name, dns.Err), "correct nats.servers, or the DNS of this machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there (connection refused)", "start the broker, or correct the port in nats.servers"
	case isNet && timeout.Timeout():
		return "there is no answer", "let this machine reach it: a firewall may be between"
	}
	return err.Error(), "correct nats.servers, or let this machine reach it"
}

const trustRemedy = "have nats.cert issued by the CA that the broker trusts; its log says what it minds"

// refusal says why a broker that listens could not be used.
func refusal(err error, host string) (why, remedy string) {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "the broker's certificate has expired on " + invalid.Cert.NotAfter.UTC().Format(time.DateOnly), "have it renewed on the broker"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the broker's certificate does not come from the CA in nats.ca", "name the CA that issued it in nats.ca"
	}
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the broker's certificate is for %s and not for %s", strings.Join(namesIn(wrong.Certificate), ", "), host),
			"write the name of the certificate in nats.servers"
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" { // so crypto/tls calls what the other end says
		return "the broker refuses our certificate: " + alert.Err.Error(), trustRemedy
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return "the broker ends the connection, as it does when it refuses our certificate", trustRemedy
	}
	n := &notes{}
	n.problem(err, "look at the broker's log")
	return n.list[0].What, n.list[0].Remedy
}
