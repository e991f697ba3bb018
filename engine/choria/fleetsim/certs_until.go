package fleetsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// IssueUntil is [Certs.Issue] for a certificate of one day that ends when it is told to, which may have
// been long ago. Each is a file of its own.
func (c *Certs) IssueUntil(name string, end time.Time) (cert, key string, err error) {
	if c.nodeKey == nil {
		if c.nodeKey, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return "", "", err
		}
	}
	c.serial++
	t := template(name, c.serial)
	t.NotBefore, t.NotAfter = end.Add(-24*time.Hour), end
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, t, c.ca, c.nodeKey.Public(), c.caKey)
	if err != nil {
		return "", "", err
	}
	return c.write(fmt.Sprintf("%s-%d", name, c.serial), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.nodeKey})
}
