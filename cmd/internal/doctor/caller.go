package doctor

import "github.com/playbot/playbot/engine/choria"

// callers says whom the nodes' own logs and action policies see.
func (s site) callers(n *notes, client *choria.Client) {
	if s.cfg.NATS.Insecure {
		n.skip("nobody is signed for in a network without security")
		return
	}
	n.ok("%s", client.Callers())
}
