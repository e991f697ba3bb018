//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

const allHooks = `
tasks:
  - do: {name: one, tries: 2, try_sleep: 1}
  - do: {name: two}
hooks:
  pre_book: [{do: {name: pre_book}}, {do: {name: pre_book2}}]
  pre_task: [{do: {name: pre_task}}]
  post_task: [{do: {name: post_task}}]
  on_fail: [{do: {name: on_fail}}, {do: {name: on_fail2}}]
  on_success: [{do: {name: on_success}}]
  post_book: [{do: {name: post_book}}]
  always: [{do: {name: always}}, {do: {name: always2}}]
`

// The table is choria-playbooks.md 6.1 together with language.md 3.2: which tasks did something, in which order.
func TestHooks_runInTheOrderOf2017AndAlwaysLast(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fail   string // the task that always fails
		order  string
		status engine.RunStatus
	}{
		"nothing fails":    {"", "pre_book pre_book2 pre_task one post_task pre_task two post_task on_success post_book always always2", engine.RunSuccess},
		"a task fails":     {"one", "pre_book pre_book2 pre_task one one post_task on_fail on_fail2 post_book always always2", engine.RunFailed},
		"pre_book fails":   {"pre_book", "pre_book always always2", engine.RunFailed},
		"pre_task fails":   {"pre_task", "pre_book pre_book2 pre_task on_fail on_fail2 post_book always always2", engine.RunFailed},
		"post_task fails":  {"post_task", "pre_book pre_book2 pre_task one post_task on_fail on_fail2 post_book always always2", engine.RunFailed},
		"on_success fails": {"on_success", "pre_book pre_book2 pre_task one post_task pre_task two post_task on_success post_book always always2", engine.RunFailed},
		"post_book fails":  {"post_book", "pre_book pre_book2 pre_task one post_task pre_task two post_task on_success post_book always always2", engine.RunFailed},
		"always fails":     {"always", "pre_book pre_book2 pre_task one post_task pre_task two post_task on_success post_book always always2", engine.RunFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", allHooks)
				if row.fail != "" {
					h.Script.FailFirst(row.fail, 99)
				}
				run := h.Finish(h.Start("b", nil))
				var did []string
				for _, e := range h.Script.Effects() {
					did = append(did, e.Name)
				}
				if got := strings.Join(did, " "); got != row.order || run.Status != row.status {
					t.Errorf("the run is %s\ngot  %s\nwant %s", run.Status, got, row.order)
				}
			})
		})
	}
}

func TestHooks_onFailStopsAtItsFirstFailureWhichChangesNothing(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", allHooks)
		h.Script.FailFirst("two", 9)
		h.Script.FailFirst("on_fail", 9)
		run := h.Finish(h.Start("b", nil))
		if h.Script.Calls("on_fail2") != 0 || h.Script.Calls("post_book") != 1 {
			t.Errorf("on_fail2 ran %d times and post_book %d", h.Script.Calls("on_fail2"), h.Script.Calls("post_book"))
		}
		if !strings.HasPrefix(run.Message, `"do task" failed: call 1 failed`) {
			t.Errorf("the first cause is not named: %s", run.Message)
		}
	})
}

