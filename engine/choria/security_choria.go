package choria

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// choria signs with an ed25519 key that a token belongs to, in version 2. The servers are held to their tokens
// when an issuer is known.
func (o Options) choria() (security, error) {
	held, err := holdToken(o.Token, o.Seed)
	if err != nil {
		return security{}, err
	}
	issuers, err := token.ParseIssuers(o.Issuers)
	if err != nil {
		return security{}, fmt.Errorf("nats.issuers: %w", err)
	}
	s := security{version: wire.V2, sealer: wire.Tokened{Signer: held}, callers: held.callers(), secret: held.secret()}
	if issuers != nil {
		s.senders = &token.Servers{Issuers: issuers}
	}
	switch p := held.claims.Permissions; {
	case o.Signer != nil:
		if err := o.remote(&s, held); err != nil {
			return security{}, err
		}
	case p.Signed && !p.Authority:
		return security{}, fmt.Errorf("the token %s may ask only what an authority has signed; set nats.signer, or have a token with fleet_management issued", o.Token)
	case !p.Fleet && !p.Signed:
		return security{}, fmt.Errorf("the token %s may not ask servers; have one with fleet_management issued", o.Token)
	}
	s.options, err = o.tokenOptions(held)
	return s, err
}

// tokenOptions connect with a token: it is shown, and the broker's nonce signed with its key.
func (o Options) tokenOptions(held *heldToken) ([]nats.Option, error) {
	opts := []nats.Option{nats.TokenHandler(held.show), nats.UserJWT(held.showOrFail, held.sign)}
	if o.InProcess != nil {
		return opts, nil // no wire, nothing to protect
	}
	var own []tls.Certificate
	if o.Cert != "" {
		pair, err := o.pair()
		if err != nil {
			return nil, err
		}
		own = append(own, pair)
	}
	cfg, err := o.tls(own...)
	if err != nil {
		return nil, err
	}
	return append(opts, nats.Secure(cfg)), nil
}

// heldToken is a token of ours and the key that it belongs to. Tokens are renewed by replacing their files: when
// one has ended they are read again. Safe for concurrent use.
type heldToken struct {
	tokenFile, seedFile string

	mu     sync.Mutex // guards what follows
	raw    string
	claims token.Claims
	key    ed25519.PrivateKey
}

func holdToken(tokenFile, seedFile string) (*heldToken, error) {
	h := &heldToken{tokenFile: tokenFile, seedFile: seedFile}
	return h, h.read()
}

// read reads the files. The caller holds the lock, or is alone.
func (h *heldToken) read() error {
	raw, err := os.ReadFile(h.tokenFile)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	text := strings.TrimSpace(string(raw))
	claims, err := token.Read(text)
	if err != nil {
		return fmt.Errorf("token %s: %w", h.tokenFile, err)
	}
	if claims.Purpose != token.Client || claims.Caller == "" {
		return fmt.Errorf("token %s is no client's (its purpose is %q); have one issued with choria jwt client", h.tokenFile, claims.Purpose)
	}
	seed, err := os.ReadFile(h.seedFile)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	key, err := token.ParseSeed(string(seed))
	if err != nil {
		return fmt.Errorf("seed %s: %w", h.seedFile, err)
	}
	public, err := claims.Key()
	if err != nil {
		return fmt.Errorf("token %s: %w", h.tokenFile, err)
	}
	if !public.Equal(key.Public()) {
		return fmt.Errorf("the token %s belongs to another key than that in %s; name the seed that it was made for", h.tokenFile, h.seedFile)
	}
	if h.claims.Caller != "" && h.claims.Caller != claims.Caller {
		return fmt.Errorf("the token %s is now that of %q and not of %q; start playbot again", h.tokenFile, claims.Caller, h.claims.Caller)
	}
	if end, ends := claims.Expiry(); ends && !time.Now().Before(end) {
		return fmt.Errorf("the token %s expired at %s; renew it", h.tokenFile, end.UTC().Format(time.RFC3339))
	}
	h.raw, h.claims, h.key = text, claims, key
	return nil
}

// current returns the token, its key and what it says.
func (h *heldToken) current() (raw string, key ed25519.PrivateKey, claims token.Claims, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if end, ends := h.claims.Expiry(); ends && !time.Now().Before(end) {
		if err := h.read(); err != nil {
			return "", nil, claims, err
		}
	}
	return h.raw, h.key, h.claims, nil
}

// show returns the token; nothing when it has ended, which showOrFail explains.
func (h *heldToken) show() string {
	raw, _ := h.showOrFail()
	return raw
}

func (h *heldToken) showOrFail() (string, error) {
	raw, _, _, err := h.current()
	return raw, err
}

// sign signs the nonce of a broker.
func (h *heldToken) sign(nonce []byte) ([]byte, error) {
	if len(nonce) == 0 {
		return nil, errors.New("the broker asks for no signature, so it cannot check a token; is it a Choria broker?")
	}
	_, key, _, err := h.current()
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, nonce), nil
}

// Prove implements [wire.TokenSigner]. In the name of another it signs as an authority.
func (h *heldToken) Prove(request []byte, caller string) (wire.Proof, error) {
	raw, key, claims, err := h.current()
	if err != nil {
		return wire.Proof{}, err
	}
	p := wire.Proof{Signature: ed25519.Sign(key, request), Caller: raw}
	if caller != claims.Caller || claims.Permissions.Signed {
		p.Signer = raw
	}
	return p, nil
}

// secret is what only the owner of the key knows.
func (h *heldToken) secret() []byte {
	sum := sha256.Sum256(h.key.Seed())
	return sum[:]
}

// callers says in whose name the owner of the token can ask.
func (h *heldToken) callers() Callers {
	c := Callers{Own: h.claims.Caller}
	if h.claims.Permissions.Authority {
		c.Named, c.Why = true, fmt.Sprintf("the token of %s is that of an authority, so that the nodes take its word for who asks", c.Own)
		return c
	}
	c.Why = fmt.Sprintf("the token of %s is an ordinary one: for the nodes it asks in its own name only; have one issued with authentication_delegator too", c.Own)
	return c
}
