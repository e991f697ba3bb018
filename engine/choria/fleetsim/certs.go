package fleetsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
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

// Certs is a throw-away certificate authority with a server and a client certificate. Not safe for
// concurrent use.
type Certs struct {
	CA         string // path of the CA certificate
	ClientCert string
	ClientKey  string
	dir        string
	ca         *x509.Certificate
	caKey      *ecdsa.PrivateKey
	serial     int64
	roots      *x509.CertPool
	nodeKey    *rsa.PrivateKey // of all that is issued later: making keys is what takes time
	server     tls.Certificate
	client     tls.Certificate
}

// keyBits is for those who sign requests, which only RSA keys can; others have quicker ones. It is
// enough for a key that lives as long as a test.
const keyBits = 2048

// NewCerts writes a CA, and a client certificate for identity, into dir.
func NewCerts(dir, identity string) (*Certs, error) {
	c := &Certs{CA: filepath.Join(dir, "ca.pem"), dir: dir, serial: 1, roots: x509.NewCertPool()}
	if err := c.found(); err != nil {
		return nil, err
	}
	brokerKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if c.server, err = c.issue("localhost", brokerKey); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	if c.client, err = c.issue(identity, key); err != nil {
		return nil, err
	}
	c.ClientCert, c.ClientKey, err = c.write(identity, c.client)
	return c, err
}

// Issue writes one more certificate and its key for name into the folder of the CA, good for both
// ends of a connection, and returns their paths. They share a key.
func (c *Certs) Issue(name string) (cert, key string, err error) {
	if c.nodeKey == nil {
		if c.nodeKey, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return "", "", err
		}
	}
	pair, err := c.issue(name, c.nodeKey)
	if err != nil {
		return "", "", err
	}
	return c.write(name, pair)
}

// found makes the CA.
func (c *Certs) found() error {
	var err error
	if c.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	ca := template("fleetsim CA", c.serial)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &c.caKey.PublicKey, c.caKey)
	if err != nil {
		return err
	}
	if c.ca, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	c.roots.AddCert(c.ca)
	return writePEM(c.CA, "CERTIFICATE", der)
}

func (c *Certs) write(name string, pair tls.Certificate) (certPath, keyPath string, err error) {
	certPath, keyPath = filepath.Join(c.dir, name+".pem"), filepath.Join(c.dir, name+".key")
	if err := writePEM(certPath, "CERTIFICATE", pair.Certificate[0]); err != nil {
		return "", "", err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return "", "", err
	}
	return certPath, keyPath, writePEM(keyPath, "PRIVATE KEY", key)
}

func template(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(100 * 24 * time.Hour),
	}
}

func (c *Certs) issue(name string, key crypto.Signer) (tls.Certificate, error) {
	c.serial++
	t := template(name, c.serial)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if name == "localhost" {
		t.IPAddresses = loopback()
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.ca, key.Public(), c.caKey)
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

// serverTLS is the broker's; clients that show tokens need no certificate.
func (c *Certs) serverTLS(mutual bool) *tls.Config {
	cfg := &tls.Config{Certificates: []tls.Certificate{c.server}, ClientCAs: c.roots, MinVersion: tls.VersionTLS12}
	if mutual {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return cfg
}

func (c *Certs) clientTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.client}, RootCAs: c.roots, MinVersion: tls.VersionTLS12}
}

func (c *Certs) authority() wire.Verifier { return wire.Authority{Roots: c.roots} }
