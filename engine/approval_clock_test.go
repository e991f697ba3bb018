//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// T-21: a gate has a time to answer and a time to use, a yes is used up by its start, and covers no other run.
func TestApproval_isForItsTimeAndForOneStart(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("expires: 10m"))
		late := h.Start("b", nil)
		a := gate(t, h, late)
		time.Sleep(10 * time.Minute)
		if err := word(t, h, late, "ben approves"); err == nil || !strings.Contains(err.Error(), "expired at") && !strings.Contains(err.Error(), "has ended") {
			t.Errorf("a yes in the moment of the expiry: %v", err)
		}
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: late, Approval: a.Approval, Actor: h.Ben}); err == nil || !strings.Contains(err.Error(), "too late: expired at") {
			t.Errorf("whoever is late is told %v", err)
		}
		used := h.Start("b", nil)
		first := gate(t, h, used)
		if err := word(t, h, used, "ben approves"); err != nil {
			t.Fatal(err)
		}
		h.Finish(used)
		other := h.Start("b", nil)
		gate(t, h, other)
		for what, d := range map[string]engine.Decision{
			"again":          {Run: used, Approval: first.Approval, Actor: person("cat")},
			"in another run": {Run: other, Approval: first.Approval, Actor: person("cat")},
		} {
			if err := h.Engine.Approve(t.Context(), d); err == nil {
				t.Errorf("a yes counts %s", what)
			}
		}
		if n := h.Script.Calls("drain"); n != 1 {
			t.Errorf("drain ran %d times on one yes", n)
		}
		_ = h.Engine.Cancel(t.Context(), other, h.Ana, "")
		h.Finish(other)
	}, court())
}

// F-33: the time of a gate runs out only when people could see it. What was lost is added, and a day without a
// message ends it as a denial.
func TestApproval_timeStandsStillUntilTheGateIsPosted(t *testing.T) {
	t.Parallel()
	posts := func(o *engine.Options) { o.Posts = true }
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("expires: 20m"))
		id := h.Start("b", nil)
		a := gate(t, h, id)
		time.Sleep(3 * time.Hour) // Slack is down
		if a := gate(t, h, id); !a.Reminded.IsZero() {
			t.Error("people were reminded of what nobody has seen")
		}
		h.Stop()
		h.Restart()
		if err := h.Engine.Posted(t.Context(), id, a.Ref(), engine.Place{Channel: "C1", TS: "1.1"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		if a := gate(t, h, id); a.Reminded.IsZero() || a.Deadline().Sub(a.PostedAt) != 20*time.Minute {
			t.Errorf("it was reminded of at %s and expires %s after it was posted", a.Reminded, a.Deadline().Sub(a.PostedAt))
		}
		if err := h.Engine.Posted(t.Context(), id, a.Ref(), engine.Place{Channel: "C1", TS: "1.2"}); err != nil { // posted again: no new time
			t.Fatal(err)
		}
		time.Sleep(8 * time.Minute)
		if err := word(t, h, id, "ben approves"); err != nil {
			t.Error(err)
		}
		h.Finish(id)
		second := h.Start("b", nil)
		gate(t, h, second)
		time.Sleep(24*time.Hour + 19*time.Minute)
		gate(t, h, second)
		if s := h.Finish(second).Steps["tasks.2"]; s.Status != engine.TaskDenied || h.Script.Calls("drain") != 1 {
			t.Errorf("nobody could see it, and it is %s: %s", s.Status, s.Message)
		}
	}, court(), posts)
}

func TestApproval_remindsOnceAndThenAsksTheSecondCircle(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("expires: 40m, from: [sre], escalate: [dba]"))
		id := h.Start("b", nil)
		gate(t, h, id)
		refused := func(when string) {
			t.Helper()
			if err := word(t, h, id, "eve approves"); err == nil || !strings.Contains(err.Error(), "somebody with the role sre") {
				t.Errorf("%s, the second circle: %v", when, err)
			}
		}
		refused("at once")
		h.Stop()
		time.Sleep(21 * time.Minute)
		h.Restart()
		refused("after the reminder")
		if a := gate(t, h, id); a.Reminded.IsZero() || !a.Escalated.IsZero() || fmt.Sprint(a.Roles()) != "[sre]" {
			t.Errorf("after half of the time: reminded %s, escalated %s", a.Reminded, a.Escalated)
		}
		time.Sleep(10 * time.Minute)
		if a := gate(t, h, id); a.Escalated.IsZero() || fmt.Sprint(a.Roles()) != "[sre dba]" {
			t.Errorf("after three quarters: escalated %s, asked from %s", a.Escalated, a.Roles())
		}
		if err := word(t, h, id, "eve approves"); err != nil {
			t.Error(err)
		}
		reminders := 0
		h.Finish(id)
		for _, e := range h.Events(id) {
			if _, ok := e.Payload.(engine.ApprovalReminded); ok {
				reminders++
			}
		}
		if reminders != 2 || h.Script.Calls("drain") != 1 {
			t.Errorf("%d reminders; drain ran %d times", reminders, h.Script.Calls("drain"))
		}
	}, court())
}

