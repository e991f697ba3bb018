//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// rolling is a playbook whose only task goes over five nodes.
func rolling(keys string) string {
	return `
nodes: {kafka: {type: list, nodes: [k1, k2, k3, k4, k5]}}
tasks:
  - rolling:
      description: Restart kafka
      as: roll
      nodes: "{{ nodes.kafka }}"
` + keys + `
      tasks:
        - do: {name: restart, nodes: "{{ wave.nodes }}"}
        - do: {name: health, nodes: "{{ wave.nodes }}", any: "{{ wave.number }} of {{ wave.count }}"}
  - do: {name: after, any: "{{ tasks.roll.ok_nodes }} / {{ tasks.roll.failed_nodes }}"}
`
}

// failOn makes a task fail on some of the nodes it was asked for.
func failOn(h *enginetest.House, name string, bad ...string) {
	h.Script.On(name, func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
		run, err := h.Engine.Load(context.Background(), c.Run.ID)
		if err != nil {
			return engine.Result{}, err
		}
		r := engine.Result{Message: "asked"}
		for _, n := range run.Steps[c.Path].Last().Nodes {
			if slices.Contains(bad, n) {
				r.FailedNodes = append(r.FailedNodes, n)
			} else {
				r.OKNodes = append(r.OKNodes, n)
			}
		}
		if len(r.FailedNodes) > 0 {
			return r, errors.New("some failed")
		}
		return r, nil
	})
}

// asked lists what each task was asked for, such as "restart k1 k2".
func asked(run *engine.Run) []string {
	var out []string
	for _, p := range run.Order {
		s := run.Steps[p]
		for i := range s.Attempts {
			if name, ok := s.Attempts[i].Properties["name"].(string); ok && name != "after" {
				out = append(out, strings.Join(append([]string{name}, s.Attempts[i].Nodes...), " "))
			}
		}
	}
	return out
}

func TestRolling_goesOverItsNodesInWaves(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys    string
		script  func(h *enginetest.House)
		asked   []string
		status  engine.RunStatus
		message string // of the rolling task
		after   string // what the next task sees
	}{
		"sizes, the last of which repeats": {
			keys:   "      waves: [1, 40%]",
			asked:  []string{"restart k1", "health k1", "restart k2 k3", "health k2 k3", "restart k4 k5", "health k4 k5"},
			status: engine.RunSuccess, message: "5 of 5 nodes in 3 waves", after: "k1, k2, k3, k4, k5 / ",
		},
		"one batch size": {
			keys:   "      batch_size: 3",
			asked:  []string{"restart k1 k2 k3", "health k1 k2 k3", "restart k4 k5", "health k4 k5"},
			status: engine.RunSuccess, message: "5 of 5 nodes in 2 waves", after: "k1, k2, k3, k4, k5 / ",
		},
		"a failed node ends it before the next wave": {
			keys: "      batch_size: 2", script: func(h *enginetest.House) { failOn(h, "health", "k2") },
			asked:  []string{"restart k1 k2", "health k1 k2"},
			status: engine.RunFailed, message: `wave 1 of 3; "do task" failed: asked; 3 nodes of later waves were not touched: k3, k4, k5`,
		},
		"a failed node that is allowed is left out of the rest of its wave": {
			keys: "      batch_size: 2\n      max_failures: 1", script: func(h *enginetest.House) { failOn(h, "restart", "k2") },
			asked:  []string{"restart k1 k2", "health k1", "restart k3 k4", "health k3 k4", "restart k5", "health k5"},
			status: engine.RunSuccess, message: "4 of 5 nodes in 3 waves; 1 failed, at most 1 may: k2", after: "k1, k3, k4, k5 / k2",
		},
		"a wave without nodes that are left is over": {
			keys: "      batch_size: 1\n      max_failures: 20%", script: func(h *enginetest.House) { failOn(h, "restart", "k1") },
			asked:  []string{"restart k1", "restart k2", "health k2", "restart k3", "health k3", "restart k4", "health k4", "restart k5", "health k5"},
			status: engine.RunSuccess, message: "4 of 5 nodes in 5 waves; 1 failed, at most 1 may: k1", after: "k2, k3, k4, k5 / k1",
		},
		"failures count over all waves": {
			keys: "      batch_size: 2\n      max_failures: 1", script: func(h *enginetest.House) { failOn(h, "restart", "k2", "k3") },
			asked:  []string{"restart k1 k2", "health k1", "restart k3 k4"},
			status: engine.RunFailed, message: `wave 2 of 3; "do task" failed: asked; 1 nodes of later waves were not touched: k5`,
		},
		"a failure that names no node ends it": {
			keys: "      batch_size: 2\n      max_failures: 5", script: func(h *enginetest.House) { h.Script.FailFirst("health", 9) },
			asked:  []string{"restart k1 k2", "health k1 k2"},
			status: engine.RunFailed, message: `wave 1 of 3; "do task" failed: call 1 failed; 3 nodes of later waves were not touched: k3, k4, k5`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", rolling(row.keys))
				if row.script != nil {
					row.script(h)
				}
				run := h.Finish(h.Start("b", nil))
				if run.Status != row.status || run.Steps["tasks.1"].Message != row.message {
					t.Errorf("got %s: %s", run.Status, run.Steps["tasks.1"].Message)
				}
				if diff := cmp.Diff(row.asked, asked(run)); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if s := run.Steps["tasks.2"]; row.after != "" && s.Last().Properties["any"] != row.after {
					t.Errorf("the next task sees %q", s.Last().Properties["any"])
				}
			})
		})
	}
}

