//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// The nodes of the parent are also its child's, which learns only late which it wants, and never
// leases them before that. So nothing but the order keeps the two apart.
const (
	changingParent = `
data_stores: {s: {type: map}}
locks: [s/tier]
tasks:
  - child: {name: inner}
  - touch: {nodes: [n1], takes: 3600}
hooks:
  on_fail: [{touch: {nodes: [n2], takes: 3600}}]
  always: [{touch: {nodes: [n3], takes: 3600}}]
`
	changingChild = `
tasks:
  - do: {name: look, effect: read_only, pre_sleep: 10m}
  - find: {as: found, nodes: [n1, n2, n3]}
  - touch: {nodes: "{{ tasks.found.data }}", takes: 60}
hooks:
  always:
    - do: {name: breathe, effect: read_only, pre_sleep: 5}
    - find: {as: back, nodes: [n1, n2, n3]}
    - touch: {nodes: "{{ tasks.back.data }}", takes: 60}
`
)

// cutOffParent is a parent whose process has died so often that a person is asked about the task that
// started the child, which waits.
func cutOffParent(t *testing.T, h *enginetest.House) (outer, inner engine.RunID) {
	t.Helper()
	h.Book("outer", changingParent)
	h.Book("inner", changingChild)
	outer = h.Start("outer", nil)
	inner = childOf(t, h, outer)
	for load(t, h, outer).Unknown() == nil {
		h.Stop()
		h.Restart()
	}
	return outer, inner
}

// What becomes of both is held against the promises by the fleet, and by the house when it closes.
func TestFamily_aParentThatWasCutOffGoesOnAfterTheEndOfItsChild(t *testing.T) {
	t.Parallel()
	for _, choice := range []engine.Resolution{engine.ResolveRetry, engine.ResolveDone, engine.ResolveFailed, engine.ResolveAbort} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t)
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				fleet.house = h
				outer, inner := cutOffParent(t, h)
				resolve(t, h, outer, "tasks.1", choice)
				if run := h.Finish(inner); run.Status != engine.RunCancelled {
					t.Errorf("the child is %s: %s", run.Status, run.Message)
				}
				want := map[engine.Resolution]string{
					engine.ResolveRetry:  "tasks.1 ok x5\ntasks.2 ok\nalways.1 ok\nsuccess: 2 of 2 tasks done",
					engine.ResolveDone:   "tasks.1 ok x4\ntasks.2 ok\nalways.1 ok\nsuccess: 2 of 2 tasks done",
					engine.ResolveFailed: "tasks.1 failed x4\non_fail.1 ok\nalways.1 ok\nfailed: \"child task\" failed: marked failed by ben",
					engine.ResolveAbort:  "tasks.1 cancelled x4\nalways.1 ok\ncancelled: aborted by ben at \"child task\"",
				}
				wantTranscript(t, h.Finish(outer), want[choice])
			}, fleet.types)
		})
	}
}

func TestFamily_aParentThatWasCancelledAndCutOffGoesOnAfterTheEndOfItsChild(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]string{
		"child":      changingChild,
		"grandchild": "tasks: [{child: {name: last}}]\nhooks: {always: [{touch: {nodes: [n2], takes: 600}}]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fleet := newFleet(t)
			inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
				fleet.house = h
				h.Book("outer", changingParent)
				h.Book("inner", between)
				h.Book("last", changingChild)
				outer := h.Start("outer", nil)
				below := []engine.RunID{childOf(t, h, outer)}
				if name == "grandchild" {
					below = append(below, childOf(t, h, below[0]))
				}
				h.Script.OnUnlock(func(context.Context) error {
					for _, id := range below {
						if run, err := h.Engine.Load(t.Context(), id); err != nil || run.Ended.IsZero() {
							t.Errorf("the lock was released while %s works under it (%v)", id.Short(), err)
						}
					}
					return nil
				})
				log.CutAfter(1, false) // that ana cancels the parent is written, and no more
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_ = h.Engine.Cancel(ctx, outer, h.Ana, "stop")
				h.Stop()
				log.Refuse(nil)
				h.Restart()
				wantTranscript(t, h.Finish(outer), "tasks.1 cancelled\nalways.1 ok\ncancelled: cancelled by ana: stop")
				for _, id := range below {
					if run := h.Finish(id); run.Status != engine.RunCancelled {
						t.Errorf("below:\n%s", enginetest.Transcript(run))
					}
				}
			}, fleet.types)
		})
	}
}
