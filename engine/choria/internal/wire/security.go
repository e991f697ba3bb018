package wire

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// insecureWord stands where signature and certificate would be.
const insecureWord = "insecure"

// Insecure neither signs nor verifies: for simulated fleets only.
type Insecure struct{}

// Sign implements [Signer].
func (Insecure) Sign([]byte) (signature, cert string, err error) {
	return insecureWord, insecureWord, nil
}

// Verify implements [Verifier].
func (Insecure) Verify([]byte, string, string, string) error { return nil }

// RSA signs with an RSA key, which is the only kind that Choria's file security knows.
type RSA struct {
	Key  *rsa.PrivateKey
	Cert string // PEM
}

// Sign implements [Signer].
func (s RSA) Sign(message []byte) (signature, cert string, err error) {
	sum := sha256.Sum256(message)
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.Key, crypto.SHA256, sum[:])
	if err != nil {
		return "", "", err
	}
	return base64.StdEncoding.EncodeToString(sig), s.Cert, nil
}

// Authority verifies requests against a CA.
type Authority struct {
	Roots *x509.CertPool
}

// ClientName reports whether servers take requests from a certificate of this name.
func ClientName(name string) bool {
	return strings.HasSuffix(name, ".mcollective") || strings.HasSuffix(name, ".choria")
}

// PrivilegedName reports whether servers let the owner of a certificate of this name ask as anybody. It is the
// default of plugin.choria.security.privileged_users.
func PrivilegedName(name string) bool {
	return strings.HasSuffix(name, ".privileged.mcollective") || strings.HasSuffix(name, ".privileged.choria")
}

// anyCaller is what servers take for the name of a caller. They read no further than the first other character.
var anyCaller = regexp.MustCompile(`^[a-z]+=([\w.-]+)`)

// Verify implements [Verifier]: the certificate must come from the CA, the caller must be named by
// it or the certificate be privileged, and the signature must be the caller's.
func (a Authority) Verify(message []byte, signature, cert, caller string) error {
	block, _ := pem.Decode([]byte(cert))
	if block == nil {
		return errors.New("the request has no certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("certificate of the request: %w", err)
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: a.Roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return fmt.Errorf("certificate of the request: %w", err)
	}
	if err := allowed(c, caller); err != nil {
		return err
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the certificate holds no RSA key")
	}
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256(message)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig); err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	return nil
}

// allowed reports whether the owner of a certificate may ask as the caller. Servers hold the name to the certificate,
// and neither its kind nor what comes behind it.
func allowed(c *x509.Certificate, caller string) error {
	parts := anyCaller.FindStringSubmatch(caller)
	if parts == nil {
		return fmt.Errorf("caller %q is no name", caller)
	}
	name := parts[1]
	names := append([]string{c.Subject.CommonName}, c.DNSNames...)
	switch {
	case slices.ContainsFunc(names, PrivilegedName):
		return nil
	case !slices.Contains(names, name):
		return fmt.Errorf("caller %q is not named by the certificate of %q", caller, c.Subject.CommonName)
	case !ClientName(name):
		return fmt.Errorf("caller %q is no client: its name ends neither in .mcollective nor in .choria", caller)
	}
	return nil
}
