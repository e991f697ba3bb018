package mcollective_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestRun_replyToAnEarlierTryIsNotOneToThis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		// the first try waits 20 s in vain; its reply comes while the second waits for a node that keeps silent
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Action: "rpcutil.ping", Kind: fleetsim.Late, Delay: 25 * time.Second, Times: 1})
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Action: "rpcutil.ping", Kind: fleetsim.Silent, Times: 1})
		h.Book("b", `tasks: [{mcollective: {action: rpcutil.ping, nodes: [web5.example.net], tries: 2, try_sleep: 1}}]`)
		run := h.Finish(h.Start("b", nil))
		attempts := run.Steps["tasks.1"].Attempts
		if run.Status != engine.RunFailed || len(attempts) != 2 || short(attempts[1].Outcome.Result.SilentNodes) != "web5" {
			t.Errorf("%s: %s; %d attempts", run.Status, run.Message, len(attempts))
		}
	})
}

func TestRun_cancelStopsBetweenBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		h.Book("b", `
tasks:
  - mcollective:
      action: appmgr.upgrade
      nodes: [web4.example.net, web5.example.net, web6.example.net]
      properties: {revision: abc}
      batch_size: 1
      batch_sleep_time: 10m
`)
		id := h.Start("b", nil)
		time.Sleep(11 * time.Minute) // virtual: two batches are through
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, "enough"); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		result := run.Steps["tasks.1"].Last().Outcome.Result
		if run.Status != engine.RunCancelled || short(result.OKNodes) != "web4 web5" || w.fleet.Count("", "appmgr.upgrade") != 2 {
			t.Errorf("%s: %s; %+v", run.Status, run.Message, result)
		}
		if rev := w.fleet.Node("web6" + suffix).Revision; rev == "abc" {
			t.Error("web6 was upgraded after the run was cancelled")
		}
	})
}
