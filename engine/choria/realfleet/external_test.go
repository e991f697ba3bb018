package realfleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

const web1 = "web1.example.net"

// agents starts one server with external agents, and our client.
func agents(t *testing.T, versions map[string]string) (*realfleet.Fleet, *choria.Client) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Kit: kit, Nodes: []realfleet.Node{{Name: web1, Agents: versions}}})
	return f, realfleettest.Connect(t, f.Options())
}

// ask calls an action of the server and returns its reply.
func ask(t *testing.T, c *choria.Client, agent, action string, inputs map[string]any) choria.Reply {
	t.Helper()
	res, err := c.Call(t.Context(), choria.Request{Agent: agent, Action: action, Data: inputs, Nodes: []string{web1}})
	if err != nil || len(res.Replies) != 1 {
		t.Fatalf("%s.%s: got %v, %+v; want one reply", agent, action, err, res)
	}
	return res.Replies[0]
}

func TestExternal_agentsHaveTheVersionsOfTheirDescriptions(t *testing.T) {
	t.Parallel()
	f, c := agents(t, map[string]string{"puppet": "", "appmgr": "1.9.0"})
	got, err := c.Agents(t.Context(), f.Names())
	if err != nil {
		t.Fatal(err)
	}
	for agent, want := range map[string]string{"puppet": "1.13.1", "appmgr": "1.9.0", "nrpe": ""} {
		if version := got[web1][agent]; version != want {
			t.Errorf("%s has version %q, want %q", agent, version, want)
		}
	}
}

func TestExternal_inputsAreCheckedByTheServer(t *testing.T) {
	t.Parallel()
	f, c := agents(t, map[string]string{"appmgr": ""})
	for want, inputs := range map[string]map[string]any{
		"input 'revision' is required": nil,
		"does not match ":              {"revision": "a b"},
	} {
		r := ask(t, c, "appmgr", "upgrade", inputs)
		if r.StatusCode != 1 || !strings.HasPrefix(r.StatusMsg, "Validation failed: ") || !strings.Contains(r.StatusMsg, want) {
			t.Errorf("with %v: %d %s; want 1 and %s", inputs, r.StatusCode, r.StatusMsg, want)
		}
	}
	if s := f.State(t, web1); s.Upgrades != 0 {
		t.Errorf("upgraded %d times, want never", s.Upgrades)
	}
}

// A server gives up an agent after the time of its description, 5 seconds for nrpe, kills it and
// answers nothing: whoever asked sees a silent node.
func TestExternal_anAgentThatHangsIsGivenUpInSilence(t *testing.T) {
	t.Parallel()
	f, c := agents(t, map[string]string{"nrpe": ""})
	f.Fault(t, webagents.Fault{Action: "nrpe.runcommand", Kind: webagents.Silent, Times: 1})
	q := choria.Request{Agent: "nrpe", Action: "runcommand", Data: map[string]any{"command": "check_load"}, Nodes: []string{web1}, Timeout: 8 * time.Second}
	res, err := c.Call(t.Context(), q)
	if err != nil || strings.Join(res.Silent, " ") != web1 || len(res.Replies) > 0 {
		t.Errorf("got %v, %+v; want a silent node", err, res)
	}
	const killed, looks = "Could not call external agent nrpe#runcommand: executing nrpe failed: exit status -1", 1000
	for range looks { // it is killed 1.5 seconds after it is given up
		if r := ask(t, c, "nrpe", "runcommand", q.Data); !r.OK() {
			t.Fatalf("the fault is used up, and yet: %d %s", r.StatusCode, r.StatusMsg)
		}
		if strings.Contains(f.Log(t, web1), killed) {
			return
		}
	}
	t.Errorf("the server's log does not say %q:\n%s", killed, f.Log(t, web1))
}

func TestExternal_faultsHoldForTheirActionNodeAndNumber(t *testing.T) {
	t.Parallel()
	f, c := agents(t, map[string]string{"appmgr": ""})
	f.Fault(t, webagents.Fault{Node: "other.example.net", Action: "appmgr.status", Kind: webagents.Fail})
	f.Fault(t, webagents.Fault{Node: web1, Action: "appmgr.upgrade", Kind: webagents.Fail, Times: 2, Message: "disk full"})
	var got []string
	for range 3 {
		got = append(got, ask(t, c, "appmgr", "upgrade", map[string]any{"revision": "2.0.0"}).StatusMsg, ask(t, c, "appmgr", "status", nil).StatusMsg)
	}
	if got, want := strings.Join(got, ", "), "disk full, OK, disk full, OK, OK, OK"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if s := f.State(t, web1); s.Upgrades != 1 || s.Running() != "2.0.0" {
		t.Errorf("got %+v; want one upgrade to 2.0.0", s)
	}
}
