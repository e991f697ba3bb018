//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// whatTasksGot runs a book and returns the property `any` of each attempt, by the name of its task.
func whatTasksGot(t *testing.T, h *enginetest.House, body string, inputs map[string]any) (*engine.Run, map[string][]any) {
	t.Helper()
	h.Book("b", body)
	run := h.Finish(h.Start("b", inputs))
	got := make(map[string][]any)
	for _, e := range h.Script.Effects() {
		got[e.Name] = append(got[e.Name], e.Any)
	}
	return run, got
}

// seen is a mapping of everything that previous_task (or another scope) tells.
func seen(scope string) string {
	var items []string
	for _, item := range []string{"success", "msg", "message", "data", "description", "runtime"} {
		items = append(items, fmt.Sprintf(`%s: "{{{ %s.%s }}}"`, item, scope, item))
	}
	return "{" + strings.Join(items, ", ") + "}"
}

func TestCompat2017_previousTaskIsWhatRanLast(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			time.Sleep(1111 * time.Millisecond)
			return engine.Result{Message: "all good", Data: []any{"a", 1}}, nil
		})
		_, got := whatTasksGot(t, h, `
tasks:
  - do: {name: first, any: `+seen("previous_task")+`, description: the first}
  - do: {name: one, description: "of {{{ metadata.name }}}"}
  - do: {name: two, any: `+seen("previous_task")+`, description: "after {{{ previous_task.description }}}"}
  - do: {name: skipped, when: "false"}
  - do: {name: three, any: `+seen("previous_task")+`}
`, nil)
		const none = "No previous task was found"
		want := map[string]any{"success": false, "msg": none, "message": none, "data": []any{}, "description": none, "runtime": 0}
		if !reflect.DeepEqual(got["first"][0], want) {
			t.Errorf("before any task: got %v, want %v", got["first"][0], want)
		}
		want = map[string]any{"success": true, "msg": "all good", "message": "all good", "data": []any{"a", 1}, "description": "of b", "runtime": 1.11}
		if !reflect.DeepEqual(got["two"][0], want) {
			t.Errorf("after a task: got %v, want %v", got["two"][0], want)
		}
		if third, _ := got["three"][0].(map[string]any); third["description"] != "after of b" || third["runtime"] != 0.0 {
			t.Errorf("after a task that was skipped: got %v, want the one before", third)
		}
	})
}

// Section 6.3: hooks see the attempt that ended last, of whatever list.
func TestCompat2017_previousTaskOfHooks(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fails   string // the task that fails
		main    string // more properties of the main task
		hooks   string
		pre     string // what pre_task sees
		post    string
		outcome string // what the first of on_fail, or on_success, sees
		second  string // what the second sees
		failed  string // failed_task there
	}{
		"a failure": {
			"main", "", "", "none", "", "main false call 1 failed", "hook true hook done", "main",
		},
		"a failure with a hook after it": {
			"main", "", "  post_task: [{do: {name: post, description: post, any: " + seen("previous_task") + "}}]\n", "none",
			"main false call 1 failed", "post true post done", "hook true hook done", "main",
		},
		"success": {"", "", "", "none", "", "main true main done", "hook true hook done", "none"},
		"a tolerated failure": {
			"main", ", fail_ok: true", "", "none", "", "main true call 1 failed", "hook true hook done", "none",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				if row.fails != "" {
					h.Script.FailFirst(row.fails, 1)
				}
				after := "[{do: {name: hook, description: hook, any: " + seen("previous_task") + "}}, " +
					"{do: {name: hook2, description: hook2, any: [" + seen("previous_task") + ", " + seen("failed_task") + "]}}]\n"
				_, got := whatTasksGot(t, h, "tasks: [{do: {name: main, description: main"+row.main+"}}]\nhooks:\n"+row.hooks+
					"  pre_task: [{do: {name: pre, description: pre, any: "+seen("previous_task")+"}}]\n  on_fail: "+after+"  on_success: "+after, nil)
				tell := func(v any) string {
					m, _ := v.(map[string]any)
					if m["description"] == "No previous task was found" || m["description"] == "No failed task was found" {
						return "none"
					}
					return fmt.Sprintf("%v %v %v", m["description"], m["success"], m["msg"])
				}
				both, _ := got["hook2"][0].([]any)
				for what, pair := range map[string][2]string{
					"pre_task": {tell(got["pre"][0]), row.pre}, "the first hook": {tell(got["hook"][0]), row.outcome},
					"the second hook": {tell(both[0]), row.second}, "failed_task": {strings.Fields(tell(both[1]))[0], row.failed},
				} {
					if pair[0] != pair[1] {
						t.Errorf("%s saw %q, want %q", what, pair[0], pair[1])
					}
				}
				if row.post != "" && tell(got["post"][0]) != row.post {
					t.Errorf("post_task saw %q, want %q", tell(got["post"][0]), row.post)
				}
			})
		})
	}
}

