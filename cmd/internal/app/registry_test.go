package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/playbooks"
)

// registered lets the network describe the agents of the fleet, and playbot ask it.
func registered(t *testing.T, l *app.Local) {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "engine", "choria", "ddl", "testdata", "agents")
	texts := make(map[string]string)
	for agent, file := range map[string]string{
		"appmgr": "appmgr.json", "haproxy": "haproxy/haproxy.json", "nrpe": "nrpe.json", "puppet": "puppet.json", "rpcutil": "rpcutil.json",
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		texts[agent] = string(data)
	}
	l.Fleet.SetRegistry(texts)
	l.Config.Choria.Registry = true
}

// eventually waits for something that nothing tells of. It looks seldom: others need the machine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patient)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// kept waits until the descriptions of agents are in the cache.
func kept(t *testing.T, l *app.Local, agents ...string) {
	t.Helper()
	for _, a := range agents {
		eventually(t, "the description of "+a, func() bool {
			_, err := os.Stat(filepath.Join(l.Config.DataDir, "registry", a+".json"))
			return err == nil
		})
	}
}

func TestWebUpgrade_withAgentsDescribedByTheRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(l *app.Local) { registered(t, l) })
	kept(t, w.Local, "appmgr", "haproxy", "nrpe", "puppet")
	w.say("ana", "/playbook run web_upgrade tier=bravo rev=abc")
	w.click("ben", w.gate(), "approve")
	run := w.newest("web_upgrade")
	if run.Status != engine.RunSuccess {
		t.Fatalf("the run is %s: %s", run.Status, run.Message)
	}
	if got := run.Steps["tasks.4"].Message; !strings.HasSuffix(got, ": Revision: 3 × abc; Previous: 3 × 1.0.0") {
		t.Errorf("the upgrade says %q", got)
	}
	upgraded(t, w)
	edit(t, w.Local, "web_upgrade", "revision:", "revison:")
	types, err := w.Config.Vocabulary() // what `playbot check` knows, with nothing connected
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(w.Config.Playbooks, "web_upgrade.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := playbooks.Parse("web_upgrade.yaml", data, types); err == nil || !strings.Contains(err.Error(), `did you mean "revision"?`) {
		t.Errorf("without a network it says %v", err)
	}
}

func TestWebUpgrade_withARegistryThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	situation{
		gated: true, decide: "approve", executed: allTasks + succeeded, status: engine.RunSuccess, after: upgraded,
		configure: func(t *testing.T, l *app.Local) {
			t.Helper()
			registered(t, l)
			l.Fleet.Fault(fleetsim.Fault{Node: fleetsim.RegistryNode, Kind: fleetsim.Silent})
		},
	}.play(t)
}

// TestLibrary_refusesWhatTheRegistryDoesNotDescribe misspells an input: as soon as the agent is described, the
// playbook cannot be started.
func TestLibrary_refusesWhatTheRegistryDoesNotDescribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(l *app.Local) {
		registered(t, l)
		edit(t, l, "web_upgrade", "revision:", "revison:")
	})
	var err error
	eventually(t, "the playbook to go", func() bool {
		_, err = w.app.Library.Get("web_upgrade")
		return err != nil
	})
	if !strings.Contains(err.Error(), `did you mean "revision"?`) {
		t.Errorf("it says %v", err)
	}
	if answer := w.say("ana", "/playbook run web_upgrade tier=bravo rev=abc"); !strings.Contains(answer, `did you mean "revision"?`) {
		t.Errorf("the answer is %q", answer)
	}
}
