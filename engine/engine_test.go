//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// inHouse runs a test in virtual time, on a real file.
func inHouse(t *testing.T, test func(t *testing.T, h *enginetest.House), change ...func(*engine.Options)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "playbot.db")
	synctest.Test(t, func(t *testing.T) {
		log, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		test(t, enginetest.NewHouse(t, log, change...))
	})
}

// inFaultyHouse is inHouse on a file whose writes fail on request.
func inFaultyHouse(t *testing.T, test func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog), change ...func(*engine.Options)) {
	t.Helper()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		test(t, h, h.Log.(*enginetest.FaultyLog))
	}, append(change, func(o *engine.Options) { o.Log = enginetest.NewFaultyLog(o.Log) })...)
}

func wantTranscript(t *testing.T, r *engine.Run, want string) {
	t.Helper()
	if got := strings.TrimSpace(enginetest.Transcript(r)); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

const threeTasks = `
tasks:
  - do: {name: one}
  - do: {name: two}
  - do: {name: three}
hooks:
  on_fail: [{do: {name: sorry}}]
  on_success: [{do: {name: hooray}}]
  always: [{do: {name: cleanup}}]
`

func TestRun_success(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		wantTranscript(t, h.Finish(h.Start("b", nil)), `
tasks.1 ok
tasks.2 ok
tasks.3 ok
on_success.1 ok
always.1 ok
success: 3 of 3 tasks done`)
	})
}

func TestRun_failureRunsOnFailAndAlways(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		h.Script.FailFirst("two", 1)
		wantTranscript(t, h.Finish(h.Start("b", nil)), `
tasks.1 ok
tasks.2 failed
on_fail.1 ok
always.1 ok
failed: "do task" failed: call 1 failed`)
	})
}

func TestRun_triesAgainAfterTrySleep(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one, tries: 3, try_sleep: 30}}]")
		h.Script.FailFirst("one", 2)
		began := time.Now()
		run := h.Finish(h.Start("b", nil))
		wantTranscript(t, run, "tasks.1 ok x3\nsuccess: 1 of 1 tasks done")
		if took := time.Since(began); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("took %s, want two sleeps of 30 s", took)
		}
	})
}

func TestRun_failOKTriesThenTolerates(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one, tries: 2, fail_ok: true}}, {do: {name: two}}]")
		h.Script.FailFirst("one", 9)
		wantTranscript(t, h.Finish(h.Start("b", nil)), "tasks.1 tolerated x2\ntasks.2 ok\nsuccess: 2 of 2 tasks done")
	})
}

func TestRun_askingTwiceWithOneKeyIsAskingOnce(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		q := engine.StartRequest{Key: "one click", Actor: h.Ana, Playbook: "b"}
		first, err := h.Engine.Start(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Engine.Start(t.Context(), q)
		if dup, ok := errors.AsType[*engine.DuplicateError](err); !ok || dup.Run != first || again != first {
			t.Errorf("got run %s, error %v; want the first run %s again", again, err, first)
		}
		h.Finish(first)
		if n := h.Script.Calls("one"); n != 1 {
			t.Errorf("the task ran %d times", n)
		}
	})
}

func TestStart_refusesWithoutARoleAndWritesItDown(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		_, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "k", Actor: h.Gus, Playbook: "b"})
		if engine.CodeOf(err) != engine.CodeDenied {
			t.Fatalf("got %v, want a refusal", err)
		}
		for e, err := range h.Log.Read(t.Context(), engine.BotStream) {
			if r, ok := e.Payload.(engine.Refused); err == nil && ok && r.Actor.User == "UGUS" {
				return
			}
		}
		t.Error("the refusal is not in the log")
	})
}

const gatedBook = `
nodes:
  web: {type: list, nodes: [web1, web2]}
tasks:
  - do: {name: before}
  - do: {name: drain, nodes: "{{ nodes.web }}", destructive: true, tries: 2, try_sleep: 1}
hooks:
  always: [{do: {name: cleanup}}]
`