// Section 5.1: a try sees fresh inputs, and its own failed attempt as the previous task.
func TestCompat2017_everyTryIsRenderedAgain(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.Set("x", "before")
		h.Script.On("one", func(_ context.Context, n int, _ *engine.Call) (engine.Result, error) {
			h.Script.Set("x", fmt.Sprintf("after %d", n))
			return engine.Result{Message: fmt.Sprintf("try %d", n)}, errors.New("no")
		})
		run, got := whatTasksGot(t, h, `
data_stores: {s: {type: map}}
inputs: {x: {type: String, data: s/x, dynamic: true}}
tasks:
  - do:
      name: one
      description: "with {{{ inputs.x }}} after {{{ previous_task.description }}}"
      tries: 3
      try_sleep: 1
      any: ["{{{ inputs.x }}}", "{{{ previous_task.msg }}}", "{{{ date(%S) }}}"]
hooks: {pre_task: [{do: {name: pre, description: pre}}]}
`, nil)
		var dates []string
		var rest [][2]any
		for _, a := range got["one"] {
			items := a.([]any)
			dates, rest = append(dates, items[2].(string)), append(rest, [2]any{items[0], items[1]})
		}
		if want := [][2]any{{"before", "pre done"}, {"after 1", "try 1"}, {"after 2", "try 2"}}; !reflect.DeepEqual(rest, want) {
			t.Errorf("the tries saw %v, want %v", rest, want)
		}
		if slices.Sort(dates); len(slices.Compact(dates)) != 3 {
			t.Errorf("the tries saw the seconds %v, want one for each", dates)
		}
		// The description is rendered once, before pre_task (6.2).
		if got := run.Steps["tasks.1"].Description; got != "with before after No previous task was found" {
			t.Errorf("the description is %q", got)
		}
	})
}

// Sections 5.1 and 14.8: what holds when nothing is said, and that what is said wins.
func TestCompat2017_commonPropertiesHaveTheDefaultsOf2017(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		properties string
		calls      int
		took       time.Duration
		status     engine.TaskStatus
	}{
		"nothing said":              {"", 1, 0, engine.TaskFailed},
		"tries":                     {"tries: 2", 2, 10 * time.Second, engine.TaskFailed},
		"tries and try_sleep":       {"tries: 2, try_sleep: 20", 2, 20 * time.Second, engine.TaskFailed},
		"pre_sleep":                 {"pre_sleep: 12", 1, 12 * time.Second, engine.TaskFailed},
		"pre_sleep is slept once":   {"pre_sleep: 12, tries: 3, try_sleep: 1", 3, 14 * time.Second, engine.TaskFailed},
		"fail_ok":                   {"fail_ok: true", 1, 0, engine.TaskTolerated},
		"fail_ok tries first":       {"fail_ok: true, tries: 2, try_sleep: 20", 2, 20 * time.Second, engine.TaskTolerated},
		"templates in tries":        {`tries: "{{{ inputs.n }}}", try_sleep: "{{{ inputs.n }}}"`, 3, 6 * time.Second, engine.TaskFailed},
		"a task that passes":        {"name: good, tries: 2", 1, 0, engine.TaskOK},
		"a failure, then it passes": {"name: second, tries: 3, fail_ok: true", 2, 10 * time.Second, engine.TaskOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Script.FailFirst("bad", 99)
				h.Script.FailFirst("second", 1)
				properties := row.properties
				if !strings.Contains(properties, "name:") {
					properties = strings.TrimSuffix("name: bad, "+properties, ", ")
				}
				began := time.Now()
				run, _ := whatTasksGot(t, h, "inputs: {n: {type: Integer, default: 3}}\ntasks: [{do: {"+properties+"}}]\n", map[string]any{"n": 3})
				s := run.Steps["tasks.1"]
				if took := time.Since(began).Round(time.Second); took != row.took || len(s.Attempts) != row.calls || s.Status != row.status {
					t.Errorf("%s after %d attempts in %s; want %s, %d, %s", s.Status, len(s.Attempts), took, row.status, row.calls, row.took)
				}
				if s.Description != "do task" {
					t.Errorf("it is called %q, want its type", s.Description)
				}
			})
		})
	}
}

// Section 1 and 14.8: nothing to do is success, and on_success is told.
func TestCompat2017_noTasksAreSuccess(t *testing.T) {
	t.Parallel()
	for _, tasks := range []string{"", "tasks:\n", "tasks: []\n"} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			run, _ := whatTasksGot(t, h, tasks+"hooks:\n  pre_task:\n  on_fail: []\n  on_success: [{do: {name: hooray}}]\n", nil)
			if run.Status != engine.RunSuccess || h.Script.Calls("hooray") != 1 {
				t.Errorf("%q: %s: %s; on_success ran %d times", tasks, run.Status, run.Message, h.Script.Calls("hooray"))
			}
		})
	}
}

