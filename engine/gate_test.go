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
	"github.com/playbot/playbot/playbooks"
)

func approve(t *testing.T, h *enginetest.House, id engine.RunID) {
	t.Helper()
	if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: gate(t, h, id).Approval, Actor: h.Ben}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func load(t *testing.T, h *enginetest.House, id engine.RunID) *engine.Run {
	t.Helper()
	synctest.Wait()
	run, err := h.Engine.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// F-38: whoever may not approve any more when the step starts has not approved; a look-up that fails refuses too.
func TestGate_isVoidedWhenTheApproverLosesTheRight(t *testing.T) {
	t.Parallel()
	var gone error
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		first := gate(t, h, id)
		gone = errors.New("deactivated")
		approve(t, h, id)
		second := gate(t, h, id)
		if a, _ := load(t, h, id).Approval(first.Approval); a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, "ben cannot approve any more") {
			t.Errorf("the approval is %s: %s", a.State, a.Why)
		}
		if second.Approval == first.Approval || h.Script.Calls("drain") != 0 {
			t.Error("the task rests on the yes of somebody who is gone")
		}
		gone = nil
		approve(t, h, id)
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, func(o *engine.Options) {
		o.Vouch = func(_ context.Context, a engine.Actor) error {
			if a.Name == "ben" {
				return gone
			}
			return nil
		}
	})
}

// T-21: a yes is for a quarter of an hour.
func TestGate_aYesThatLayUnusedFor15MinutesAsksAgain(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		first := gate(t, h, id)
		log.CutAfter(1, false) // the yes is on disk, and the process dies before it is used
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = h.Engine.Approve(ctx, engine.Decision{Run: id, Actor: h.Ben})
		h.Stop()
		time.Sleep(15*time.Minute + time.Second)
		log.Refuse(nil)
		h.Restart()
		second := gate(t, h, id)
		if second.Approval == first.Approval || h.Script.Calls("drain") != 0 {
			t.Errorf("the task was started on a stale yes")
		}
		approve(t, h, id)
		h.Finish(id)
	})
}

