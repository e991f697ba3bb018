package token

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Issuers are the organizations whose tokens count, and their public keys.
type Issuers map[string]ed25519.PublicKey

// ParseIssuers reads keys in hexadecimal digits. It returns nil when there are none.
func ParseIssuers(keys map[string]string) (Issuers, error) {
	if len(keys) == 0 {
		return nil, nil //nolint:nilnil // nil means that nobody is known
	}
	is := make(Issuers, len(keys))
	for _, org := range slices.Sorted(maps.Keys(keys)) {
		key, err := parseKey(keys[org])
		if err != nil {
			return nil, fmt.Errorf("the issuer of %q: %w", org, err)
		}
		is[org] = key
	}
	return is, nil
}

// Verify returns what a token says when one of the issuers vouches for it at that time.
func (is Issuers) Verify(raw []byte, now time.Time) (Claims, error) {
	p, err := split(raw)
	if err != nil {
		return Claims{}, err
	}
	c := p.claims
	key, known := is[c.Org]
	if !known {
		return Claims{}, fmt.Errorf("no issuer of the organization %.80q is known", c.Org)
	}
	if strings.HasPrefix(c.Issuer, chainPrefix) {
		if key, err = c.maker(key); err != nil {
			return Claims{}, fmt.Errorf("the token of %s: %w", c.who(), err)
		}
	} else if c.Purpose == Server && c.Chain != "" {
		return Claims{}, fmt.Errorf("the token of %s was made by one who may make none for servers", c.who())
	}
	if !ed25519.Verify(key, p.signed, p.signature) {
		return Claims{}, fmt.Errorf("the token of %s is not signed by the issuer of %q", c.who(), c.Org)
	}
	if end, ends := c.Expiry(); ends && !now.Before(end) {
		return Claims{}, fmt.Errorf("the token of %s expired at %s", c.who(), end.UTC().Format(time.RFC3339))
	}
	if c.NotBefore != nil && now.Before(c.NotBefore.Time()) {
		return Claims{}, fmt.Errorf("the token of %s counts from %s on only", c.who(), c.NotBefore.Time().UTC().Format(time.RFC3339))
	}
	return c, nil
}

// who names the owner of a token in messages.
func (c Claims) who() string { return fmt.Sprintf("%.80q", c.Caller+c.Identity) }

const chainPrefix = "C-"

// maker is the key of the one who made a token that the issuer has not signed itself. The issuer has signed
// who that is, and the maker the token's id: both stand in the token.
func (c Claims) maker(issuer ed25519.PublicKey) (ed25519.PublicKey, error) {
	if c.ID == "" || c.Expires == nil || c.IssuerEnds == nil || c.Issued == nil {
		return nil, errors.New("it lacks an id or a time, which tokens that are not the issuer's own need")
	}
	id, text, ok := strings.Cut(strings.TrimPrefix(c.Issuer, chainPrefix), ".")
	key, err := parseKey(text)
	if !ok || id == "" || err != nil {
		return nil, errors.New("it does not say who made it")
	}
	trust, made, ok := strings.Cut(c.Chain, ".")
	byIssuer, errIssuer := hex.DecodeString(trust)
	byMaker, errMaker := hex.DecodeString(made)
	if !ok || errIssuer != nil || errMaker != nil {
		return nil, errors.New("its chain of trust cannot be read")
	}
	if !ed25519.Verify(issuer, []byte(id+"."+hex.EncodeToString(key)), byIssuer) {
		return nil, errors.New("the issuer does not vouch for the one who made it")
	}
	if !ed25519.Verify(key, []byte(c.ID+"."+trust), byMaker) {
		return nil, errors.New("the one who is said to have made it did not")
	}
	return key, nil
}