// gate waits until the run asks, and returns the approval.
func gate(t *testing.T, h *enginetest.House, id engine.RunID) *engine.Approval {
	t.Helper()
	synctest.Wait()
	run, err := h.Engine.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	a := run.Pending()
	if a == nil {
		t.Fatalf("the run does not ask; it is %s\n%s", run.Status, enginetest.Transcript(run))
	}
	return a
}

func TestGate_startsOnlyAfterAnApproval(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		a := gate(t, h, id)
		if fmt.Sprint(a.Nodes) != "[web1 web2]" || a.Number != 1 {
			t.Errorf("asked for nodes %v as number %d", a.Nodes, a.Number)
		}
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ana}); engine.CodeOf(err) != engine.CodeDenied {
			t.Errorf("ana approved her own run: %v", err)
		}
		if h.Script.Calls("drain") != 0 {
			t.Fatal("the task ran before the approval")
		}
		h.Script.FailFirst("drain", 1) // the second try rests on the same approval
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		wantTranscript(t, run, "tasks.1 ok\ntasks.2 ok x2\nalways.1 ok\nsuccess: 2 of 2 tasks done")
		if got := run.Approvers(); len(got) != 1 || !got[0].Is(h.Ben) {
			t.Errorf("approvers %v", got)
		}
		err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ben})
		if engine.CodeOf(err) != engine.CodeConflict {
			t.Errorf("a click after the end: %v, want a conflict", err)
		}
	})
}

func TestGate_denied(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		gate(t, h, id)
		if err := h.Engine.Deny(t.Context(), engine.Decision{Run: id, Actor: h.Ben, Reason: "not tonight"}); err != nil {
			t.Fatal(err)
		}
		wantTranscript(t, h.Finish(id), "tasks.1 ok\ntasks.2 denied\nalways.1 ok\nfailed: \"do task\" denied by ben: not tonight")
		if h.Script.Calls("drain") != 0 {
			t.Error("a denied task ran")
		}
	})
}

func TestGate_expires(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		began := time.Now()
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed || run.Steps["tasks.2"].Status != engine.TaskDenied {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if took := time.Since(began); took < time.Hour || took > time.Hour+time.Second {
			t.Errorf("expired after %s, want an hour", took)
		}
	})
}

func TestGate_growthVoidsTheApproval(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		first := gate(t, h, id)
		h.Script.Discover("web1", "web1", "web2", "web3")
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: first.Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		second := gate(t, h, id)
		if second.Approval == first.Approval || fmt.Sprint(second.Grown) != "[web3]" || fmt.Sprint(second.Nodes) != "[web1 web2]" {
			t.Errorf("second gate: grown %v nodes %v", second.Grown, second.Nodes)
		}
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: second.Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if got := fmt.Sprint(run.Steps["tasks.2"].Last().Nodes); got != "[web1 web2]" {
			t.Errorf("the task touched %s", got)
		}
	})
}

func TestCancel_cutsOffAndRunsAlways(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		h.Script.On("two", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			<-ctx.Done()
			return engine.Result{}, ctx.Err()
		})
		id := h.Start("b", nil)
		synctest.Wait()
		if err := h.Engine.Cancel(t.Context(), id, h.Gus, ""); engine.CodeOf(err) != engine.CodeDenied {
			t.Errorf("gus cancelled: %v", err)
		}
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, "wrong tier"); err != nil {
			t.Fatal(err)
		}
		wantTranscript(t, h.Finish(id), "tasks.1 ok\ntasks.2 cancelled\nalways.1 ok\ncancelled: cancelled by ana: wrong tier")
	})
}

func TestCancel_atAGate(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		a := gate(t, h, id)
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if got, _ := run.Approval(a.Approval); got.State != engine.ApprovalWithdrawn || run.Status != engine.RunCancelled {
			t.Errorf("approval %s, run %s", got.State, run.Status)
		}
	})
}

const lockedBook = `
data_stores: {s: {type: map}}
locks: ["s/deploy"]
tasks: [{do: {name: one}}]
`

