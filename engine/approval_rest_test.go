//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// twoGates is a playbook of two gated tasks on these terms.
func twoGates(first, second string) string {
	return fmt.Sprintf(`
nodes: {web: {type: list, nodes: [web1, web2]}}
tasks:
  - do: {name: drain, destructive: true, approval: {%s}}
  - do: {name: fill, nodes: "{{ nodes.web }}", destructive: true, approval: {%s}}
`, first, second)
}

func TestRest_coversLaterGatesThatAskForNoMore(t *testing.T) {
	t.Parallel()
	rest := []string{"ben approves the rest"}
	grows := func(h *enginetest.House) {
		h.Script.On("drain", func(context.Context, int, *engine.Call) (engine.Result, error) {
			h.Script.Discover("web1", "web1", "web2", "web3")
			return engine.Result{}, nil
		})
	}
	takes := func(d time.Duration) func(h *enginetest.House) {
		return func(h *enginetest.House) {
			h.Script.On("drain", func(context.Context, int, *engine.Call) (engine.Result, error) {
				time.Sleep(d)
				return engine.Result{}, nil
			})
		}
	}
	for name, row := range map[string]struct {
		first, second string
		says          []string
		script        func(h *enginetest.House)
		covered       bool
	}{
		"a gate on the same terms":     {first: "scope: run", second: "scope: run", says: rest, covered: true},
		"a gate on no terms":           {first: "scope: run, from: [sre]", second: "count: 1", says: rest, covered: true},
		"nothing when nobody said so":  {first: "scope: run", second: "scope: run", says: []string{"ben approves"}},
		"no gate that is for itself":   {first: "scope: run", second: "scope: step", says: rest},
		"no gate for more people":      {first: "scope: run", second: "count: 2", says: rest},
		"a gate for fewer people":      {first: "scope: run, count: 2", second: "count: 1", says: []string{"ben approves the rest", "cat approves the rest"}, covered: true},
		"a gate for as many people":    {first: "scope: run, count: 2", second: "count: 2", says: []string{"ben approves the rest", "cat approves the rest"}, covered: true},
		"nothing that one of two said": {first: "scope: run, count: 2", second: "count: 1", says: []string{"ben approves the rest", "cat approves"}},
		"a gate of the same role":      {first: "scope: run, from: [sre]", second: "from: [sre, dba]", says: rest, covered: true},
		"no gate of another role":      {first: "scope: run, from: [sre]", second: "from: [dba]", says: rest}, // although ben is a dba too
		"no gate that wants a reason":  {first: "scope: run", second: "reason: always", says: rest},
		"one when there was a reason":  {first: "scope: run", second: "reason: always", says: []string{"ben approves the rest: change 4711"}, covered: true},
		"no gate whose nodes grew":     {first: "scope: run", second: "scope: run", says: rest, script: grows},
		"a gate within its time":       {first: "scope: run", second: "expires: 30m", says: rest, script: takes(29 * time.Minute), covered: true},
		"no gate after its time":       {first: "scope: run", second: "expires: 30m", says: rest, script: takes(31 * time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				if row.script != nil {
					row.script(h)
				}
				h.Book("b", twoGates(row.first, row.second))
				id := h.Start("b", nil)
				for _, s := range row.says {
					if err := word(t, h, id, s); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(35 * time.Minute)
				run := load(t, h, id)
				if len(run.Approvals) != 2 {
					t.Fatalf("there are %d gates", len(run.Approvals))
				}
				first, second := run.Approvals[0], run.Approvals[1]
				switch {
				case !row.covered && second.State == engine.ApprovalPending && second.Rests == "":
				case row.covered && second.State == engine.ApprovalUsed && second.Rests == first.Approval && len(second.Given) == second.Needs():
				default:
					t.Errorf("the second gate is %s with %d of %d, resting on %q", second.State, len(second.Given), second.Needs(), second.Rests)
				}
			}, court())
		})
	}
}

