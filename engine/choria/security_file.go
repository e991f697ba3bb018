package choria

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// file signs with an RSA key and its certificate, in version 1; the certificate protects the connection too.
func (o Options) file() (security, error) {
	pair, err := o.pair()
	if err != nil {
		return security{}, err
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return security{}, fmt.Errorf("%s is not an RSA key; Choria's file security knows no other", o.Key)
	}
	names, err := o.checkIdentity(pair)
	if err != nil {
		return security{}, err
	}
	cfg, err := o.tls(pair)
	if err != nil {
		return security{}, err
	}
	secret := sha256.Sum256(x509.MarshalPKCS1PrivateKey(key))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return security{
		sealer: wire.Signed{Signer: wire.RSA{Key: key, Cert: string(text)}}, options: []nats.Option{nats.Secure(cfg)},
		callers: o.certified(names), secret: secret[:],
	}, nil
}

func (o Options) pair() (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return pair, fmt.Errorf("certificate %s with key %s: %w", o.Cert, o.Key, err)
	}
	return pair, nil
}

// checkIdentity refuses a name that the servers would: they would not answer, and not say why. It returns the
// names of the certificate.
func (o Options) checkIdentity(pair tls.Certificate) ([]string, error) {
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", o.Cert, err)
	}
	names := append([]string{cert.Subject.CommonName}, cert.DNSNames...)
	if !slices.Contains(names, o.Identity) {
		return nil, fmt.Errorf("certificate %s names %s and not the identity %q; set the identity to the certificate's name, else no server answers",
			o.Cert, strings.Join(slices.Compact(names), ", "), o.Identity)
	}
	if !wire.ClientName(o.Identity) {
		return nil, fmt.Errorf("the identity %q does not end in .mcollective or .choria; servers take requests from no other name", o.Identity)
	}
	return names, nil
}

// certified says in whose name the owner of a certificate can ask.
func (o Options) certified(names []string) Callers {
	c := Callers{Own: "choria=" + o.Identity}
	if i := slices.IndexFunc(names, wire.PrivilegedName); i >= 0 {
		c.Named, c.Why = true, fmt.Sprintf("the certificate of %s is privileged, so that the nodes take its word for who asks", names[i])
		return c
	}
	c.Why = fmt.Sprintf("the certificate of %s is an ordinary one: for the nodes it asks in its own name only; "+
		"have the CA sign one whose name ends in .privileged.mcollective, and set nats.identity to it", o.Identity)
	return c
}
