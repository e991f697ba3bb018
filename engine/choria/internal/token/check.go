package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Gate checks the requests of version 2 as a server does.
type Gate struct{ Issuers Issuers }

// VerifyProof implements [wire.ProofVerifier]: the token must allow to ask, and the request be signed with its
// key and name its caller; or an authority has signed, which may name any caller.
func (g Gate) VerifyProof(request []byte, p wire.Proof, caller string) error {
	asker, err := g.client(p.Caller)
	if err != nil {
		return err
	}
	signer := asker
	if p.Signer != "" {
		if signer, err = g.client(p.Signer); err != nil {
			return fmt.Errorf("signer: %w", err)
		}
		if !signer.Permissions.Authority {
			return fmt.Errorf("%s signed for another without being an authority", signer.who())
		}
	}
	switch {
	case !asker.Permissions.Fleet && !asker.Permissions.Signed:
		return fmt.Errorf("%s may not manage the fleet", asker.who())
	case asker.Permissions.Signed && p.Signer == "":
		return fmt.Errorf("%s needs the signature of an authority", asker.who())
	case p.Signer == "" && asker.Caller != caller:
		return fmt.Errorf("caller %q is not the one of the token, %q", caller, asker.Caller)
	}
	key, err := signer.Key()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, request, p.Signature) {
		return errors.New("the signature of the request does not match")
	}
	return nil
}

func (g Gate) client(raw string) (Claims, error) {
	c, err := g.Issuers.Verify([]byte(raw), time.Now())
	if err == nil && c.Purpose != Client {
		err = fmt.Errorf("the token of %s is no client's", c.who())
	}
	return c, err
}

// maxServers is how many servers are remembered: their keys take 100 bytes each.
const maxServers = 1 << 16

// Servers vouches for the servers that reply. It remembers the tokens that were good, because a server shows
// the same with every reply. Safe for concurrent use.
type Servers struct {
	Issuers Issuers

	mu    sync.Mutex // guards known
	known map[[sha256.Size]byte]server
}

type server struct {
	identity string
	key      ed25519.PublicKey
	ends     time.Time // zero: never
}

// Server implements [wire.Senders].
func (s *Servers) Server(token []byte) (identity string, key ed25519.PublicKey, err error) {
	now := time.Now()
	sum := sha256.Sum256(token)
	s.mu.Lock()
	have, ok := s.known[sum]
	s.mu.Unlock()
	if ok && (have.ends.IsZero() || now.Before(have.ends)) {
		return have.identity, have.key, nil
	}
	c, err := s.Issuers.Verify(token, now)
	if err != nil {
		return "", nil, err
	}
	if c.Purpose != Server || c.Identity == "" {
		return "", nil, fmt.Errorf("the token of %s is no server's", c.who())
	}
	if have.key, err = c.Key(); err != nil {
		return "", nil, err
	}
	have.identity = c.Identity
	have.ends, _ = c.Expiry()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxServers {
		s.known = make(map[[sha256.Size]byte]server)
	}
	s.known[sum] = have
	return have.identity, have.key, nil
}
