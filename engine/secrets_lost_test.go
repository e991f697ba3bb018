//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestSecretLost_theRunWaitsUntilItIsGivenAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", secretBook)
		h.Script.On("one", hang)
		id := secretly(t, h, theSecret)
		restart(h)
		if err := h.Engine.Resolve(t.Context(), engine.Answer{Run: id, Path: "tasks.1", Attempt: 1, Choice: engine.ResolveRetry, Actor: h.Ana}); err != nil {
			t.Fatal(err)
		}
		h.Script.On("one", nil)
		time.Sleep(time.Hour)
		run := load(t, h, id)
		if run.Status != engine.RunWaiting || !slices.Equal(run.SecretsNeeded, []string{"token"}) || h.Script.Calls("one") != 1 {
			t.Errorf("the run is %s, needs %v, and one ran %d times", run.Status, run.SecretsNeeded, h.Script.Calls("one"))
		}
		if lacks, err := h.Engine.Lacks(t.Context(), id); err != nil || !slices.Equal(lacks, []string{"token"}) {
			t.Errorf("lacks %v (%v)", lacks, err)
		}
		for _, row := range []struct {
			who         engine.Actor
			name, value string
			want        engine.Code
			says        string
		}{
			{h.Gus, "token", theSecret, engine.CodeDenied, "refused"},
			{h.Ana, "token", "hunter3-hunter3", engine.CodeInvalid, "not the value of token that the run was started with"},
			{h.Ana, "token", "", engine.CodeInvalid, "not the value"},
			{h.Ana, "who", theSecret, engine.CodeInvalid, `without a secret "who"; it asks for token`},
		} {
			err := give(t, h, id, row.who, row.name, row.value)
			if engine.CodeOf(err) != row.want || !strings.Contains(err.Error(), row.says) || row.value != "" && strings.Contains(err.Error(), row.value) {
				t.Errorf("%s gives %s=%s: got %v", row.who.Name, row.name, row.value, err)
			}
		}
		wantRefusals(t, h, "give secrets", 3)
		if err := give(t, h, id, h.Ben, "token", theSecret); err != nil {
			t.Fatal(err)
		}
		if err := give(t, h, id, h.Ana, "token", theSecret); engine.CodeOf(err) != engine.CodeConflict {
			t.Errorf("given a second time: %v", err)
		}
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: gate(t, h, id).Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		wantTranscript(t, h.Finish(id), "tasks.1 ok x2\ntasks.2 skipped\ntasks.3 ok\nalways.1 ok\nsuccess: 3 of 3 tasks done")
		if n := count[engine.SecretsNeeded](h, id); n != 1 {
			t.Errorf("it was asked for %d times", n)
		}
		if given := last[engine.SecretsGiven](h, id); !given.Actor.Is(h.Ben) || !slices.Equal(given.Names, []string{"token"}) {
			t.Errorf("given: %+v", given)
		}
	})
}

// wantRefusals counts what was refused and written down.
func wantRefusals(t *testing.T, h *enginetest.House, verb string, want int) {
	t.Helper()
	n := 0
	for e, err := range h.Log.Read(t.Context(), engine.BotStream) {
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := e.Payload.(engine.Refused); ok && r.Verb == verb {
			n++
		}
	}
	if n != want {
		t.Errorf("%d refusals of %q are written down, want %d", n, verb, want)
	}
}

func count[P engine.Payload](h *enginetest.House, id engine.RunID) int {
	n := 0
	for _, e := range h.Events(id) {
		if _, ok := e.Payload.(P); ok {
			n++
		}
	}
	return n
}

func last[P engine.Payload](h *enginetest.House, id engine.RunID) (out P) {
	for _, e := range h.Events(id) {
		if p, ok := e.Payload.(P); ok {
			out = p
		}
	}
	return out
}

func TestSecretLost_anApprovalGivenMeanwhileIsKept(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"in time": time.Minute, "too late to use": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("s", secretBook)
				id := secretly(t, h, theSecret)
				gate(t, h, id)
				restart(h)
				run := load(t, h, id)
				if run.Status != engine.RunWaiting || len(run.SecretsNeeded) != 1 {
					t.Errorf("a run at a gate is %s and needs %v", run.Status, run.SecretsNeeded)
				}
				if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: run.Pending().Approval, Actor: h.Ben}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(late)
				if run = load(t, h, id); run.Status != engine.RunWaiting || h.Script.Calls("three") != 0 {
					t.Errorf("an approved run without its secret is %s; three ran %d times", run.Status, h.Script.Calls("three"))
				}
				if err := give(t, h, id, h.Ana, "token", theSecret); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if run = load(t, h, id); (late == time.Hour) != (run.Pending() != nil) {
					t.Errorf("then the run is %s", enginetest.Transcript(run))
				}
				if run.Pending() != nil {
					if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Actor: h.Ben}); err != nil {
						t.Fatal(err)
					}
				}
				if run = h.Finish(id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

func TestSecretLost_aCancelledRunDoesWithoutIt(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", `
inputs: {token: {description: Token, type: Secret}}
tasks: [{do: {name: one, effect: read_only}}]
hooks: {always: [{do: {name: logout, any: "{{ inputs.token }}"}}, {do: {name: undo}}]}
`)
		h.Script.On("one", hang)
		id := secretly(t, h, theSecret)
		restart(h)
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if run.Status != engine.RunCancelled || run.Steps["always.1"].Status != engine.TaskFailed || run.Steps["always.2"].Status != engine.TaskOK || len(run.SecretsNeeded) > 0 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if m := run.Steps["always.1"].Message; !strings.Contains(m, `input "token": the secret is not known any more`) {
			t.Errorf("the task that needs the secret says %q", m)
		}
		if err := give(t, h, id, h.Ana, "token", theSecret); engine.CodeOf(err) != engine.CodeConflict {
			t.Errorf("given after the end: %v", err)
		}
	})
}

func TestSecretLost_theTimeoutOfThePlaybookEndsTheWait(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", "timeout: 10m\ninputs: {token: {description: Token, type: Secret}}\ntasks: [{do: {name: one, effect: read_only}}]\n")
		h.Script.On("one", hang)
		id := secretly(t, h, theSecret)
		restart(h)
		if run := h.Finish(id); run.Status != engine.RunFailed || !strings.Contains(run.Message, "may take 10m") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestSecretLost_isAskedForOncePerProcessAndKeepsTheLocks(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", "data_stores: {m: {type: map}}\nlocks: [m/tier]\ninputs: {token: {description: Token, type: Secret}}\ntasks: [{do: {name: one, effect: read_only}}]\n")
		h.Script.On("one", hang)
		id := secretly(t, h, theSecret)
		restart(h)
		restart(h)
		time.Sleep(time.Hour)
		if n := count[engine.SecretsNeeded](h, id); n != 1 {
			t.Errorf("it was asked for %d times while it was asked for already", n)
		}
		if _, held := h.Script.Holder("tier"); !held {
			t.Error("the lock is not held while the run waits")
		}
		if err := give(t, h, id, h.Ana, "token", theSecret); err != nil {
			t.Fatal(err)
		}
		restart(h)
		if n := count[engine.SecretsNeeded](h, id); n != 2 {
			t.Errorf("it was asked for %d times in three processes", n)
		}
		if h.Engine.Working() != 0 {
			t.Error("a waiting run has a goroutine")
		}
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		h.Finish(id)
	})
}
