package fleetsim

import (
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/playbot/playbot/engine/choria/internal/token"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// doorman lets those connect who show a good token and have signed the nonce with its key, and lets them listen to
// their own replies only, as a Choria broker does.
type doorman struct {
	issuers token.Issuers
	secret  string // of the nodes' own connection
	logger  *slog.Logger
}

// Check implements [server.Authentication].
func (d doorman) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Username == nodesUser && opts.Password == d.secret {
		return true
	}
	claims, err := d.issuers.Verify([]byte(opts.Token), time.Now())
	if err != nil {
		d.logger.Warn("connection refused", "error", err)
		return false
	}
	key, err := claims.Key()
	signature, errSig := base64.RawURLEncoding.DecodeString(opts.Sig)
	if err != nil || errSig != nil || claims.Purpose != token.Client || claims.Caller == "" || !ed25519.Verify(key, c.GetNonce(), signature) {
		d.logger.Warn("connection refused: the nonce is not signed by the owner of a client's token", "caller", claims.Caller)
		return false
	}
	c.RegisterUser(&server.User{Username: claims.Caller, Permissions: permissions(claims)})
	return true
}

// permissions of a client: its own replies, and requests when it may ask.
func permissions(c token.Claims) *server.Permissions {
	own := strings.TrimSuffix(wire.ReplySubject("*", c.Caller, "x"), "x") + ">"
	p := &server.Permissions{
		Subscribe: &server.SubjectPermission{Allow: []string{own}},
		Publish:   &server.SubjectPermission{Allow: []string{"$SYS.REQ.USER.INFO"}},
	}
	if c.Permissions.Fleet || c.Permissions.Signed {
		p.Publish.Allow = append(p.Publish.Allow, "*.broadcast.agent.>", "*.broadcast.service.>", "*.node.>", "choria.federation.*.federation")
	}
	return p
}

// nodesUser is the name of the nodes' own connection.
const nodesUser = "fleetsim"
