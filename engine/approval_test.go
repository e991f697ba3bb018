//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// court is a policy in which ben and cat are sre, ben and eve are dba, and ana, who asks for every run,
// is a lead; all of them approve. The role idle exists and may nothing.
func court(change ...func(*policy.Rules)) func(*engine.Options) {
	role := func(name string, members ...string) policy.Role {
		return policy.Role{Name: name, Members: members, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}}
	}
	rules := policy.Rules{Roles: []policy.Role{
		{Name: "deployer", Members: []string{"UANA", "UBEN"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"*"}},
		role("dba", "UBEN", "UEVE"), role("sre", "UBEN", "UCAT"), role("lead", "UANA"),
		{Name: "idle", Members: []string{"UGUS"}},
	}}
	for _, c := range change {
		c(&rules)
	}
	return func(o *engine.Options) {
		p, err := policy.New(rules)
		if err != nil {
			panic(err)
		}
		o.Policy = p
	}
}

func person(name string) engine.Actor {
	return engine.Actor{Team: "T1", User: "U" + strings.ToUpper(name), Name: name}
}

// word is what somebody says at a gate: "ben approves", "cat denies: not now", "ben approves the rest".
func word(t *testing.T, h *enginetest.House, id engine.RunID, text string) error {
	t.Helper()
	synctest.Wait()
	said, reason, _ := strings.Cut(text, ": ")
	name, verb, _ := strings.Cut(said, " ")
	d := engine.Decision{Run: id, Actor: person(name), Reason: reason, Rest: verb == "approves the rest"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a disk that is dead does not answer
	defer cancel()
	do := h.Engine.Approve
	if verb == "denies" {
		do = h.Engine.Deny
	}
	err := do(ctx, d)
	synctest.Wait()
	return err
}

// asking is a playbook whose second task is gated on these terms.
func asking(terms string) string {
	return fmt.Sprintf("tasks: [{do: {name: before}}, {do: {name: drain, destructive: true, approval: {%s}}}]", terms)
}

// T-18: nobody approves what they asked for, nor twice, nor with another role than the gate asks for.
func TestApproval_countsWhoIsAskedFor(t *testing.T) {
	t.Parallel()
	rules := func(count int, reason string) func(*policy.Rules) {
		return func(r *policy.Rules) { r.Count, r.Reason = count, reason }
	}
	own := func(r *policy.Rules) { r.OwnApproval = true }
	for name, row := range map[string]struct {
		terms string
		rules func(*policy.Rules)
		says  []string // what people say, each with " -> " and a part of the refusal when it does not count
		want  engine.TaskStatus
	}{
		"only a role that is listed": {terms: "from: [sre]", says: []string{"eve approves -> somebody with the role sre", "cat approves"}, want: engine.TaskOK},
		"any role that is listed":    {terms: "from: [sre, dba]", says: []string{"eve approves"}, want: engine.TaskOK},
		"nobody without a role":      {terms: "from: [sre]", says: []string{"gus approves -> none of your roles may approve", "ben approves"}, want: engine.TaskOK},
		"two people":                 {terms: "count: 2", says: []string{"ben approves", "cat approves"}, want: engine.TaskOK},
		"nobody twice": {
			terms: "count: 2", says: []string{"ben approves", "ben approves -> you have approved already; this gate asks for 2 different people, and has 1 of 2: ben", "eve approves"}, want: engine.TaskOK,
		},
		"not who asked":             {terms: "count: 2", says: []string{"ana approves -> somebody else has to approve", "ben approves", "ana approves -> somebody else", "cat approves"}, want: engine.TaskOK},
		"who asked, where that may": {terms: "count: 2", rules: own, says: []string{"ana approves", "ben approves"}, want: engine.TaskOK},
		"each with a listed role":   {terms: "count: 2, from: [sre]", says: []string{"ben approves", "eve approves -> somebody with the role sre", "cat approves"}, want: engine.TaskOK},
		"as many as the policy":     {terms: "count: 1", rules: rules(2, ""), says: []string{"ben approves", "cat approves"}, want: engine.TaskOK},
		"as many as the playbook":   {terms: "count: 3", rules: rules(2, ""), says: []string{"ben approves", "cat approves", "eve approves"}, want: engine.TaskOK},
		"a no after a yes":          {terms: "count: 2", says: []string{"ben approves", "cat denies: not now"}, want: engine.TaskDenied},
		"a no of who said yes":      {terms: "count: 2", says: []string{"ben approves", "ben denies"}, want: engine.TaskDenied},
		"a no of another role":      {terms: "from: [sre]", says: []string{"gus denies -> none of your roles", "eve denies"}, want: engine.TaskDenied},
		"a no with a reason": {
			terms: "reason: on_deny", says: []string{"cat denies -> `/playbook deny r-", "cat denies:   -> asks for a reason", "ana denies -> asks for a reason", "cat denies: not now"}, want: engine.TaskDenied,
		},
		"a yes without one":              {terms: "reason: on_deny", says: []string{"cat approves"}, want: engine.TaskOK},
		"a yes with a reason":            {terms: "reason: always", says: []string{"cat approves -> `/playbook approve r-", "cat denies -> asks for a reason", "cat approves: change 4711"}, want: engine.TaskOK},
		"a reason that the policy wants": {terms: "count: 1", rules: rules(1, "on_deny"), says: []string{"cat denies -> asks for a reason", "cat denies: no"}, want: engine.TaskDenied},
		"the stricter reason":            {terms: "reason: on_deny", rules: rules(1, "always"), says: []string{"cat approves -> asks for a reason", "cat approves: yes"}, want: engine.TaskOK},
		"not the rest of a step":         {terms: "scope: step", says: []string{"cat approves the rest -> for its own step only", "cat approves"}, want: engine.TaskOK},
		"not the rest by default":        {terms: "count: 1", says: []string{"cat approves the rest -> for its own step only", "cat approves"}, want: engine.TaskOK},
		"the rest only together": {
			terms: "scope: run, count: 2", says: []string{"ben approves", "cat approves the rest -> the rest cannot be approved here", "cat approves"}, want: engine.TaskOK,
		},
		"the rest with a reason": {terms: "scope: run, reason: always", says: []string{"cat approves the rest -> approve --rest r-", "cat approves the rest: all of it"}, want: engine.TaskOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.rules == nil {
				row.rules = func(*policy.Rules) {}
			}
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", asking(row.terms))
				id := h.Start("b", nil)
				for _, s := range row.says {
					if gate(t, h, id); h.Script.Calls("drain") > 0 {
						t.Fatalf("the task ran before %q", s)
					}
					text, refusal, refused := strings.Cut(s, " -> ")
					err := word(t, h, id, text)
					if refused != (err != nil) || refused && !strings.Contains(err.Error(), refusal) {
						t.Errorf("%s: got %v", s, err)
					}
				}
				if s := h.Finish(id).Steps["tasks.2"]; s.Status != row.want || (h.Script.Calls("drain") == 1) != (row.want == engine.TaskOK) {
					t.Errorf("the task is %s and ran %d times: %s", s.Status, h.Script.Calls("drain"), s.Message)
				}
			}, court(row.rules))
		})
	}
}