func TestRolling_tells_its_tasks_the_wave(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", rolling("      batch_size: 3"))
		run := h.Finish(h.Start("b", nil))
		for path, want := range map[engine.Path]string{"tasks.1.wave1.2": "1 of 2", "tasks.1.wave2.2": "2 of 2"} {
			if got := run.Steps[path].Last().Properties["any"]; got != want {
				t.Errorf("%s: got %v, want %s", path, got, want)
			}
		}
	})
}

// One approval of the whole covers its plan; a gate inside asks for each wave.
func TestRolling_asks_first_when_it_is_destructive(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", rolling("      batch_size: 3\n      destructive: true"))
		id := h.Start("b", nil)
		synctest.Wait()
		run, err := h.Engine.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		a := run.Pending()
		if a == nil || a.Path != "tasks.1" || len(a.Nodes) != 5 || h.Script.Calls("restart") != 0 {
			t.Fatalf("got %+v after %d restarts", a, h.Script.Calls("restart"))
		}
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: a.Approval, Actor: h.Ben}); err != nil {
			t.Fatal(err)
		}
		if run := h.Finish(id); run.Status != engine.RunSuccess || h.Script.Calls("restart") != 2 {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestRolling_stops_between_waves_when_it_is_cancelled(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", rolling("      batch_size: 2")+"hooks: {always: [{do: {name: always}}]}\n")
		h.Script.On("restart", hang)
		id := h.Start("b", nil)
		synctest.Wait()
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, ""); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		for _, p := range []engine.Path{"tasks.1", "tasks.1.wave1.1"} {
			if s := run.Steps[p]; s.Status != engine.TaskCancelled {
				t.Errorf("%s is %s", p, s.Status)
			}
		}
		if run.Status != engine.RunCancelled || h.Script.Calls("restart") != 1 || h.Script.Calls("always") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
	})
}

func TestRolling_timeout_ends_its_waves(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", rolling("      batch_size: 1\n      timeout: 90"))
		h.Script.On("health", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			select {
			case <-time.After(40 * time.Second):
				return engine.Result{}, nil
			case <-ctx.Done():
				return engine.Result{}, context.Cause(ctx)
			}
		})
		began := time.Now()
		run := h.Finish(h.Start("b", nil))
		if took := time.Since(began); took != 90*time.Second || run.Status != engine.RunFailed {
			t.Errorf("got %s after %s", run.Status, took)
		}
		if s := run.Steps["tasks.1.wave3.2"]; s == nil || s.Status != engine.TaskFailed || !strings.Contains(s.Message, "the waves may take 1m30s") {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
		if h.Script.Calls("restart") != 3 {
			t.Errorf("%d waves were begun", h.Script.Calls("restart"))
		}
	})
}

// A name inside of a wave is the task of that wave; from outside it is the latest.
func TestRolling_names_mean_the_tasks_of_the_same_wave(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", `
nodes: {kafka: {type: list, nodes: [k1, k2]}}
tasks:
  - rolling:
      nodes: "{{ nodes.kafka }}"
      batch_size: 1
      tasks:
        - do: {name: look, any: "{{ tasks.restart.ran }}"}
        - do: {name: restart, as: restart, nodes: "{{ wave.nodes }}"}
        - do: {name: check, any: "{{ tasks.restart.ok_nodes }}"}
  - do: {name: after, any: "{{ tasks.restart.ok_nodes }}"}
`)
		run := h.Finish(h.Start("b", nil))
		for path, want := range map[engine.Path]any{
			"tasks.1.wave1.1": false, "tasks.1.wave2.1": false,
			"tasks.1.wave1.3": []any{"k1"}, "tasks.1.wave2.3": []any{"k2"}, "tasks.2": []any{"k2"},
		} {
			if diff := cmp.Diff(want, run.Steps[path].Last().Properties["any"]); diff != "" {
				t.Errorf("%s sees (-want +got):\n%s", path, diff)
			}
		}
	})
}
