package mcollective_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// house is an engine on a real file, with a simulated fleet; it belongs into a bubble of virtual time.
func house(t *testing.T) (*world, *enginetest.House) {
	t.Helper()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	w := start(t)
	return w, enginetest.NewHouse(t, log, func(o *engine.Options) {
		o.Types.Tasks = append(o.Types.Tasks, mcollective.Type(w.client, nil))
	})
}

func TestRun_aTryAsksEveryNodeAgainInARequestOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Action: "nrpe.runcommand", Kind: fleetsim.Fail, Times: 2})
		h.Book("b", `
tasks:
  - mcollective:
      action: nrpe.runcommand
      nodes: [web4.example.net, web5.example.net]
      properties: {command: check_load}
      tries: 5
      try_sleep: 30
`)
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunSuccess || w.fleet.Count("", "nrpe.runcommand") != 6 {
			t.Fatalf("%s: %s after %d calls, want success after 3 tries of 2 nodes", run.Status, run.Message, w.fleet.Count("", "nrpe.runcommand"))
		}
		ids := map[string]int{}
		for _, c := range w.fleet.Calls() {
			ids[c.RequestID]++
		}
		if len(ids) != 3 {
			t.Errorf("got the requests %v, want one per try", ids)
		}
		attempts := run.Steps["tasks.1"].Attempts
		if first := attempts[0].Outcome.Result; short(first.OKNodes) != "web4" || short(first.FailedNodes) != "web5" {
			t.Errorf("the first try is on record as %+v", first)
		}
		for id := range ids {
			if !strings.HasPrefix(id, strings.ToLower(string(run.ID))) {
				t.Errorf("the request %s does not name the run %s", id, run.ID)
			}
		}
	})
}

func TestRun_failureAfterAllTriesIsTheTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Action: "puppet.status", Kind: fleetsim.Silent})
		h.Book("b", `tasks: [{rpc: {action: puppet.status, nodes: [web5.example.net], tries: 2}}]`)
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed || w.fleet.Count("", "puppet.status") != 2 {
			t.Errorf("%s: %s after %d calls", run.Status, run.Message, w.fleet.Count("", "puppet.status"))
		}
	})
}

func TestType_effectFollowsThePolicysPatterns(t *testing.T) {
	t.Parallel()
	defaults, err := policy.New(policy.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := policy.New(policy.Rules{ReadOnly: []string{"appmgr.*"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		readOnly func(string) bool
		action   string
		want     engine.Effect
	}{
		{defaults.ReadOnly, "rpcutil.ping", engine.ReadOnly},
		{defaults.ReadOnly, "puppet.status", engine.ReadOnly},
		{defaults.ReadOnly, "nrpe.runcommand", engine.ReadOnly},
		{defaults.ReadOnly, "puppet.disable", engine.Once},
		{defaults.ReadOnly, "appmgr.upgrade", engine.Once},
		{defaults.ReadOnly, "nosuch.status", engine.Once},
		{own.ReadOnly, "appmgr.upgrade", engine.ReadOnly},
		{own.ReadOnly, "rpcutil.ping", engine.Once},
		{nil, "rpcutil.ping", engine.Once},
	} {
		task, err := mcollective.Type(nil, row.readOnly).Decode(playbooks.FromMap(ask(row.action)))
		if err != nil || task.Effect() != row.want {
			t.Errorf("%s: got %v, %v; want %s", row.action, task, err, row.want)
		}
	}
}
