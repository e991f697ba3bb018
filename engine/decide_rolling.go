package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// wavePath names a task of a wave; both count from zero.
func wavePath(rolling Path, wave, task int) Path {
	return Path(fmt.Sprintf("%s.wave%d.%d", rolling, wave+1, task+1))
}

// waves says what a rolling task does once its waves are planned.
func (d decider) waves(s *Step, t *playbooks.Task) action {
	r := rollout{decider: d, step: s, tasks: t.Rolling.Tasks, plan: *s.plan()}
	for w := range r.plan.Waves {
		if a, over := r.wave(w); over {
			return a
		}
	}
	return r.end(TaskOK, r.summary())
}

// rollout walks over the waves of a rolling task.
type rollout struct {
	decider

	step   *Step
	tasks  []playbooks.Task
	plan   wavePlan
	failed []string // nodes, over all waves
	done   int      // waves that were gone through
}

// wave goes through one wave. over is true when it is not done, or when the rolling task ends with it.
func (r *rollout) wave(w int) (a action, over bool) {
	left := r.plan.Waves[w]
	for i := range r.tasks {
		if len(left) == 0 {
			break // what is left of the wave has no node to work on
		}
		p := wavePath(r.step.Path, w, i)
		v, a := r.decider.step(p, &r.tasks[i])
		if v == pending {
			return a, true
		}
		if v == passed {
			continue
		}
		bad := r.run.Steps[p].failedOf(left)
		left = without(left, bad)
		r.failed = append(r.failed, bad...)
		if len(bad) == 0 || len(r.failed) > r.plan.MaxFailures {
			return r.end(TaskFailed, r.failure(w, p)), true
		}
	}
	r.done++
	return action{}, false
}

func (r *rollout) end(status TaskStatus, message string) action {
	a := r.endTask(r.step.Path, status, message)
	a.result = &Result{Message: message, FailedNodes: r.failed}
	for w, nodes := range r.plan.Waves {
		if w < r.done || status == TaskOK {
			a.result.OKNodes = append(a.result.OKNodes, without(nodes, r.failed)...)
		}
	}
	return a
}

func (r *rollout) summary() string {
	n := r.plan.count()
	if len(r.failed) == 0 {
		return fmt.Sprintf("%d of %d nodes in %d waves", n, n, len(r.plan.Waves))
	}
	return fmt.Sprintf("%d of %d nodes in %d waves; %d failed, at most %d may: %s",
		n-len(r.failed), n, len(r.plan.Waves), len(r.failed), r.plan.MaxFailures, few(r.failed))
}

// failure says what ended the waves, and what was not touched.
func (r *rollout) failure(w int, p Path) string {
	parts := []string{fmt.Sprintf("wave %d of %d", w+1, len(r.plan.Waves))}
	if s := r.run.Steps[p]; s != nil {
		parts = append(parts, fmt.Sprintf("%q %s: %s", s.Description, s.Status, s.Message))
	} else {
		parts = append(parts, r.limit(p).why)
	}
	var rest []string
	for _, nodes := range r.plan.Waves[w+1:] {
		rest = append(rest, nodes...)
	}
	if len(rest) > 0 {
		parts = append(parts, fmt.Sprintf("%d nodes of later waves were not touched: %s", len(rest), few(rest)))
	}
	return strings.Join(parts, "; ")
}

// failedOf lists those of some nodes that failed or were silent in the latest attempt.
func (s *Step) failedOf(nodes []string) []string {
	if s == nil || s.Last() == nil || s.Last().Outcome == nil {
		return nil
	}
	result := s.Last().Outcome.Result
	var bad []string
	for _, n := range nodes {
		if slices.Contains(result.FailedNodes, n) || slices.Contains(result.SilentNodes, n) {
			bad = append(bad, n)
		}
	}
	return bad
}

func without(list, drop []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return slices.Contains(drop, n) })
}

// waveItems are what a task of a wave sees under `wave`: the nodes that have not failed in it so far.
func (r *Run) waveItems(p Path) map[string]any {
	owner, number, ok := p.InWave()
	plan := r.Steps[owner].plan()
	if !ok || plan == nil || number < 1 || number > len(plan.Waves) {
		return nil
	}
	left := plan.Waves[number-1]
	for i := 0; ; i++ {
		s := r.Steps[wavePath(owner, number-1, i)]
		if s == nil || s.Path == p {
			break
		}
		if !s.Ended.IsZero() && !s.Status.Passed() {
			left = without(left, s.failedOf(left))
		}
	}
	return map[string]any{"nodes": anyList(left), "number": number, "count": len(plan.Waves)}
}