// Sections 6.5 and 4.9: what aborted a run of 2017 is a failure of its task.
func TestCompat2017_nothingAbortsARun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ properties, want string }{
		"a template that has no value":       {`any: "{{{ inputs.gone }}}"`, `input "gone" has no value`},
		"a value of the store that is wrong": {`any: "{{{ inputs.wrong }}}"`, "is not fit for input"},
		"a property that turns out wrong":    {`effect: "{{{ inputs.text }}}"`, "effect"},
		"a required property that is empty":  {`name: "{{{ inputs.empty }}}"`, "name is empty"},
		"tries that turn out wrong":          {`tries: "{{{ inputs.text }}}"`, "tries must be a whole number"},
		"no tries":                           {`tries: "{{{ inputs.zero }}}"`, "tries is 0"},
		"nodes that turn out to be text":     {`nodes: "{{{ inputs.text }}}"`, "nodes must be a list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Script.Set("wrong", 5)
				properties := row.properties
				if !strings.Contains(properties, "name:") {
					properties += ", name: one"
				}
				run, _ := whatTasksGot(t, h, `
data_stores: {s: {type: map}}
inputs:
  gone: {type: String, data: s/gone}
  wrong: {type: String, data: s/wrong, default: right}
  text: {type: String, default: text}
  empty: {type: String, default: ""}
  zero: {type: Integer, default: 0}
locks: [s/deploy]
tasks: [{do: {name: before}}, {do: {`+properties+`}}, {do: {name: after}}]
hooks:
  on_fail: [{do: {name: sorry}}]
  post_book: [{do: {name: last}}]
`, map[string]any{"text": "text", "empty": "", "zero": 0})
				wantTranscript(t, run, "tasks.1 ok\ntasks.2 failed\non_fail.1 ok\npost_book.1 ok\nfailed: "+run.Message)
				if !strings.Contains(run.Message, row.want) {
					t.Errorf("the message is %q, want %q", run.Message, row.want)
				}
				wantNotHeld(t, h, "deploy")
			})
		})
	}
}

// Section 8 and 14.10.
func TestCompat2017_reportTellsEveryAttempt(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.On("slow", func(_ context.Context, n int, _ *engine.Call) (engine.Result, error) {
			time.Sleep(time.Duration(n) * time.Second)
			if n == 1 {
				return engine.Result{Message: "not yet"}, errors.New("no")
			}
			return engine.Result{Message: "there", Data: []any{n}}, nil
		})
		run, _ := whatTasksGot(t, h, `
data_stores: {s: {type: map}}
inputs:
  cluster: {type: String, required: false, default: alpha}
  two: {type: String}
  unset: {type: String, required: false}
  bound: {type: String, data: s/bound, default: d}
nodes: {web: {type: list, nodes: [r1, r2]}, lb: {type: list, nodes: [r3]}}
tasks:
  - do: {name: slow, description: "slowly {{{ inputs.two }}}", tries: 2, try_sleep: 7}
  - do: {name: quick, fail_ok: true}
hooks:
  pre_task: [{do: {name: look, description: look}}]
`, map[string]any{"cluster": "alpha", "two": "2"})
		r := run.Report()
		if again := run.Report(); !reflect.DeepEqual(r, again) {
			t.Errorf("the second report is another: %+v", again)
		}
		var lines []string
		for _, e := range r.Tasks {
			lines = append(lines, fmt.Sprintf("%s %s %q ran=%t success=%t %.1f %q", e.Set, e.Type, e.Description, e.Ran, e.Success, e.RunTime, e.Message))
			if e.Start.IsZero() || e.End.Sub(e.Start).Seconds() != e.RunTime {
				t.Errorf("%s from %s to %s took %v", e.Path, e.Start, e.End, e.RunTime)
			}
		}
		want := []string{
			`tasks do "slowly 2" ran=true success=false 1.0 "not yet"`, `tasks do "slowly 2" ran=true success=true 2.0 "there"`,
			`tasks do "look" ran=true success=true 0.0 "look done"`, `tasks do "do task" ran=true success=true 0.0 "quick done"`,
			`tasks do "look" ran=true success=true 0.0 "look done"`,
		}
		if slices.Sort(lines); !slices.Equal(lines, sorted(want)) {
			t.Errorf("got\n%s", strings.Join(lines, "\n"))
		}
		if m := r.Metrics["do"]; m != (engine.TypeMetric{Count: 5, Pass: 4, Fail: 1, TotalTime: 3}) || len(r.Metrics) != 1 {
			t.Errorf("got the metrics %+v", r.Metrics)
		}
		if !reflect.DeepEqual(r.Inputs, map[string]any{"cluster": "alpha", "two": "2"}) || !reflect.DeepEqual(r.Nodes, map[string][]string{"web": {"r1", "r2"}, "lb": {"r3"}}) {
			t.Errorf("got the inputs %v and nodes %v", r.Inputs, r.Nodes)
		}
		if r.Report.Version != 1 || !r.Report.Success || r.Playbook.Name != "b" || r.Playbook.Version != "1.0.0" || !reflect.DeepEqual(r.Tasks[1].Result.Data, []any{2}) {
			t.Errorf("got %+v of %+v", r.Report, r.Playbook)
		}
	})
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}