func TestApproval_ofASecondCircleThatThereIsNotFailsTheTask(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("from: [sre], escalate: [boss]"))
		run := h.Finish(h.Start("b", nil))
		if s := run.Steps["tasks.2"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, `the policy has no role "boss"`) {
			t.Errorf("the task is %s: %s", s.Status, s.Message)
		}
	}, court())
}

func TestTakeBack_isForWhoeverSaidYesUntilItIsUsed(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("count: 2"))
		id := h.Start("b", nil)
		a := gate(t, h, id)
		take := func(name string) error {
			synctest.Wait()
			err := h.Engine.TakeBack(t.Context(), engine.Decision{Run: id, Actor: person(name), Reason: "wrong tier"})
			synctest.Wait()
			return err
		}
		if err := take("ben"); err == nil || !strings.Contains(err.Error(), "no approval of yours") {
			t.Errorf("ben takes back what he has not given: %v", err)
		}
		if err := word(t, h, id, "ben approves"); err != nil {
			t.Fatal(err)
		}
		if err := take("cat"); err == nil {
			t.Error("cat took back what ben has given")
		}
		if err := take("ben"); err != nil {
			t.Error(err)
		}
		if now := gate(t, h, id); now.Approval != a.Approval || now.Missing() != 2 || len(now.Taken) != 1 || now.Taken[0].Reason != "wrong tier" {
			t.Errorf("the gate stands at %+v", now)
		}
		for _, who := range []string{"cat", "ben"} {
			if err := word(t, h, id, who+" approves"); err != nil {
				t.Error(err)
			}
		}
		run := h.Finish(id)
		if run.Status != engine.RunSuccess || h.Script.Calls("drain") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if err := take("ben"); err == nil {
			t.Error("ben took back what was done")
		}
	}, court())
}

func TestTakeBack_ofTheRestHasLaterGatesAsk(t *testing.T) {
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
		if err := h.Engine.TakeBack(t.Context(), engine.Decision{Run: id, Actor: person("ben")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if a := gate(t, h, id); a.Number != 2 || a.Rests != "" {
			t.Errorf("gate %d rests on %q", a.Number, a.Rests)
		}
		if h.Script.Calls("fill") > 0 {
			t.Error("the rest went on")
		}
		_ = h.Engine.Cancel(t.Context(), id, h.Ana, "")
		h.Finish(id)
	}, court())
}

// A gate that the yes for the rest has opened, and whose nodes are still being compared, asks too.
func TestTakeBack_ofTheRestHasAGateAskThatIsOpenAlready(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		var looked atomic.Int32 // since the first step
		h.Script.OnDiscover(func(context.Context) error {
			if h.Script.Calls("drain") == 1 && looked.Add(1) == 2 { // the second gate has asked, and is compared
				return errors.New("no network")
			}
			return nil
		})
		h.Book("b", `
approval: {scope: run}
nodes:
  web: {type: list, nodes: [web1]}
tasks:
  - do: {name: drain, nodes: "{{ nodes.web }}", destructive: true}
  - do: {name: fill, nodes: "{{ nodes.web }}", destructive: true}
`)
		id := h.Start("b", nil)
		if err := word(t, h, id, "ben approves the rest"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if a := load(t, h, id).Approvals[1]; a.State != engine.ApprovalGranted || a.Rests == "" {
			t.Fatalf("the second gate is %s, and rests on %q", a.State, a.Rests)
		}
		if err := h.Engine.TakeBack(t.Context(), engine.Decision{Run: id, Actor: person("ben")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if a := gate(t, h, id); a.Number != 3 || a.Rests != "" || h.Script.Calls("fill") > 0 {
			t.Errorf("gate %d rests on %q, and the step ran %d times", a.Number, a.Rests, h.Script.Calls("fill"))
		}
		_ = h.Engine.Cancel(t.Context(), id, h.Ana, "")
		h.Finish(id)
	}, court())
}