func TestApproval_thatNobodyCanGiveFailsTheTaskAtOnce(t *testing.T) {
	t.Parallel()
	for terms, want := range map[string]string{
		"from: [boss]":            `the policy has no role "boss"`,
		"from: [sre, boss]":       `the policy has no role "boss"`,
		"from: [idle]":            "it takes 1 to approve it with the role idle, and 0 can",
		"count: 3, from: [sre]":   "it takes 3 to approve it with the role sre, and 2 can",
		"from: [lead]":            "it takes 1 to approve it with the role lead, and 0 can", // ana, who asked
		"count: 4":                "it takes 4 to approve it, and 3 can",
		"count: 3, from: [idle ]": "it takes 3 to approve it with the role idle, and 0 can",
	} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", asking(terms))
			run := h.Finish(h.Start("b", nil))
			if s := run.Steps["tasks.2"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, want) || len(run.Approvals) > 0 || h.Script.Calls("drain") > 0 {
				t.Errorf("%s: the task is %s with %d gates: %s", terms, s.Status, len(run.Approvals), s.Message)
			}
		}, court())
	}
}

func TestApproval_theBookSetsWhatATaskLeavesOpen(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "approval: {from: [sre], count: 2, expires: 10m, reason: always, scope: run}\n"+asking("count: 1, expires: 3h"))
		id := h.Start("b", nil)
		a := gate(t, h, id)
		if fmt.Sprint(a.From) != "[sre]" || a.Needs() != 1 || a.Reason != "always" || a.Scope != "run" || a.Expires.Sub(a.At) != time.Hour {
			t.Errorf("the gate asks for %+v until %s after", a.ApprovalAsked, a.Expires.Sub(a.At))
		}
		if err := word(t, h, id, "cat approves: yes"); err != nil {
			t.Error(err)
		}
		h.Finish(id)
	}, court())
}

func TestApproval_waitsWithOneOfTwoAcrossARestart(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("count: 2"))
		id := h.Start("b", nil)
		gate(t, h, id)
		if err := word(t, h, id, "ben approves"); err != nil {
			t.Fatal(err)
		}
		h.Stop()
		h.Restart()
		run := load(t, h, id)
		if a := run.Pending(); a == nil || a.Progress() != "1 of 2: ben" || run.Status != engine.RunWaiting || a.Missing() != 1 {
			t.Fatalf("the run is %s at %+v", run.Status, a)
		}
		if err := word(t, h, id, "ben approves"); engine.CodeOf(err) != engine.CodeConflict {
			t.Errorf("ben counts twice: %v", err)
		}
		if err := word(t, h, id, "cat approves"); err != nil {
			t.Error(err)
		}
		if err := word(t, h, id, "eve approves"); err == nil || !strings.Contains(err.Error(), "ended") && !strings.Contains(err.Error(), "too late: approved by ben and cat") {
			t.Errorf("a third yes: %v", err)
		}
		if run = h.Finish(id); h.Script.Calls("drain") != 1 || fmt.Sprint(run.Approvers()) != fmt.Sprint([]engine.Actor{person("ben"), person("cat")}) {
			t.Errorf("drain ran %d times, approved by %v", h.Script.Calls("drain"), run.Approvers())
		}
	}, court())
}

