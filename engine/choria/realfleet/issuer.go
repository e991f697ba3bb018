package realfleet

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/choria-io/tokens"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

const (
	organization = "choria"  // of the issuer; tokens name it
	tokenLife    = time.Hour // of every token
)

// issuer is the security of [JWT]: the key of an organization that signs a token for the broker, for
// every server and for the client.
type issuer struct {
	dir    string
	key    ed25519.PrivateKey
	certs  *fleetsim.Certs // of the broker alone
	own    choria.Options
	issued atomic.Int64 // client tokens
}

func newIssuer(dir string, o Options) (*issuer, error) {
	certs, err := fleetsim.NewCerts(dir, o.Identity)
	if err != nil {
		return nil, fmt.Errorf("make the broker's certificate: %w", err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	i := &issuer{dir: dir, key: key, certs: certs}
	token, seed, err := i.clientToken("choria="+o.Identity, fleetsim.May{Ask: true, SignForAll: o.Privileged})
	if err != nil {
		return nil, fmt.Errorf("make the client's token: %w", err)
	}
	i.own = choria.Options{Identity: o.Identity, CA: certs.CA, Token: token, Seed: seed, Issuers: map[string]string{organization: i.public()}}
	return i, nil
}

func (i *issuer) public() string {
	return hex.EncodeToString(i.key.Public().(ed25519.PublicKey))
}

func (i *issuer) client() choria.Options { return i.own }

func (i *issuer) member(name, dir string, broker bool) (map[string]string, error) {
	pk, seed, err := newSeed(dir, "server")
	if err != nil {
		return nil, err
	}
	claims, err := tokens.NewServerClaims(name, []string{collective}, organization, &tokens.ServerPermissions{ServiceHost: true}, nil, pk, "", tokenLife)
	if err != nil {
		return nil, err
	}
	text, err := tokens.SignToken(claims, i.key)
	if err != nil {
		return nil, err
	}
	token, err := write(dir, "server.jwt", text)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"plugin.security.provider":             "choria",
		"plugin.security.choria.ca":            i.certs.CA, // else the broker is not verified
		"plugin.security.choria.token_file":    token,
		"plugin.security.choria.seed_file":     seed,
		"plugin.security.issuer.names":         organization,
		"plugin.security.issuer.choria.public": i.public(),
	}
	if !broker {
		return settings, nil
	}
	settings["plugin.security.choria.certificate"], settings["plugin.security.choria.key"], err = i.certs.Issue(name)
	return settings, err
}

// clientToken writes a token and its seed for a caller and returns their paths.
func (i *issuer) clientToken(caller string, may fleetsim.May) (token, seed string, err error) {
	file := fmt.Sprintf("client%d", i.issued.Add(1))
	pk, seed, err := newSeed(i.dir, file)
	if err != nil {
		return "", "", err
	}
	claims, err := tokens.NewClientIDClaims(caller, nil, organization, nil, "", "", cmp.Or(may.For, tokenLife), &tokens.ClientPermissions{
		FleetManagement: may.Ask, SignedFleetManagement: may.AskSigned, AuthenticationDelegator: may.SignForAll,
	}, pk)
	if err != nil {
		return "", "", err
	}
	if err := claims.AddOrgIssuerData(i.key); err != nil {
		return "", "", err
	}
	text, err := tokens.SignToken(claims, i.key)
	if err != nil {
		return "", "", err
	}
	token, err = write(i.dir, file+".jwt", text)
	return token, seed, err
}

// newSeed writes a new key as a seed in hexadecimal digits, without the end of a line: servers take none.
func newSeed(dir, name string) (ed25519.PublicKey, string, error) {
	pk, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	path, err := write(dir, name+".seed", hex.EncodeToString(key.Seed()))
	return pk, path, err
}