func TestRest_givesNothingToARepeatAfterUnknown(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", twoGates("scope: run", "scope: run"))
		h.Script.On("fill", func(context.Context, int, *engine.Call) (engine.Result, error) {
			log.Refuse(errors.New("the disk is gone"))
			return engine.Result{}, nil
		})
		id := h.Start("b", nil)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		h.Stop()
		h.Script.On("fill", nil)
		log.Refuse(nil)
		h.Restart()
		synctest.Wait()
		if run := load(t, h, id); run.Unknown() == nil {
			t.Fatalf("the run does not ask what became of the task\n%s", enginetest.Transcript(run))
		}
		resolve(t, h, id, "tasks.2", engine.ResolveRetry)
		if a := gate(t, h, id); a.Rests != "" || a.Path != "tasks.2" || len(a.Given) > 0 {
			t.Errorf("the repeat rests on what was approved before: %+v", a)
		}
		if err := word(t, h, id, "cat approves"); err != nil {
			t.Error(err)
		}
		h.Finish(id)
	}, court())
}

func TestRest_isAskedAgainWhenWhoGaveItLeaves(t *testing.T) {
	t.Parallel()
	asked := 0
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", twoGates("scope: run", "scope: run"))
		id := h.Start("b", nil)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		a := gate(t, h, id)
		run := load(t, h, id)
		if a.Path != "tasks.2" || a.Rests != "" || len(run.Approvals) != 3 || run.Approvals[1].State != engine.ApprovalWithdrawn {
			t.Errorf("gate %d of %d, resting on %q", a.Number, len(run.Approvals), a.Rests)
		}
		if h.Script.Calls("fill") > 0 {
			t.Error("the task rests on the yes of somebody who is gone")
		}
	}, court(), func(o *engine.Options) {
		o.Vouch = func(_ context.Context, a engine.Actor) error {
			if a.Name != "ben" {
				return nil
			}
			if asked++; asked > 1 {
				return errors.New("deactivated")
			}
			return nil
		}
	})
}

func TestRest_coversEveryLaterGateOfARunAndNoOtherRun(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
approval: {scope: run}
tasks:
  - do: {name: one, destructive: true}
  - do: {name: two, destructive: true}
  - do: {name: three, destructive: true, tries: 2, try_sleep: 1}
hooks: {post_book: [{do: {name: four, destructive: true}}]}
`)
		h.Script.FailFirst("three", 1)
		id := h.Start("b", nil)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		for _, a := range run.Approvals[1:] {
			if a.Rests != run.Approvals[0].Approval || a.Outcome() == "" {
				t.Errorf("gate %d rests on %q: %s", a.Number, a.Rests, a.Outcome())
			}
		}
		if len(run.Approvals) != 4 || run.Status != engine.RunSuccess {
			t.Errorf("%d gates\n%s", len(run.Approvals), enginetest.Transcript(run))
		}
		if a := gate(t, h, h.Start("b", nil)); a.Rests != "" {
			t.Error("another run rests on it")
		}
	}, court())
}

func TestRest_ofAYesThatWasTakenBackCoversNothing(t *testing.T) {
	t.Parallel()
	var gone error
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", twoGates("scope: run", "scope: run"))
		id := h.Start("b", nil)
		gone = errors.New("nobody could say who ben is")
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		gone = nil
		if err := word(t, h, id, "cat approves"); err != nil {
			t.Fatal(err)
		}
		if a := gate(t, h, id); a.Path != "tasks.2" || a.Rests != "" {
			t.Errorf("the gate of %s rests on %q", a.Path, a.Rests)
		}
	}, court(), func(o *engine.Options) {
		o.Vouch = func(_ context.Context, a engine.Actor) error {
			if a.Name == "ben" {
				return gone
			}
			return nil
		}
	})
}

func TestRest_ofSomebodyWhoLostTheRoleIsNotTried(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
approval: {scope: run}
tasks:
  - do: {name: drain, destructive: true}
  - do: {name: fill, destructive: true, pre_sleep: 60}
`)
		id := h.Start("b", nil)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		h.Stop()
		h.Change(court(func(r *policy.Rules) {
			for i := range r.Roles {
				r.Roles[i].Members = slices.DeleteFunc(slices.Clone(r.Roles[i].Members), func(m string) bool { return m == "UBEN" })
			}
		}))
		h.Restart()
		time.Sleep(2 * time.Minute)
		if a := gate(t, h, id); a.Number != 2 || a.Rests != "" {
			t.Errorf("gate %d rests on %q", a.Number, a.Rests)
		}
	}, court())
}