func TestApproval_aCrashAtAnyEventStillTakesTwo(t *testing.T) {
	t.Parallel()
	for k := range 14 {
		inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
			h.Book("b", "approval: {count: 2, scope: run}\ntasks: [{do: {name: drain, effect: idempotent, destructive: true}}, {do: {name: fill, effect: idempotent, destructive: true}}]")
			id := h.Start("b", nil)
			log.CutAfter(k, true)
			for range 100 {
				if time.Sleep(time.Second); log.Dead() {
					h.Stop()
					log.Refuse(nil)
					h.Restart()
				}
				run := load(t, h, id)
				if !run.Ended.IsZero() {
					break
				}
				for _, who := range []string{"ben", "cat"} {
					if word(t, h, id, who+" approves the rest") != nil { // half of what rests on it was written
						_ = word(t, h, id, who+" approves")
					}
				}
			}
			run := h.Finish(id)
			used := 0
			for _, a := range run.Approvals {
				if a.State == engine.ApprovalUsed && len(a.People()) == 2 {
					used++
				}
			}
			if run.Status != engine.RunSuccess || used != 2 {
				t.Errorf("cut after %d: %d gates were opened by two\n%s", k, used, enginetest.Transcript(run))
			}
		}, court())
	}
}

func TestApproval_isWithdrawnBetweenTwoYeses(t *testing.T) {
	t.Parallel()
	t.Run("by the end of the run", func(t *testing.T) {
		t.Parallel()
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", asking("count: 2"))
			id := h.Start("b", nil)
			a := gate(t, h, id)
			if err := errors.Join(word(t, h, id, "ben approves"), h.Engine.Cancel(t.Context(), id, h.Ana, "")); err != nil {
				t.Fatal(err)
			}
			run := h.Finish(id)
			if got, _ := run.Approval(a.Approval); got.State != engine.ApprovalWithdrawn || h.Script.Calls("drain") > 0 {
				t.Errorf("the gate is %s, and drain ran %d times", got.State, h.Script.Calls("drain"))
			}
		}, court())
	})
	t.Run("by an approver who left", func(t *testing.T) {
		t.Parallel()
		var gone error
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", asking("count: 2"))
			id := h.Start("b", nil)
			first := gate(t, h, id)
			err := word(t, h, id, "ben approves")
			gone = errors.New("deactivated")
			if err = errors.Join(err, word(t, h, id, "cat approves")); err != nil {
				t.Fatal(err)
			}
			second := gate(t, h, id)
			if second.Approval == first.Approval || len(second.Given) > 0 || h.Script.Calls("drain") > 0 {
				t.Errorf("the task rests on the yes of somebody who is gone: %+v", second)
			}
			if err = errors.Join(word(t, h, id, "eve approves"), word(t, h, id, "cat approves")); err != nil {
				t.Error(err)
			}
			h.Finish(id)
		}, court(), func(o *engine.Options) {
			o.Vouch = func(_ context.Context, a engine.Actor) error {
				if a.Name == "ben" {
					return gone
				}
				return nil
			}
		})
	})
	t.Run("by its time", func(t *testing.T) {
		t.Parallel()
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", asking("count: 2"))
			id := h.Start("b", nil)
			gate(t, h, id)
			if err := word(t, h, id, "ben approves"); err != nil {
				t.Fatal(err)
			}
			if s := h.Finish(id).Steps["tasks.2"]; s.Status != engine.TaskDenied || !strings.HasPrefix(s.Message, "only 1 of 2 people approved until") {
				t.Errorf("the task is %s: %s", s.Status, s.Message)
			}
		}, court())
	})
}

// T-18, T-19: who may approve is looked at when it is asked, when it is given and before the step.
func TestApproval_isVoidedWhenThePolicyAsksForMore(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", asking("count: 1"))
		id := h.Start("b", nil)
		gate(t, h, id)
		log.CutAfter(1, false) // the yes is on disk, and the process dies before it is used
		_ = word(t, h, id, "ben approves")
		h.Stop()
		log.Refuse(nil)
		h.Change(court(func(r *policy.Rules) { r.Count = 2 }))
		h.Restart()
		if a := gate(t, h, id); a.Needs() != 2 || len(a.Given) > 0 || h.Script.Calls("drain") > 0 {
			t.Errorf("the gate asks for %d and has %d", a.Needs(), len(a.Given))
		}
		if err := errors.Join(word(t, h, id, "cat approves"), word(t, h, id, "eve approves")); err != nil {
			t.Error(err)
		}
		h.Finish(id)
	}, court())
}
