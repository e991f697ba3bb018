package doctor

import (
	"context"
	"net/url"
	"time"

	"github.com/playbot/playbot/engine/puppetdb"
)

// puppetDB asks PuppetDB whether it runs, and how many nodes it knows: only a query shows whether its
// allowlist has the certificate.
func (s site) puppetDB(ctx context.Context, n *notes) {
	c := s.cfg.PuppetDB
	if c.URL == "" {
		n.skip("none is configured; node sets of type pql and discovery_method: choria need one")
		return
	}
	if c.Cert != "" {
		certificate(n, c.CA, c.Cert, c.Key)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" {
		n.skip("puppetdb.url is no address; see configuration")
		return
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		n.warn("use https, with puppetdb.ca, cert and key", "%s is asked in the clear: whoever is between can choose the nodes of a run", u.Host)
	}
	client, err := puppetdb.New(s.cfg.PuppetDBOptions())
	if err != nil {
		n.problem(err, "correct puppetdb.ca, cert and key")
		return
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		n.problem(err, "is it running, and is puppetdb.url right?")
		return
	}
	version, err := client.Version(ctx)
	if err != nil {
		version = "of an unknown version"
	}
	begin := time.Now()
	nodes, err := client.Certnames(ctx, "nodes[certname] { }")
	switch {
	case err != nil:
		n.problem(err, "let PuppetDB's allowlist name the certificate of puppetdb.cert")
	case len(nodes) == 0:
		n.warn("let nodes report to it, or correct puppetdb.url", "%s (%s) knows no node", c.URL, version)
	case n.good():
		n.ok("%s, version %s: %s, in %v", c.URL, version, counted(len(nodes), "node"), time.Since(begin).Round(time.Millisecond))
	}
}
