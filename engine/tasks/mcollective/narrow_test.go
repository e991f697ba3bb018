package mcollective_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
)

// asked is who was asked in each request, in their order.
func (w *world) asked() []string {
	var out []string
	var request string
	for _, c := range w.fleet.Calls() {
		if c.RequestID != request {
			request, out = c.RequestID, append(out, "")
		}
		out[len(out)-1] = strings.TrimSpace(out[len(out)-1] + " " + strings.TrimSuffix(c.Node, suffix))
	}
	for i, nodes := range out {
		out[i] = strings.Join(slices.Sorted(slices.Values(strings.Fields(nodes))), " ")
	}
	return out
}

func TestRetry_failedAsksOnlyTheNodesThatAreNotOKYet(t *testing.T) {
	t.Parallel()
	for retry, want := range map[string]string{
		"failed": "web1 web2, web2 web3, web3 web4 web5 web6",
		"all":    "web1 web2, web1 web2 web3 web4, web1 web2 web3 web4 web5 web6",
	} {
		t.Run(retry, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, h := house(t)
				// the first try ends after web2 failed, the second after web3 kept silent; then all is well
				w.fleet.Fault(fleetsim.Fault{Node: "web2" + suffix, Action: "appmgr.upgrade", Kind: fleetsim.Fail, Message: "busy", Times: 1})
				w.fleet.Fault(fleetsim.Fault{Node: "web3" + suffix, Action: "appmgr.upgrade", Kind: fleetsim.Silent, Times: 1})
				h.Book("b", `
tasks:
  - mcollective:
      action: appmgr.upgrade
      nodes: [web1.example.net, web2.example.net, web3.example.net, web4.example.net, web5.example.net, web6.example.net]
      properties: {revision: abc}
      batch_size: 2
      retry: `+retry+`
      tries: 3
      try_sleep: 30
      as: up
  - rpc: {action: rpcutil.ping, nodes: "{{ tasks.up.ok_nodes }}"}
`)
				run := h.Finish(h.Start("b", nil))
				attempts := run.Steps["tasks.1"].Attempts
				if run.Status != engine.RunSuccess || len(attempts) != 3 {
					t.Fatalf("%s: %s after %d attempts", run.Status, run.Message, len(attempts))
				}
				if got := strings.Join(w.asked()[:3], ", "); got != want {
					t.Errorf("asked %s; want %s", got, want)
				}
				for i, a := range attempts {
					r := a.Outcome.Result
					if n := len(r.OKNodes) + len(r.FailedNodes) + len(r.SilentNodes) + len(r.UnaskedNodes); n != 6 {
						t.Errorf("the result of attempt %d accounts for %d of 6 nodes: %+v", i+1, n, r)
					}
				}
				last := attempts[2]
				if short(last.Outcome.Result.OKNodes) != "web1 web2 web3 web4 web5 web6" || len(last.Outcome.Result.Data.([]any)) != 6 {
					t.Errorf("got %+v, want every node and its reply", last.Outcome.Result)
				}
				if retry == "failed" && (short(last.Nodes) != "web3 web4 web5 web6" || !strings.HasPrefix(last.Outcome.Result.Message, "6 of 6 ok, 2 of them in an earlier try")) {
					t.Errorf("the last attempt is on record for %s: %s", short(last.Nodes), last.Outcome.Result.Message)
				}
				if n := w.fleet.Count("", "rpcutil.ping"); n != 6 {
					t.Errorf("tasks.up.ok_nodes are %d nodes, want 6", n)
				}
			})
		})
	}
}

func TestRetry_failedWaitsForEachNodeUntilItSatisfies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		disable := map[string]any{"action": "puppet.disable", "nodes": web("5"), "properties": map[string]any{"message": "x"}}
		if _, _, err := w.run(t, disable); err != nil {
			t.Fatal(err)
		}
		h.Book("b", `
tasks:
  - mcollective:
      action: puppet.status
      nodes: [web4.example.net, web5.example.net, web6.example.net]
      expect: data.enabled
      retry: failed
      tries: 10
      try_sleep: 30
`)
		id := h.Start("b", nil)
		time.Sleep(75 * time.Second) // virtual: three tries
		enable := map[string]any{"action": "puppet.enable", "nodes": web("5")}
		if _, _, err := w.run(t, enable); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || w.fleet.Count("web5"+suffix, "puppet.status") != 4 || w.fleet.Count("", "puppet.status") != 6 {
			t.Errorf("%s: %s; asked %q", run.Status, run.Message, w.asked())
		}
	})
}

