package choria

import "github.com/playbot/playbot/engine/choria/internal/wire"

// insecure signs nothing and believes everything, in version 1: for simulated fleets, and for servers that were
// told to check nothing.
func (o Options) insecure() security {
	return security{
		sealer:  wire.Signed{Signer: wire.Insecure{}},
		callers: Callers{Own: "choria=" + o.Identity, Named: true, Why: "nothing is signed or checked, so that the nodes take any name for true"},
		secret:  randomSecret(),
	}
}
