package fleetsim

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// organization is the only one of a simulated fleet.
const organization = "choria"

// Tokens is a throw-away issuer of tokens, with which a fleet speaks version 2 of the protocol. Not safe for
// concurrent use.
type Tokens struct {
	dir string
	key ed25519.PrivateKey
}

// NewTokens makes an issuer, whose clients' files go into dir.
func NewTokens(dir string) (*Tokens, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return &Tokens{dir: dir, key: key}, err
}

// Issuers is what a client must know to hold servers to their tokens: the organization and its public key.
func (t *Tokens) Issuers() map[string]string {
	return map[string]string{organization: hex.EncodeToString(t.public())}
}

func (t *Tokens) public() ed25519.PublicKey {
	public, _ := t.key.Public().(ed25519.PublicKey)
	return public
}

func (t *Tokens) issuers() token.Issuers { return token.Issuers{organization: t.public()} }

// May is what a client's token allows.
type May struct {
	Ask        bool          // servers
	AskSigned  bool          // servers, when an authority has signed
	SignForAll bool          // as an authority, in any name
	For        time.Duration // how long; 0 is an hour
}

// Client writes a token for a caller, such as choria=bot.mcollective, and the seed of its key, and returns their
// paths.
func (t *Tokens) Client(caller string, may May) (tokenFile, seedFile string, err error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	if may.For == 0 {
		may.For = time.Hour
	}
	raw, err := token.Sign(token.Claims{
		Purpose: token.Client, Caller: caller, Org: organization, PublicKey: hex.EncodeToString(public), Expires: token.At(time.Now().Add(may.For)),
		Permissions: token.Permissions{Fleet: may.Ask, Signed: may.AskSigned, Authority: may.SignForAll},
	}, t.key)
	if err != nil {
		return "", "", err
	}
	base := filepath.Join(t.dir, hex.EncodeToString(public[:8]))
	tokenFile, seedFile = base+".jwt", base+".seed"
	for file, text := range map[string]string{tokenFile: raw, seedFile: hex.EncodeToString(key.Seed())} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", "", fmt.Errorf("write token: %w", err)
		}
	}
	return tokenFile, seedFile, nil
}

// serverToken is a server's token and key. It implements [wire.ReplySigner].
type serverToken struct {
	raw string
	key ed25519.PrivateKey
}

// server makes a token for a server.
func (t *Tokens) server(identity, collective string) (*serverToken, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	const life = 100 * 24 * time.Hour
	raw, err := token.Sign(token.Claims{
		Purpose: token.Server, Identity: identity, Collectives: []string{collective}, Org: organization,
		PublicKey: hex.EncodeToString(public), Expires: token.At(time.Now().Add(life)),
	}, t.key)
	return &serverToken{raw: raw, key: key}, err
}

// SignReply implements [wire.ReplySigner].
func (s *serverToken) SignReply(reply []byte) (signature []byte, raw string, err error) {
	return ed25519.Sign(s.key, reply), s.raw, nil
}

var _ wire.ReplySigner = (*serverToken)(nil)
