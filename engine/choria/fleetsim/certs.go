package fleetsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Certs is a throw-away certificate authority with a server and a client certificate.
type Certs struct {
	CA         string // path of the CA certificate
	ClientCert string
	ClientKey  string
	roots      *x509.CertPool
	server     tls.Certificate
	client     tls.Certificate
}

// keyBits is enough for a key that lives as long as a test.
const keyBits = 2048

// NewCerts writes a CA, and a client certificate for identity, into dir.
func NewCerts(dir, identity string) (*Certs, error) {
	caKey, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	ca := template("fleetsim CA", 1)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	c := &Certs{
		CA: filepath.Join(dir, "ca.pem"), ClientCert: filepath.Join(dir, identity+".pem"), ClientKey: filepath.Join(dir, identity+".key"),
		roots: x509.NewCertPool(),
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	c.roots.AddCert(ca)
	if err := writePEM(c.CA, "CERTIFICATE", caDER); err != nil {
		return nil, err
	}
	if c.server, err = issue(ca, caKey, "localhost", 2); err != nil {
		return nil, err
	}
	if c.client, err = issue(ca, caKey, identity, 3); err != nil {
		return nil, err
	}
	return c, c.writeClient()
}

func (c *Certs) writeClient() error {
	if err := writePEM(c.ClientCert, "CERTIFICATE", c.client.Certificate[0]); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.client.PrivateKey)
	if err != nil {
		return err
	}
	return writePEM(c.ClientKey, "PRIVATE KEY", key)
}

func template(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * 24 * time.Hour),
	}
}

func issue(ca *x509.Certificate, caKey *rsa.PrivateKey, name string, serial int64) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := template(name, serial)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if name == "localhost" {
		t.IPAddresses = loopback()
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca, &key.PublicKey, caKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func writePEM(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}

func (c *Certs) serverTLS() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{c.server}, ClientCAs: c.roots, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS12,
	}
}

func (c *Certs) clientTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.client}, RootCAs: c.roots, MinVersion: tls.VersionTLS12}
}

func (c *Certs) authority() wire.Verifier { return wire.Authority{Roots: c.roots} }