func TestGate_everyTryUsesWhatWasSealed(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs:
  rev: {description: Revision, type: Integer, data: s/rev, required: false, default: 1000000}
tasks: [{do: {name: drain, any: "{{ inputs.rev }}", destructive: true, tries: 3, try_sleep: 1}}]
`)
		h.Script.FailFirst("drain", 2)
		id := h.Start("b", nil)
		a := gate(t, h, id)
		h.Script.Set("rev", 2)
		approve(t, h, id)
		run := h.Finish(id)
		for _, at := range run.Steps["tasks.1"].Attempts {
			if fmt.Sprint(at.Properties["any"]) != "1000000" || at.Approval != a.Approval {
				t.Errorf("attempt %d used %v and approval %s", at.Attempt, at.Properties["any"], at.Approval)
			}
		}
		for _, e := range h.Script.Effects() {
			if e.Any != 1000000 {
				t.Errorf("attempt %d was run with %v (%T)", e.Attempt, e.Any, e.Any)
			}
		}
		if n := len(run.Steps["tasks.1"].Attempts); n != 3 || len(run.Approvals) != 1 {
			t.Errorf("%d attempts on %d approvals, want 3 on 1", n, len(run.Approvals))
		}
	})
}

// cutOff starts a run of a gated task of some effect, lets the process die in the task, and starts another.
func cutOff(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog, effect engine.Effect) engine.RunID {
	t.Helper()
	h.Book("b", fmt.Sprintf("tasks: [{do: {name: drain, effect: %s, destructive: true}}]", effect))
	id := h.Start("b", nil)
	gate(t, h, id)
	log.CutAfter(2, true) // the yes and the intent
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_ = h.Engine.Approve(ctx, engine.Decision{Run: id, Actor: h.Ben})
	synctest.Wait()
	if h.Script.Calls("drain") != 1 {
		t.Fatalf("the task ran %d times before the crash", h.Script.Calls("drain"))
	}
	h.Stop()
	log.Refuse(nil)
	h.Restart()
	synctest.Wait()
	return id
}

func TestGate_anIdempotentRepeatRestsOnTheSameYes(t *testing.T) {
	t.Parallel()
	for _, effect := range []engine.Effect{engine.Idempotent, engine.ReadOnly} {
		inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
			run := h.Finish(cutOff(t, h, log, effect))
			s := run.Steps["tasks.1"]
			if run.Status != engine.RunSuccess || len(s.Attempts) != 2 || len(run.Approvals) != 1 {
				t.Fatalf("got %d approvals and\n%s", len(run.Approvals), enginetest.Transcript(run))
			}
			if s.Attempts[0].Key != s.Attempts[1].Key || s.Attempts[1].Approval != run.Approvals[0].Approval {
				t.Errorf("the repeat has key %s and approval %s", s.Attempts[1].Key, s.Attempts[1].Approval)
			}
		})
	}
}

// T-21: a yes is used up by the start of what it was for.
func TestGate_aRetryAfterUnknownAsksAgain(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		id := cutOff(t, h, log, engine.Once)
		run := load(t, h, id)
		if run.Unknown() == nil || run.Status != engine.RunWaiting {
			t.Fatalf("the run does not ask:\n%s", enginetest.Transcript(run))
		}
		resolve(t, h, id, "tasks.1", engine.ResolveRetry)
		if h.Script.Calls("drain") != 1 {
			t.Error("the task was repeated on the old yes")
		}
		approve(t, h, id)
		if run = h.Finish(id); len(run.Approvals) != 2 || h.Script.Calls("drain") != 2 {
			t.Errorf("%d approvals, %d calls; want 2 and 2", len(run.Approvals), h.Script.Calls("drain"))
		}
		if a := run.Steps["tasks.1"].Attempts; a[0].Key == a[1].Key {
			t.Error("what a person repeats has the key of what was cut off")
		}
	})
}

func resolve(t *testing.T, h *enginetest.House, id engine.RunID, path engine.Path, choice engine.Resolution) {
	t.Helper()
	n := load(t, h, id).Steps[path].Last().Attempt
	if err := h.Engine.Resolve(t.Context(), engine.Answer{Run: id, Path: path, Attempt: n, Choice: choice, Actor: h.Ben}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestResolve_refusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		id := cutOff(t, h, log, engine.Once)
		for code, a := range map[engine.Code]engine.Answer{
			engine.CodeInvalid:  {Run: id, Path: "tasks.1", Attempt: 1, Choice: "perhaps", Actor: h.Ben},
			engine.CodeDenied:   {Run: id, Path: "tasks.1", Attempt: 1, Choice: engine.ResolveDone, Actor: h.Gus},
			engine.CodeNotFound: {Run: id, Path: "tasks.2", Attempt: 1, Choice: engine.ResolveDone, Actor: h.Ben},
		} {
			if err := h.Engine.Resolve(t.Context(), a); engine.CodeOf(err) != code {
				t.Errorf("%+v: got %v, want %s", a, err, code)
			}
		}
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if run.Unknown() != nil || run.Steps["tasks.1"].Status != engine.TaskCancelled {
			t.Errorf("a cancelled run still asks:\n%s", enginetest.Transcript(run))
		}
	})
}

// F-39: a cancel that is written before the intent wins over a yes.
func TestGate_aCancelledRunBeginsNothingHoweverFarItHasCome(t *testing.T) {
	t.Parallel()
	var looking, goOn chan struct{}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		approve(t, h, id)
		<-looking // the worker compares the yes with the world, right before the intent
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		goOn <- struct{}{}
		run := h.Finish(id)
		if h.Script.Calls("drain") != 0 || run.Status != engine.RunCancelled {
			t.Errorf("drain ran %d times; the run is %s", h.Script.Calls("drain"), run.Status)
		}
	}, func(o *engine.Options) {
		looking, goOn = make(chan struct{}), make(chan struct{}) // in the bubble
		o.Vouch = func(_ context.Context, a engine.Actor) error {
			if a.Name == "ben" {
				looking <- struct{}{}
				<-goOn
			}
			return nil
		}
	})
}

func TestGate_nothingOfASecretIsSealedAndTheTaskGetsIt(t *testing.T) {
	t.Parallel()
	const secret = "xoxb-very-secret"
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs: {token: {description: Token, type: String, data: s/token, required: false, default: none}}
tasks: [{do: {name: drain, any: "token {{ inputs.token }}", destructive: true, tries: 2, try_sleep: 1}}]
`)
		h.Script.Set("token", secret)
		h.Script.FailFirst("drain", 1)
		id := h.Start("b", nil)
		if got := gate(t, h, id).Sealed["any"]; got != "token ***" {
			t.Errorf("sealed %v", got)
		}
		approve(t, h, id)
		if run := h.Finish(id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		for _, e := range h.Script.Effects() {
			if e.Any != "token "+secret {
				t.Errorf("the task got %v", e.Any)
			}
		}
	}, func(o *engine.Options) { o.Secrets = []string{secret} })
}

