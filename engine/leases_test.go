//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// webBook changes the nodes of a set and stops at a gate first.
const webBook = `
nodes: {web: {type: list, nodes: [web1, web2]}}
tasks: [{do: {name: one, nodes: "{{ nodes.web }}", destructive: true}}]
`

// oneNode is a book that changes web2 at once.
const oneNode = `tasks: [{do: {name: two, nodes: [web2]}}]` + "\n"

func waitsFor(t *testing.T, h *enginetest.House, id engine.RunID) *engine.NodesAwaited {
	t.Helper()
	synctest.Wait()
	return load(t, h, id).AwaitsNodes
}

func cancelRun(t *testing.T, h *enginetest.House, id engine.RunID) {
	t.Helper()
	if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
		t.Fatal(err)
	}
}

func TestLeases_coverWhatTasksMayChange(t *testing.T) {
	t.Parallel()
	const sets = "nodes: {web: {type: list, nodes: [web1, web2]}, db: {type: list, nodes: [db1]}, odd: {type: list, nodes: [odd1]}}\n"
	for name, row := range map[string]struct{ body, want string }{
		"a set":                       {`tasks: [{do: {name: a, nodes: "{{ nodes.web }}"}}]`, "web1 web2"},
		"only reading":                {`tasks: [{do: {name: a, nodes: "{{ nodes.web }}", effect: read_only}}]`, ""},
		"idempotent":                  {`tasks: [{do: {name: a, nodes: "{{ nodes.db }}", effect: idempotent}}]`, "db1"},
		"an effect not known yet":     {`tasks: [{do: {name: a, nodes: "{{ nodes.db }}", effect: "{{ inputs.effect }}"}}]`, "db1"},
		"no nodes":                    {`tasks: [{do: {name: a, any: "{{ nodes.web }}"}}]`, ""},
		"a set in another property":   {`tasks: [{do: {name: a, nodes: "{{ nodes.db }}", any: "{{ nodes.odd }}"}}]`, "db1 odd1"},
		"a computed set":              {`tasks: [{do: {name: a, nodes: "{{ nodes[inputs.set] }}"}}]`, "db1 odd1 web1 web2"},
		"a literal list":              {`tasks: [{do: {name: a, nodes: [x9, x1, x9]}}]`, "x1 x9"},
		"a list from an input":        {`tasks: [{do: {name: a, nodes: "{{ inputs.which }}"}}]`, "x7"},
		"hooks":                       {"tasks: [{do: {name: a}}]\nhooks: {on_fail: [{do: {name: b, nodes: \"{{ nodes.db }}\"}}], always: [{do: {name: c, nodes: [x1]}}]}", "db1 x1"},
		"waves":                       {`tasks: [{rolling: {nodes: "{{ nodes.web }}", batch_size: 1, tasks: [{do: {name: a, nodes: "{{ wave.nodes }}"}}]}}]`, "web1 web2"},
		"waves of a literal list":     {`tasks: [{rolling: {nodes: [x1, x2], batch_size: 1, tasks: [{do: {name: a, nodes: "{{ wave.nodes }}"}}]}}]`, "x1 x2"},
		"waves that only read":        {`tasks: [{rolling: {nodes: "{{ nodes.web }}", batch_size: 1, tasks: [{do: {name: a, nodes: "{{ wave.nodes }}", effect: read_only}}]}}]`, ""},
		"a playbook that wants none":  {"leases: none\ntasks: [{do: {name: a, nodes: \"{{ nodes.web }}\"}}]", ""},
		"a playbook that cannot wait": {"leases: fail\ntasks: [{do: {name: a, nodes: \"{{ nodes.web }}\"}}]", "web1 web2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "inputs: {effect: {type: String, default: once}, set: {type: String, default: web}, which: {type: Array, default: [x7]}}\n"+sets+row.body+"\n")
				var got []string
				id := h.Start("b", nil)
				h.Finish(id)
				for _, e := range h.Events(id) {
					if p, ok := e.Payload.(engine.NodesLeased); ok {
						got = append(got, p.Nodes...)
					}
				}
				if strings.Join(got, " ") != row.want {
					t.Errorf("reserved %v, want %s", got, row.want)
				}
			})
		})
	}
}

func TestLeases_areWaitedForAndNameTheirHolder(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", oneNode)
		first := atGate(h, webBook)
		time.Sleep(time.Minute)
		second := h.Start("b", nil)
		if w := waitsFor(t, h, second); w == nil || w.Holder.Run != first || w.Holder.Who != "ana" || !slices.Equal(w.Nodes, []string{"web2"}) || time.Since(w.Holder.Since) != time.Minute {
			t.Errorf("the run says that it waits for %+v, want web2 of %s since a minute", w, first)
		}
		cancelRun(t, h, first)
		if run := h.Finish(second); run.Status != engine.RunSuccess || run.AwaitsNodes != nil || run.Leases != nil {
			t.Errorf("the run is %s, waits for %+v and has %v", run.Status, run.AwaitsNodes, run.Leases)
		}
	})
}

