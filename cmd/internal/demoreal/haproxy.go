package demoreal

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const (
	backend      = "web"
	haproxyUser  = "haproxy"
	haproxyPort  = "8000"
	haproxyBin   = "/usr/sbin/haproxy"
	runtimeFile  = "run/haproxy.sock"
	haproxyNotes = `# Nothing is tried twice and nothing goes to another server: a request that meets a server which is
# being restarted fails, and is seen.
`
)

// haproxyConfig is that of a load balancer. Its frontend takes what comes to its own address.
func haproxyConfig(m *machine, webs []*machine) string {
	var text strings.Builder
	fmt.Fprintf(&text, haproxyNotes+`global
  stats socket %s mode 600 level admin
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind %s:%s
  default_backend %s
backend %[4]s
  balance roundrobin
  option httpchk GET /health
  default-server check inter 200ms fastinter 100ms fall 2 rise 1
`, m.path(runtimeFile), m.address, haproxyPort, backend)
	for _, w := range webs {
		fmt.Fprintf(&text, "  server %s %s:%s\n", w.name, w.address, webapp.Port)
	}
	return text.String()
}

// maxSocket is HAProxy's bound on the path of a socket.
const maxSocket = 97

// startHAProxy returns when all servers are up.
func startHAProxy(ctx context.Context, m *machine, webs []*machine) (*daemon.Process, error) {
	if socket := m.path(runtimeFile); len(socket) > maxSocket {
		return nil, fmt.Errorf("HAProxy takes no socket whose path has more than %d bytes, as %s; set TMPDIR to a folder with a shorter path", maxSocket, socket)
	}
	if err := m.write("haproxy.cfg", haproxyConfig(m, webs)); err != nil {
		return nil, err
	}
	if err := m.write("run/README", "The runtime socket of HAProxy is here.\n"); err != nil {
		return nil, err
	}
	if err := daemon.Give(m.path("run"), haproxyUser); err != nil {
		return nil, err
	}
	p, err := daemon.Start(ctx, daemon.Command{
		Name: "HAProxy of " + m.name, Argv: []string{haproxyBin, "-db", "-f", m.path("haproxy.cfg")}, User: haproxyUser,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing after %v", patience))
	defer cancel()
	err = p.Poll(ctx, func(ctx context.Context) error {
		states, err := m.pool(ctx)
		for name, state := range states {
			if state != "UP" {
				err = fmt.Errorf("%s is %s", name, state)
			}
		}
		return err
	})
	if err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// pool is the state of every server in a load balancer's eyes.
func (m *machine) pool(ctx context.Context) (map[string]string, error) {
	servers, err := agents.Balancer(m.path(runtimeFile)).Servers(ctx, backend)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	states := make(map[string]string, len(servers))
	for name, s := range servers {
		states[name] = s.Status
	}
	return states, nil
}
