package doctor

import (
	"strings"

	"github.com/playbot/playbot/cmd/internal/app"
)

// callers says whom the nodes' own logs and action policies see. Servers let only a certificate whose
// name ends so state whose word a request is.
func callers(n *notes, c app.NATSConfig) {
	switch {
	case c.Insecure:
		n.skip("nobody is signed for in a network without security")
	case strings.HasSuffix(c.Identity, ".privileged.mcollective") || strings.HasSuffix(c.Identity, ".privileged.choria"):
		n.ok("the certificate may name the person who asks")
	default:
		n.ok("nodes see choria=%s in every request; to name the person, use a certificate whose name ends in .privileged.mcollective", c.Identity)
	}
}
