package realfleettest

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Agents holds what the simulated agents answer against what external agents do, which real servers
// start. The requests follow each other, and each finds what those before it have left. The data of a
// failure is left out: a real server fills it up with the defaults of the description.
func Agents(t *testing.T, kit realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	nodes := []realfleet.Node{{Name: target, Agents: map[string]string{"puppet": "", "haproxy": "", "appmgr": "", "nrpe": ""}}}
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: nodes, Kit: kit})
	d := simulate(t, mode, f.Identity, nodes)
	c, double := Connect(t, f.Options()), Connect(t, d.options)
	backend := map[string]any{"backend": "web", "servers": []string{"a", "b"}}
	for _, row := range []struct {
		action string
		inputs map[string]any
	}{
		{"puppet.status", nil},
		{"puppet.disable", map[string]any{"message": "moving"}},
		{"puppet.disable", nil},
		{"puppet.status", nil},
		{"puppet.runonce", nil},
		{"puppet.enable", nil},
		{"puppet.enable", nil},
		{"puppet.runonce", nil},
		{"haproxy.status", nil},
		{"haproxy.disable", backend},
		{"haproxy.disable", map[string]any{"backend": "web", "server": "c"}},
		{"haproxy.status", nil},
		{"haproxy.enable", backend},
		{"haproxy.enable", map[string]any{"backend": "web"}},
		{"haproxy.status", nil},
		{"appmgr.status", nil},
		{"appmgr.upgrade", map[string]any{"revision": "2.0.0"}},
		{"appmgr.status", nil},
		{"nrpe.runcommand", map[string]any{"command": "check_load"}},
		{"nrpe.runcommand", map[string]any{"command": "check_app"}},
		{"nrpe.runcommand", map[string]any{"command": "nosuch"}},
		{"nrpe.runallcommands", nil},
	} {
		agent, action, _ := strings.Cut(row.action, ".")
		q := choria.Request{Agent: agent, Action: action, Data: row.inputs, Nodes: []string{target}}
		real, err := c.Call(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		simulated, err := double.Call(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := shape(withoutFailures(simulated)), shape(withoutFailures(real)); got != want {
			t.Errorf("%s with %v: only the simulated server says\n%s\nonly the real one says\n%s", row.action, row.inputs, linesNotIn(got, want), linesNotIn(want, got))
		}
	}
}

// withoutFailures takes the data of replies that tell of a failure away.
func withoutFailures(res choria.Result) choria.Result {
	for i := range res.Replies {
		if !res.Replies[i].OK() {
			res.Replies[i].Data = nil
		}
	}
	return res
}
