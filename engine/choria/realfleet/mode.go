package realfleet

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/choria-io/go-choria/protocol"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// Mode is a security mode of a Choria network.
type Mode string

// The modes. go-choria keeps in the process-wide variable protocol.Secure whether requests are
// verified, so a process has fleets of the first two modes, or of the last one alone: tests of
// Insecure are a package of their own whose TestMain sets that variable to "false".
const (
	File     Mode = "file"     // certificates: mutual TLS, requests signed with RSA keys, protocol 1
	JWT      Mode = "jwt"      // ed25519 keys and tokens of an issuer, protocol 2; only the broker has a certificate
	Insecure Mode = "insecure" // nothing is verified, protocol 1, and the broker is a plain NATS server
)

// allowed says what is wrong with starting this mode in this process.
func (m Mode) allowed() error {
	switch m {
	case File, JWT:
		if !protocol.IsSecure() {
			return fmt.Errorf("mode %s in a process in which protocol.Secure is %q", m, protocol.Secure)
		}
	case Insecure:
		if protocol.IsSecure() {
			return fmt.Errorf("mode %s needs protocol.Secure = \"false\", set in TestMain of a package that has no other mode", m)
		}
	default:
		return fmt.Errorf("mode %q is unknown; known are %s, %s and %s", m, File, JWT, Insecure)
	}
	return nil
}

// security is what differs between the modes.
type security interface {
	// member is the settings of the broker or of a server with that name, in a folder of its own.
	member(name, dir string, broker bool) (map[string]string, error)
	// client is how our client shows who it is.
	client() choria.Options
}

func newSecurity(m Mode, dir string, o Options) (security, error) {
	switch m {
	case JWT:
		return newIssuer(dir, o)
	case Insecure:
		return insecure{identity: o.Identity}, nil
	default:
		certs, err := fleetsim.NewCerts(dir, o.Identity)
		if err != nil {
			return nil, fmt.Errorf("make certificates: %w", err)
		}
		return &authority{certs: certs, identity: o.Identity}, nil
	}
}

// authority is the security of [File].
type authority struct {
	identity string

	mu    sync.Mutex // guards certs
	certs *fleetsim.Certs
}

func (a *authority) member(name, _ string, _ bool) (map[string]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	cert, key, err := a.certs.Issue(name)
	if err != nil {
		return nil, fmt.Errorf("make its certificate: %w", err)
	}
	return map[string]string{
		"plugin.security.provider":         "file",
		"plugin.security.file.ca":          a.certs.CA,
		"plugin.security.file.certificate": cert,
		"plugin.security.file.key":         key,
	}, nil
}

func (a *authority) client() choria.Options {
	return choria.Options{Identity: a.identity, CA: a.certs.CA, Cert: a.certs.ClientCert, Key: a.certs.ClientKey}
}

// insecure is the security of [Insecure]. Servers want a provider named all the same.
type insecure struct{ identity string }

func (insecure) member(string, string, bool) (map[string]string, error) {
	return map[string]string{"plugin.security.provider": "file"}, nil
}

func (i insecure) client() choria.Options {
	return choria.Options{Identity: i.identity, Insecure: true}
}

// write writes a file into a folder and returns its path.
func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
