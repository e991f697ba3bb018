package realfleet_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// upgradeBook upgrades the servers of one tier and asks them what they run.
const upgradeBook = `
uses: {rpcutil: ">= 0.0.1", appmgr: "^2.1.0"}
nodes:
  web:
    type: mcollective
    facts: ["tier=alfa"]
    classes: ["roles::webserver"]
    test: true
    uses: [appmgr]
tasks:
  - mcollective:
      description: Upgrade
      nodes: "{{{ nodes.web }}}"
      action: appmgr.upgrade
      properties: {revision: 2.0.0}
`

// house is our engine on a real file, with the real network behind its mcollective types.
func house(t *testing.T, f *realfleet.Fleet) *enginetest.House {
	t.Helper()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	o := f.Options()
	o.Window = realfleettest.LongWindow
	c := realfleettest.Connect(t, o)
	return enginetest.NewHouse(t, log, func(o *engine.Options) {
		o.Types, o.Fleet = builtin.Types(builtin.Deps{Network: c}), c
	})
}

func TestPlaybook_runsATaskOnTheServersItDiscovered(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{})
	h := house(t, f)
	h.Book("upgrade", upgradeBook)
	id := h.Start("upgrade", nil)
	run := h.Finish(id)
	want := "tasks.1 ok\nsuccess: 1 of 1 tasks done"
	if got := strings.TrimSpace(enginetest.Transcript(run)); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	var asked []string
	for _, call := range f.Calls() {
		asked = append(asked, call.Node+" "+call.Action)
		if call.Caller != "choria="+f.Identity {
			t.Errorf("%s was asked by %s, want choria=%s", call.Node, call.Caller, f.Identity)
		}
	}
	slices.Sort(asked)
	if got, want := strings.Join(asked, ", "), "web1.example.net upgrade, web3.example.net upgrade"; got != want {
		t.Errorf("the servers were asked %q, want %q", got, want)
	}
	for node, want := range map[string]string{"web1.example.net": "2.0.0", "web2.example.net": "1.0.0", "web3.example.net": "2.0.0", "lb1.example.net": "1.0.0"} {
		if got := f.Revision(node); got != want {
			t.Errorf("%s runs %s, want %s", node, got, want)
		}
	}
	if problems := enginetest.Check(h.Events(id)); len(problems) > 0 {
		t.Errorf("the events of the run break promises: %q", problems)
	}
}

func TestPlaybook_stopsWhenAServerRefuses(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{Nodes: realfleet.Six()[:2]})
	h := house(t, f)
	h.Book("upgrade", strings.Replace(strings.Replace(upgradeBook, "properties: {revision: 2.0.0}", "properties: {}", 1), "test: true", "test: false", 1))
	run := h.Finish(h.Start("upgrade", nil))
	if run.Status != engine.RunFailed || !strings.Contains(run.Message, "missing input revision") {
		t.Errorf("got %s: %s; want failed, with what the server said", run.Status, run.Message)
	}
	if got := f.Revision("web1.example.net"); got != "1.0.0" {
		t.Errorf("web1 runs %s, want 1.0.0", got)
	}
}

func TestPlaybook_isNotStartedOnServersWithAnOlderAgent(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{Nodes: realfleet.Six()[:2]})
	h := house(t, f)
	h.Book("upgrade", strings.Replace(upgradeBook, "^2.1.0", "^3.0.0", 1))
	run := h.Finish(h.Start("upgrade", nil))
	if run.Status != engine.RunFailed || !strings.Contains(run.Message, "appmgr") {
		t.Errorf("got %s: %s; want failed, with the agent that does not comply", run.Status, run.Message)
	}
	if calls := f.Calls(); len(calls) > 0 {
		t.Errorf("the servers were asked %+v, want nothing", calls)
	}
}