func TestLocks_areReleasedAndNameTheirHolder(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			if _, held := h.Script.Holder("deploy"); !held {
				t.Error("the lock is not held while the task runs")
			}
			panic("boom")
		})
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, "boom") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		if holder, held := h.Script.Holder("deploy"); held {
			t.Errorf("still held by %v", holder)
		}
		h.Script.Hold("deploy", engine.Holder{Run: "01OTHERRUN", Who: "ben", Since: time.Now()})
		began := time.Now()
		run = h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, "ben") || time.Since(began) < 2*time.Minute {
			t.Errorf("after %s: %s: %s; want the holder named after 120 s", time.Since(began), run.Status, run.Message)
		}
	})
}

func TestChild_isLinkedAndSharesLocks(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("inner", lockedBook)
		h.Book("outer", strings.Replace(lockedBook, "do: {name: one}", "child: {name: inner}", 1))
		run := h.Finish(h.Start("outer", nil))
		wantTranscript(t, run, "tasks.1 ok\nsuccess: 1 of 1 tasks done")
		child, err := h.Engine.Load(t.Context(), run.Steps["tasks.1"].Last().Outcome.Result.Child)
		if err != nil || child.Requested.Parent == nil || child.Requested.Parent.Run != run.ID {
			t.Errorf("child %+v, error %v", child, err)
		}
	})
}

func TestChild_cycleEndsAtTheDepthLimit(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{child: {name: b}}]")
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestInputs_readTheirStoreAtEachUse(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs:
  pause: {description: Pause, type: Integer, data: s/pause, default: 7, required: false}
tasks:
  - do: {name: one, any: "{{ inputs.pause }}"}
  - do: {name: two, any: "{{ inputs.pause }}"}
`)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			h.Script.Set("pause", 9)
			return engine.Result{}, nil
		})
		run := h.Finish(h.Start("b", nil))
		for path, want := range map[engine.Path]string{"tasks.1": "7", "tasks.2": "9"} {
			if got := fmt.Sprint(run.Steps[path].Last().Properties["any"]); got != want {
				t.Errorf("%s saw %s, want %s", path, got, want)
			}
		}
	})
}

func TestSecrets_neverReachTheLog(t *testing.T) {
	t.Parallel()
	const secret = "xoxb-very-secret"
	inHouse(t, func(_ *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one, any: "+secret+"}}]")
		h.Script.On("one", func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
			c.Note("token " + secret)
			return engine.Result{Message: "sent " + secret, Data: []any{map[string]any{"token": secret}}}, nil
		})
		h.Finish(h.Start("b", nil)) // the house's Check looks at the bytes of every event
	}, func(o *engine.Options) { o.Secrets = []string{secret} })
}

func TestVouch_refusesAfterTheAck(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", threeTasks)
		run := h.Finish(h.Start("b", nil))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, "ana is deactivated") || h.Script.Calls("one") != 0 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, func(o *engine.Options) {
		o.Vouch = func(_ context.Context, a engine.Actor) error { return fmt.Errorf("%s is deactivated", a.Name) }
	})
}

func TestInputs_thatWereNotGivenAreNilToAnExpression(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
inputs: {canary: {type: String, required: false}}
tasks:
  - do: {name: one, when: inputs.canary != nil}
  - do: {name: two, any: "{{ inputs.canary ?? 'none' }}"}
  - do: {name: three, any: "{{ inputs.canary }}"}
`)
		run := h.Finish(h.Start("b", nil))
		if run.Steps["tasks.1"].Status != engine.TaskSkippedOver || run.Steps["tasks.2"].Last().Properties["any"] != "none" {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if s := run.Steps["tasks.3"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, `input "canary": it has no value, data source or default`) {
			t.Errorf("got %s: %s", s.Status, s.Message)
		}
	})
}

func TestReport_saysForWhomThePlaybookWasWritten(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one}}]\n")
		if got := h.Finish(h.Start("b", nil)).Report().Playbook.RunAs; got != "choria=test.user" {
			t.Errorf("got %q", got)
		}
	})
}