func TestTask_sleepsBeforeItAndBetweenItsTries(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
tasks: [{do: {name: one, pre_sleep: 20, tries: 3, try_sleep: 1m}}]
hooks: {pre_task: [{do: {name: look}}]}
`)
		began := time.Now()
		var at []time.Duration
		h.Script.On("look", func(context.Context, int, *engine.Call) (engine.Result, error) {
			time.Sleep(5 * time.Second)
			return engine.Result{}, nil
		})
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			at = append(at, time.Since(began).Round(time.Second))
			time.Sleep(3 * time.Second)
			return engine.Result{}, errors.New("no")
		})
		h.Finish(h.Start("b", nil))
		want := []time.Duration{25 * time.Second, 88 * time.Second, 151 * time.Second} // the sleeps count from the end of what is before
		for i := range want {
			if i >= len(at) || at[i] != want[i] {
				t.Fatalf("the attempts began after %v, want %v", at, want)
			}
		}
	})
}

func TestTask_timesOutAndTriesAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one, timeout: 30, tries: 2, try_sleep: 0}}]")
		h.Script.On("one", hang)
		began := time.Now()
		run := h.Finish(h.Start("b", nil))
		if took := time.Since(began).Round(time.Second); took != time.Minute || len(run.Steps["tasks.1"].Attempts) != 2 {
			t.Errorf("took %s for %d attempts, want a minute for 2", took, len(run.Steps["tasks.1"].Attempts))
		}
		if o := run.Steps["tasks.1"].Last().Outcome; o.Code != string(engine.CodeTimeout) || !strings.Contains(o.Result.Message, "timed out after 30s") {
			t.Errorf("the outcome is %s: %s", o.Code, o.Result.Message)
		}
	})
}

func TestTask_panicFailsOneAttempt(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one, tries: 2, try_sleep: 1}}]")
		h.Script.On("one", func(_ context.Context, n int, _ *engine.Call) (engine.Result, error) {
			if n == 1 {
				panic("boom")
			}
			return engine.Result{}, nil
		})
		run := h.Finish(h.Start("b", nil))
		wantTranscript(t, run, "tasks.1 ok x2\nsuccess: 1 of 1 tasks done")
		o := run.Steps["tasks.1"].Attempts[0].Outcome
		if o.OK || o.Code != string(engine.CodeInternal) || !strings.Contains(o.Result.Message, "the program panicked: boom") {
			t.Errorf("the outcome is %+v", o)
		}
	})
}

func TestTask_panicOfANodeSetFailsThePreparation(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook+"nodes: {web: {type: list, nodes: [web1]}}\n")
		h.Script.OnDiscover(func(context.Context) error { panic("boom") })
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunFailed || !strings.Contains(run.Message, "boom") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		wantNotHeld(t, h, "deploy")
	})
}

func TestTask_thatCannotBeRenderedIsATaskFailure(t *testing.T) {
	t.Parallel()
	for name, properties := range map[string]string{
		"in a property": `any: "{{ inputs.rev }}"`,
		"in tries":      `tries: "{{ inputs.rev }}"`,
		"in when":       `when: "inputs.rev == 'x'"`,
		"before a gate": `any: "{{ inputs.rev }}", destructive: true`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", `
data_stores: {s: {type: map}}
inputs: {rev: {description: Revision, type: String, data: s/rev, required: false}}
tasks: [{do: {name: one, `+properties+`}}]
hooks: {on_fail: [{do: {name: sorry}}], always: [{do: {name: cleanup}}]}
`)
				run := h.Finish(h.Start("b", nil))
				if run.Status != engine.RunFailed || h.Script.Calls("one") != 0 || h.Script.Calls("sorry") != 1 || h.Script.Calls("cleanup") != 1 {
					t.Errorf("got\n%s", enginetest.Transcript(run))
				}
				if !strings.Contains(run.Message, `"rev" has no value`) {
					t.Errorf("the message is %q", run.Message)
				}
			})
		})
	}
}

func TestTask_thatWasCutOffAndCannotBeRenderedAgainFails(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
data_stores: {s: {type: map}}
inputs: {rev: {description: Revision, type: String, data: s/rev, required: false}}
tasks: [{do: {name: one, any: "{{ inputs.rev }}", effect: read_only}}]
`)
		h.Script.Set("rev", "abc")
		h.Script.On("one", hang)
		id := h.Start("b", nil)
		load(t, h, id)
		h.Stop()
		h.Script.Unset("rev")
		h.Restart()
		wantTranscript(t, h.Finish(id), "tasks.1 failed x2\nfailed: "+
			`"do task" failed: `+h.Finish(id).Steps["tasks.1"].Message)
	})
}

func TestWhen_isAskedBeforePreTaskAndSkipsWithoutAsking(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
tasks:
  - do: {name: one, when: "false", destructive: true}
  - do: {name: two}
hooks: {pre_task: [{do: {name: look}}]}
`)
		wantTranscript(t, h.Finish(h.Start("b", nil)), `
tasks.1 skipped
tasks.2 ok
tasks.2.pre_task.1 ok
success: 2 of 2 tasks done`)
	})
}

func TestSecrets_areMaskedAsKeysAndInEverySentence(t *testing.T) {
	t.Parallel()
	const secret = `s3cret"<ü>`
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
tasks: [{do: {name: one}}]
hooks: {always: [{do: {name: two, destructive: true}}]}
`)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{Data: map[string]any{secret: []string{secret}}}, errors.New("refused " + secret)
		})
		h.Script.On("two", func(context.Context, int, *engine.Call) (engine.Result, error) { panic(secret) })
		id := h.Start("b", map[string]any{"x": secret})
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: gate(t, h, id).Approval, Actor: h.Ben, Reason: secret}); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		for _, e := range h.Events(id) {
			data, err := engine.EncodePayload(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), "s3cret") {
				t.Errorf("event %d (%s) holds a secret: %s", e.Seq, e.Kind(), data)
			}
		}
		if !strings.Contains(run.Message, "refused ***") {
			t.Errorf("the message is %q", run.Message)
		}
	}, func(o *engine.Options) { o.Secrets = []string{secret} })
}

func TestResult_countsAreWholeNumbersForTheNextTask(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
tasks:
  - do: {name: one, as: n}
  - do: {name: two, any: "n={{ tasks.n.data[0].count }}"}
`)
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{Data: []map[string]any{{"count": 1000000.0}}}, nil // as JSON brings it
		})
		h.Finish(h.Start("b", nil))
		if got := h.Script.Effects()[1].Any; got != "n=1000000" {
			t.Errorf("the next task got %v", got)
		}
	})
}