// deed is a task of several actions whose type has two names.
type deed struct{ action string }

func (deed) Effect() engine.Effect { return engine.ReadOnly }

func (d deed) ActionName() string { return "deed." + d.action }

func (deed) Run(context.Context, *engine.Call) (engine.Result, error) { return engine.Result{}, nil }

// A pattern of the policy holds for a task however its type is written, and for what the task calls itself.
func TestGate_ofThePolicyMatchesEveryNameOfATask(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		gates []string
		task  string
		asks  bool
	}{
		"the type":                    {[]string{"deed"}, "deed: {action: write}", true},
		"the type under another name": {[]string{"deed"}, "act: {action: write}", true},
		"another name of the type":    {[]string{"act"}, "deed: {action: write}", true},
		"the action as it is written": {[]string{"write"}, "deed: {action: write}", true},
		"the action with its type":    {[]string{"deed.w*"}, "act: {action: \"{{ inputs.what }}\"}", true},
		"something else":              {[]string{"deed.read", "do", "writes"}, "act: {action: write}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "inputs: {what: {type: String, default: write}}\ntasks: [{"+row.task+"}]\n")
				id := h.Start("b", nil)
				if got := load(t, h, id).Pending() != nil; got != row.asks {
					t.Errorf("it asks: %t", got)
				}
				_ = h.Engine.Cancel(t.Context(), id, h.Ana, "")
				h.Finish(id)
			}, withDeeds(t, row.gates...))
		})
	}
}

// withDeeds adds the task type and has the policy gate what matches.
func withDeeds(t *testing.T, gates ...string) func(*engine.Options) {
	t.Helper()
	return func(o *engine.Options) {
		o.Types.Tasks = append(o.Types.Tasks, engine.TaskType{Name: "deed", Aliases: []string{"act"}, Decode: func(p *playbooks.Properties) (engine.Task, error) {
			return deed{action: p.RequireText("action")}, p.Err()
		}})
		rules, err := policy.New(policy.Rules{Roles: []policy.Role{{Name: "all", Members: []string{"*"}, May: []policy.Verb{policy.Run, policy.Cancel, policy.Approve}, Playbooks: []string{"*"}}}, Gates: gates})
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = rules
	}
}

// What a task does may change between its begin, which asks or does not, and its attempt.
func TestGate_isNotPassedByAnActionThatChangesAfterTheBegin(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.Set("what", "read")
		h.Book("b", `
data_stores: {s: {type: map}}
inputs: {what: {type: String, data: s/what, dynamic: true}}
tasks: [{deed: {action: "{{ inputs.what }}", pre_sleep: 60}}]
`)
		id := h.Start("b", nil)
		synctest.Wait()
		h.Script.Set("what", "write")
		run := h.Finish(id)
		if s := run.Steps["tasks.1"]; s.Status != engine.TaskFailed || !strings.Contains(s.Message, `policy gates "deed.write"`) {
			t.Errorf("got %s: %s", s.Status, s.Message)
		}
	}, withDeeds(t, "deed.write"))
}
