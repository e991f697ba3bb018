//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// changedLog is a log in which somebody has changed an event since it was written.
type changedLog struct {
	engine.Log
	change func(engine.Payload) engine.Payload
}

func (l *changedLog) Read(ctx context.Context, stream engine.StreamID) iter.Seq2[engine.Event, error] {
	return func(yield func(engine.Event, error) bool) {
		for e, err := range l.Log.Read(ctx, stream) {
			if err == nil && l.change != nil {
				e.Payload = l.change(e.Payload)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// approvedAndCut is a run whose gate was approved, and whose process has died before the yes was used.
func approvedAndCut(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) (engine.RunID, string) {
	t.Helper()
	id := h.Start("b", map[string]any{"tier": "bravo"})
	a := gate(t, h, id)
	log.CutAfter(1, false)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_ = h.Engine.Approve(ctx, engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ben})
	h.Stop()
	log.Refuse(nil)
	return id, a.Approval
}

// T-19: what was approved is what is done. Whatever part of it is another one, the approval is void, nothing is
// carried out, and the run asks again.
func TestApproval_isVoidWhenAnyPartOfWhatItCoversChanges(t *testing.T) {
	t.Parallel()
	const body = `
inputs: {tier: {type: String}}
nodes: {web: {type: list, nodes: [web1, web2]}, lb: {type: list, nodes: [lb1]}}
tasks:
  - do: {name: drain, nodes: "{{ nodes.web }}", any: "{{ inputs.tier }}", destructive: true}
  - do: {name: fill}
`
	asked := func(change func(*engine.ApprovalAsked)) func(engine.Payload) engine.Payload {
		return func(p engine.Payload) engine.Payload {
			if a, ok := p.(engine.ApprovalAsked); ok {
				change(&a)
				return a
			}
			return p
		}
	}
	prepared := func(change func(*engine.Prepared)) func(engine.Payload) engine.Payload {
		return func(p engine.Payload) engine.Payload {
			if a, ok := p.(engine.Prepared); ok {
				change(&a)
				return a
			}
			return p
		}
	}
	for name, row := range map[string]struct {
		change func(engine.Payload) engine.Payload
		policy func(*policy.Rules)
		book   bool // the run is of another one
		why    string
	}{
		"nothing":       {},
		"the playbook":  {why: "what was approved is not what would be done", book: true},
		"an input":      {why: "what was approved is not", change: prepared(func(p *engine.Prepared) { p.Inputs = map[string]any{"tier": "alfa"} })},
		"a node set":    {why: "what was approved is not", change: prepared(func(p *engine.Prepared) { p.Nodes["lb"] = []string{"lb2"} })},
		"the targets":   {why: "what was approved is not", change: asked(func(a *engine.ApprovalAsked) { a.Nodes = []string{"web1"} })},
		"the plan":      {why: "what was approved is not", change: asked(func(a *engine.ApprovalAsked) { a.Sealed["any"] = "alfa" })},
		"the digest":    {why: "what was approved is not", change: asked(func(a *engine.ApprovalAsked) { a.Digest = strings.Repeat("0", 64) })},
		"the policy id": {why: "the policy has changed", change: asked(func(a *engine.ApprovalAsked) { a.Policy = strings.Repeat("0", 64) })},
		"the policy":    {why: "the policy has changed", policy: func(r *policy.Rules) { r.Gates = []string{"fill"} }},
		"the step":      {why: "-", change: asked(func(a *engine.ApprovalAsked) { a.Path = "tasks.2" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
				h.Book("b", body)
				id, first := approvedAndCut(t, h, log)
				if row.book {
					other := h.Book("c", body)
					row.change = func(p engine.Payload) engine.Payload {
						if q, ok := p.(engine.RunRequested); ok {
							q.Playbook.Digest = other.Digest
							return q
						}
						return p
					}
				}
				changed := &changedLog{Log: log.Log, change: row.change}
				log.Log = changed
				if row.policy != nil {
					h.Change(court(row.policy))
				}
				h.Restart()
				run := load(t, h, id)
				if row.why == "" {
					if run.Status != engine.RunSuccess || h.Script.Calls("drain") != 1 {
						t.Errorf("without a change the run is %s: %s", run.Status, run.Message)
					}
					return
				}
				a, _ := run.Approval(first)
				second := run.Pending()
				if h.Script.Calls("drain") > 0 || second == nil || second.Approval == first {
					t.Errorf("drain ran %d times, and what waits is %+v\n%s", h.Script.Calls("drain"), second, enginetest.Transcript(run))
				}
				if row.why != "-" && (a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, row.why)) {
					t.Errorf("the approval is %s: %s", a.State, a.Why)
				}
				changed.change = nil
				_ = h.Engine.Cancel(t.Context(), id, h.Ana, "")
			}, court())
		})
	}
}

// T-21: a yes has an outcome also when what was approved could not be started and its task ends: it is void, and
// says why.
func TestApproval_isVoidWhenItsTaskEndsBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t)
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		fleet.house = h
		h.Book("b", "leases: fail\ntasks: [{find: {as: f, nodes: [web2]}}, {touch: {nodes: \"{{ tasks.f.data }}\", destructive: true}}]\n")
		id := h.Start("b", nil)
		first := gate(t, h, id)
		other := atGate(h, webBook) // which has the node meanwhile
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: first.Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		a, _ := run.Approval(first.Approval)
		if run.Status != engine.RunFailed || a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, "web2 is reserved by") {
			t.Errorf("the run is %s: %s; the approval is %s: %s", run.Status, run.Message, a.State, a.Why)
		}
		cancelRun(t, h, other)
	}, fleet.types)
}