func TestLeases_areNotWaitedForLongerThanALock(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body string
		took time.Duration
		want string
	}{
		"wait": {oneNode, 2 * time.Minute, "for 3m0s; waited 2m0s. Try again when that run has ended"},
		"fail": {"leases: fail\n" + oneNode, 0, "for 1m0s. Try again when that run has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", row.body)
				first := atGate(h, webBook)
				time.Sleep(time.Minute)
				began := time.Now()
				run := h.Finish(h.Start("b", nil))
				if took := time.Since(began); took != row.took {
					t.Errorf("it waited %s", took)
				}
				if who := "web2 is reserved by " + first.Short() + " (ana) since "; run.Status != engine.RunFailed || !strings.HasPrefix(run.Message, who) || !strings.HasSuffix(run.Message, row.want) {
					t.Errorf("the run is %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

func TestLeases_endWithTheRunHoweverItEnds(t *testing.T) {
	t.Parallel()
	howeverItEnds(t, func(t *testing.T, h *enginetest.House, how string) {
		h.Book("a", `tasks: [{do: {name: one, nodes: [web1, web2]}}]`+"\n")
		h.Book("b", oneNode)
		first := h.Start("a", nil)
		synctest.Wait()
		if how == "crash" { // the run asks a person; it keeps its nodes until that is answered
			h.Stop()
			h.Restart()
			synctest.Wait()
		}
		if how == "cancel" || how == "crash" {
			second := h.Start("b", nil)
			if w := waitsFor(t, h, second); w == nil || w.Holder.Run != first {
				t.Errorf("the second run waits for %+v", w)
			}
			cancelRun(t, h, first)
		}
		h.Finish(first)
		began := time.Now()
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunSuccess || time.Since(began) > time.Second {
			t.Errorf("the next run is %s after %s: %s", run.Status, time.Since(began), run.Message)
		}
	}, "crash")
}

// What is waited for before the preparation is over is waited for again, and nothing is kept of it.
func TestLeases_thatAreWaitedForAreNotHeldAfterARestart(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `tasks: [{do: {name: two, nodes: [web2, web3]}}]`+"\n")
		h.Book("c", `tasks: [{do: {name: three, nodes: [web3]}}]`+"\n")
		first := atGate(h, webBook)
		second := h.Start("b", nil)
		synctest.Wait()
		restartAtOnce(t, h)
		if run := h.Finish(h.Start("c", nil)); run.Status != engine.RunSuccess {
			t.Errorf("a node that is only waited for is kept from others: %s", run.Message)
		}
		if w := waitsFor(t, h, second); w == nil || w.Holder.Run != first {
			t.Errorf("after the restart the run waits for %+v", w)
		}
		cancelRun(t, h, first)
		if run := h.Finish(second); run.Status != engine.RunSuccess {
			t.Errorf("after the restart the run is %s: %s", run.Status, run.Message)
		}
	})
}

func TestLeases_ofNodesThatOnlyATaskKnowsAreTakenWhenItStarts(t *testing.T) {
	t.Parallel()
	const late = `
tasks:
  - do: {name: find, as: found, effect: read_only}
  - do: {name: one, nodes: "{{ tasks.found.data }}", destructive: true}
`
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("late", late)
		h.Book("b", oneNode)
		h.Script.On("find", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{Data: []any{"web2"}}, nil
		})
		h.Script.On("two", slow)
		second := h.Start("late", nil)
		synctest.Wait()
		first := h.Start("b", nil)
		synctest.Wait()
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: second, Approval: load(t, h, second).Pending().Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		if w := waitsFor(t, h, second); w == nil || w.Holder.Run != first {
			t.Errorf("it waits for %+v, want web2 of %s", w, first)
		}
		if run := h.Finish(second); run.Status != engine.RunSuccess || h.Script.Calls("one") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
	})
}

func TestLeases_areSharedByAFamily(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("inner", `tasks: [{do: {name: two, nodes: [web2, web3]}}]`+"\n")
		h.Book("outer", "tasks:\n  - do: {name: one, nodes: [web1, web2]}\n  - child: {name: inner}\n  - do: {name: three, nodes: [web1], destructive: true}\n")
		h.Book("b", `tasks: [{do: {name: four, nodes: [web3]}}]`+"\n")
		h.Book("c", oneNode)
		outer := h.Start("outer", nil)
		synctest.Wait()
		if run := load(t, h, outer); run.Pending() == nil {
			t.Fatalf("got\n%s", enginetest.Transcript(run))
		}
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunSuccess {
			t.Errorf("the child's own node is kept after its end: %s", run.Message)
		}
		if w := waitsFor(t, h, h.Start("c", nil)); w == nil || w.Holder.Run != outer {
			t.Errorf("the parent's node is free after the end of its child: %+v", w)
		}
		cancelRun(t, h, outer)
	})
}

// Two runs that each want what the other has would wait until both give up.
func TestLeases_aCircleIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		for _, name := range []string{"1", "2"} {
			other := map[string]string{"1": "web2", "2": "web1"}[name]
			h.Book("inner"+name, fmt.Sprintf("tasks: [{do: {name: in%s, nodes: [%s]}}]\n", name, other))
			h.Book("outer"+name, fmt.Sprintf("tasks:\n  - do: {name: out%s, nodes: [web%s]}\n  - child: {name: inner%s}\n", name, name, name))
			h.Script.On("out"+name, slow)
		}
		first := h.Start("outer1", nil)
		time.Sleep(time.Second)
		second := h.Start("outer2", nil)
		began := time.Now()
		run := h.Finish(second)
		took, child := time.Since(began), load(t, h, run.Steps["tasks.2"].Last().Outcome.Result.Child)
		if run.Status != engine.RunFailed || !strings.HasSuffix(child.Message, "and that run waits for nodes of this one; run one after the other") || took != time.Minute {
			t.Errorf("the second run is %s after %s, its child says: %s", run.Status, took, child.Message)
		}
		if run := h.Finish(first); run.Status != engine.RunSuccess {
			t.Errorf("the first run is %s: %s", run.Status, run.Message)
		}
	})
}