func TestRetry_failedCountsFailuresOfTheWholeTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		for _, n := range []string{"1", "2", "3"} {
			w.fleet.Fault(fleetsim.Fault{Node: "web" + n + suffix, Action: "rpcutil.ping", Kind: fleetsim.Fail, Message: "busy", Times: 1})
		}
		w.fleet.Fault(fleetsim.Fault{Node: "web1" + suffix, Action: "rpcutil.ping", Kind: fleetsim.Fail, Message: "busy"})
		h.Book("b", `
tasks:
  - mcollective:
      action: rpcutil.ping
      nodes: [web1.example.net, web2.example.net, web3.example.net, web4.example.net, web5.example.net, web6.example.net]
      max_failures: 17%
      retry: failed
      tries: 3
`)
		run := h.Finish(h.Start("b", nil))
		result := run.Steps["tasks.1"].Last().Outcome.Result
		want := `5 of 6 ok, 3 of them in an earlier try; 1 failed: web1 said "busy"; at most 1 allowed`
		if got := strings.ReplaceAll(result.Message, suffix, ""); run.Status != engine.RunSuccess || got != want {
			t.Errorf("%s: got %q, want %q", run.Status, got, want)
		}
	})
}

// narrow narrows a task by a result that has been through the log.
func narrow(t *testing.T, task engine.Task, last engine.Result) engine.Task {
	t.Helper()
	raw, err := json.Marshal(last)
	if err != nil {
		t.Fatal(err)
	}
	var back engine.Result
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	narrower, ok := task.(engine.Narrower)
	if !ok {
		t.Fatalf("%T cannot be narrowed", task)
	}
	return narrower.Narrow(back)
}

func TestNarrow_keepsWhatIsKnownWhenNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Fail, Message: "busy"})
		properties := ask("rpcutil.ping", "retry", "failed")
		first, _, err := w.run(t, properties)
		if err == nil {
			t.Fatal("the first try is a success")
		}
		task := decode(t, w.client, properties)
		w.client.Close()
		result, err := narrow(t, task, first).Run(t.Context(), tasktest.Call(nil))
		if engine.CodeOf(err) != engine.CodeNotSent || short(result.OKNodes) != "web4 web6" || short(result.UnaskedNodes) != "web5" || len(result.Data.([]any)) != 2 {
			t.Errorf("got %+v, %v", result, err)
		}
	})
}

func TestNarrow_asksNobodyWhenEveryNodeIsOK(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		properties := ask("appmgr.status", "retry", "failed", "post", []any{"summarize"})
		first, _, err := w.run(t, properties)
		if err != nil {
			t.Fatal(err)
		}
		calls := len(w.fleet.Calls())
		result, err := narrow(t, decode(t, w.client, properties), first).Run(t.Context(), tasktest.Call(nil))
		want := "3 of 3 ok, 3 of them in an earlier try: 3 × revision=1.0.0 status=running"
		if err != nil || result.Message != want || len(w.fleet.Calls()) != calls {
			t.Errorf("got %q, %v after %d more calls; want %q", result.Message, err, len(w.fleet.Calls())-calls, want)
		}
	})
}

func TestNarrow_leavesOutNodesThatTheTaskHasNoMore(t *testing.T) {
	t.Parallel()
	last := engine.Result{OKNodes: []string{"web1" + suffix, "web4" + suffix}, FailedNodes: []string{"web5" + suffix}}
	task := narrow(t, decode(t, nil, ask("rpcutil.ping", "retry", "failed")), last)
	if got := short(task.(engine.Targeted).Targets()); got != "web5 web6" {
		t.Errorf("got the targets %s", got)
	}
	task = narrow(t, decode(t, nil, ask("rpcutil.ping")), last)
	if got := short(task.(engine.Targeted).Targets()); got != "web4 web5 web6" {
		t.Errorf("without retry: got the targets %s", got)
	}
}
