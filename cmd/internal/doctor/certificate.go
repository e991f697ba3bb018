package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// renewal is how long before its end a certificate is called to mind.
const renewal = 30 * 24 * time.Hour

// certificate looks at what proves to the Choria network who asks: a certificate, or a token.
func (s site) certificate(_ context.Context, n *notes) {
	c, o := s.cfg.NATS, s.cfg.ChoriaOptions()
	ca, cert, key := o.Certificate()
	switch {
	case !c.Used():
		n.skip("no network is configured")
		return
	case c.Insecure:
		n.skip("nats.insecure needs none")
		return
	case len(o.Check()) > 0:
		n.skip("nothing says which; see configuration")
		return
	}
	if cert != "" {
		if leaf := certificate(n, ca, cert, key); leaf != nil {
			s.certified(n, cert, leaf)
		}
	}
	if c.Token != "" {
		s.token(n.about("choria token"))
	}
	if n.count(Broken) > 0 {
		return
	}
	if _, err := o.Try(); err != nil { // whatever else the client minds
		n.problem(err, "correct the files that nats: names")
	}
}

// certified is what is said of a certificate that can be used.
func (s site) certified(n *notes, file string, leaf *x509.Certificate) {
	if s.cfg.NATS.Token == "" && s.cfg.NATS.Signer == nil { // else another signs requests, and any name will do
		s.identity(n, file, leaf)
	}
	if n.good() {
		n.ok("%s, valid until %s", strings.Join(namesIn(leaf), ", "), leaf.NotAfter.UTC().Format(time.DateOnly))
	}
}

// token looks at a token and its key. How long it is good for is no reason to warn: tokens are short-lived
// on purpose, and read again when they have ended.
func (s site) token(n *notes) {
	end, err := s.cfg.ChoriaOptions().TokenEnds()
	if err != nil {
		n.problem(err, "have a token issued anew")
		return
	}
	if len(s.cfg.NATS.Issuers) == 0 {
		n.warn("set nats.issuers to the public keys of those who issue the servers' tokens", "replies are not held to their senders: whoever controls the broker can make them up")
	}
	until := "for ever"
	if !end.IsZero() {
		until = "until " + end.UTC().Format(time.RFC3339)
	}
	n.ok("%s, good %s", s.cfg.NATS.Token, until)
}

// identity compares the name in the certificate with what servers take requests from.
func (s site) identity(n *notes, file string, leaf *x509.Certificate) {
	c := s.cfg.NATS
	names := namesIn(leaf)
	switch {
	case c.Identity == "":
		n.broken("set nats.identity to the name in the certificate", "nats.identity is missing; the certificate is for %s", strings.Join(names, ", "))
	case !slices.Contains(names, c.Identity):
		n.broken("set nats.identity to the name in the certificate", "%s is for %s and not for nats.identity %q: no server would answer",
			file, strings.Join(names, ", "), c.Identity)
	case !strings.HasSuffix(c.Identity, ".mcollective") && !strings.HasSuffix(c.Identity, ".choria"):
		n.broken("have a certificate made whose name ends in .mcollective", "servers take no requests from %q: the name ends neither in .mcollective nor in .choria", c.Identity)
	}
}

func namesIn(leaf *x509.Certificate) []string {
	names := slices.DeleteFunc(append([]string{leaf.Subject.CommonName}, leaf.DNSNames...), func(s string) bool { return s == "" })
	slices.Sort(names)
	return slices.Compact(names)
}

// certificate says what is wrong with a certificate, its key and its CA. It is nil when it cannot be used.
func certificate(n *notes, ca, cert, key string) *x509.Certificate {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		n.broken("name the certificate and the key that belong together", "certificate %s with key %s: %v", cert, key, err)
		return nil
	}
	leaf := pair.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			n.broken("have it made anew", "certificate %s: %v", cert, err)
			return nil
		}
	}
	now := time.Now()
	switch left := leaf.NotAfter.Sub(now); {
	case left <= 0:
		n.broken("have it renewed", "%s has expired on %s", cert, leaf.NotAfter.UTC().Format(time.DateOnly))
		return nil
	case now.Before(leaf.NotBefore):
		n.broken("wait, or look at the clock of this machine", "%s is valid only from %s", cert, leaf.NotBefore.UTC().Format(time.RFC3339))
		return nil
	case left < renewal:
		n.warn("have it renewed before then", "%s is valid until %s only, %s from now", cert, leaf.NotAfter.UTC().Format(time.DateOnly), counted(int(left.Hours()/24), "day"))
	}
	if err := issued(leaf, pair, ca); err != nil {
		n.broken("name the CA that issued it", "%s does not come from the CA in %s: %v", cert, ca, err)
		return nil
	}
	return leaf
}

// issued checks that a certificate comes from the CA, over others in its file if need be.
func issued(leaf *x509.Certificate, pair tls.Certificate, ca string) error {
	roots, err := roots(ca)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(c)
		}
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("the certificate of %s has expired on %s", invalid.Cert.Subject.CommonName, invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return err
}

func roots(ca string) (*x509.CertPool, error) {
	data, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			pool.AddCert(c)
		}
	}
	if pool.Equal(x509.NewCertPool()) {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	return pool, nil
}
