//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// T-21, F-24: an approval of before a restore opens nothing: one that waits, one that was given and not used, and
// one for the rest of a run. Each gate asks again under another id.
func TestRestored_leavesNoApprovalThatCounts(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", asking("count: 1"))
		h.Book("rest", `
approval: {scope: run}
tasks: [{do: {name: one, destructive: true}}, {do: {name: two, destructive: true, pre_sleep: 600}}]
`)
		waiting, rest := h.Start("b", nil), h.Start("rest", nil)
		first := gate(t, h, waiting)
		if err := word(t, h, rest, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		given := h.Start("b", nil)
		unused := gate(t, h, given)
		log.CutAfter(1, false)
		_ = word(t, h, given, "ben approves")
		h.Stop()
		log.Refuse(nil)
		n, err := engine.Restored(t.Context(), log, "the history was restored")
		if err != nil || n != 3 {
			t.Fatalf("voided %d: %v", n, err)
		}
		if n, err := engine.Restored(t.Context(), log, "again"); err != nil || n != 0 {
			t.Errorf("a second time voided %d: %v", n, err)
		}
		h.Restart()
		time.Sleep(11 * time.Minute)
		for id, before := range map[engine.RunID]*engine.Approval{waiting: first, given: unused} {
			now := gate(t, h, id)
			err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: before.Approval, Actor: person("cat")})
			if now.Approval == before.Approval || err == nil || !strings.Contains(err.Error(), "the history was restored") {
				t.Errorf("a button of before opens %s: %v", now.Approval, err)
			}
		}
		if a := gate(t, h, rest); a.Number != 2 || a.Rests != "" {
			t.Errorf("the rest goes on: %+v", a)
		}
		if h.Script.Calls("drain")+h.Script.Calls("two") > 0 || h.Script.Calls("one") != 1 {
			t.Error("something ran on an approval of before")
		}
		for _, id := range []engine.RunID{waiting, given, rest} {
			_ = h.Engine.Cancel(t.Context(), id, h.Ana, "")
			h.Finish(id)
		}
	}, court())
}
