//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// stream lets runs over n2 and n3 by turns begin every ten seconds and take twenty, so that one of the two is
// always busy, while nobody waits for long.
func stream(t *testing.T, h *enginetest.House, from, to int) (ids []engine.RunID) {
	t.Helper()
	h.Book("even", "tasks: [{touch: {nodes: [n2], takes: 20}}]\n")
	h.Book("odd", "tasks: [{touch: {nodes: [n3], takes: 20}}]\n")
	for i := from; i < to; i++ {
		ids = append(ids, h.Start([]string{"even", "odd"}[i%2], nil))
		time.Sleep(10 * time.Second)
	}
	return ids
}

func TestLeases_aRunOverManyNodesIsNotKeptWaitingByOthersOverFew(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t)
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		fleet.house = h
		h.Book("many", "tasks: [{touch: {nodes: [n1, n2, n3, n4], takes: 5}}]\n")
		stream(t, h, 0, 2)
		many := h.Start("many", nil)
		few := stream(t, h, 2, 14)
		if run := h.Finish(many); run.Status != engine.RunSuccess {
			t.Fatalf("the run over many nodes is %s: %s", run.Status, run.Message)
		}
		waited := 0
		for _, id := range few {
			if run := h.Finish(id); run.Status != engine.RunSuccess {
				t.Errorf("a run over few nodes is %s: %s", run.Status, run.Message)
			}
			for _, e := range h.Events(id) {
				if p, ok := e.Payload.(engine.NodesAwaited); ok && p.Queued && p.Holder.Run == many {
					waited++
				}
			}
		}
		if waited == 0 {
			t.Error("nobody waited behind it")
		}
	}, fleet.types)
}

func TestLeases_whoWaitsBehindAnotherGoesOnWhenThatOneGivesUp(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func(t *testing.T, h *enginetest.House, id engine.RunID){
		"cancelled": cancelRun,
		"timed out": func(_ *testing.T, h *enginetest.House, id engine.RunID) { h.Finish(id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("many", "tasks: [{do: {name: two, nodes: [web2, web3]}}]\n")
				h.Book("few", "tasks: [{do: {name: three, nodes: [web3]}}]\n")
				gated := atGate(h, webBook)
				many := h.Start("many", nil)
				time.Sleep(20 * time.Second)
				if run := h.Finish(h.Start("few", nil)); run.Status != engine.RunSuccess || time.Since(run.At) > 0 {
					t.Errorf("before its turn nobody waits behind it, but the run is %s after %s", run.Status, time.Since(run.At))
				}
				time.Sleep(20 * time.Second)
				few := h.Start("few", nil)
				if w := waitsFor(t, h, few); w == nil || !w.Queued || w.Holder.Run != many {
					t.Fatalf("it waits for %+v, want behind %s", w, many)
				}
				give(t, h, many)
				if run := h.Finish(few); run.Status != engine.RunSuccess || !run.Ended.Equal(load(t, h, many).Ended) {
					t.Errorf("the run behind it is %s at %s", run.Status, run.Ended)
				}
				cancelRun(t, h, gated)
			})
		})
	}
}

// A run that waits its turn waits for nodes of a family, whose child then wants a node that nobody has.
func TestLeases_whoHasNodesIsLetPastWhoWaitsForThem(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("one", slow)
		h.Book("inner", "tasks: [{do: {name: in, nodes: [web2]}}]\n")
		h.Book("outer", "tasks:\n  - do: {name: one, nodes: [web1]}\n  - child: {name: inner}\n")
		h.Book("many", "tasks: [{do: {name: two, nodes: [web1, web2]}}]\n")
		outer := h.Start("outer", nil)
		synctest.Wait()
		many := h.Start("many", nil)
		began := time.Now()
		for _, id := range []engine.RunID{outer, many} {
			if run := h.Finish(id); run.Status != engine.RunSuccess || time.Since(began) != time.Minute {
				t.Errorf("%s is %s after %s: %s", run.Requested.Playbook.Name, run.Status, time.Since(began), run.Message)
			}
		}
	})
}
