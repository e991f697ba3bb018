package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// wavePath names a task of a wave; both count from zero.
func wavePath(rolling Path, wave, task int) Path {
	return Path(fmt.Sprintf("%s.wave%d.%d", rolling, wave+1, task+1))
}

// waves says what a rolling task does once its waves are planned.
func (d decider) waves(s *Step, t *playbooks.Task) action {
	plan := s.plan()
	r := rollout{decider: d, step: s, task: t, waves: s.cut(plan), max: plan.MaxFailures}
	for w := range s.Rollout.Begun {
		if a, over := r.wave(w); over {
			return a
		}
	}
	return r.next()
}

// rollout walks over the waves of a rolling task.
type rollout struct {
	decider

	step   *Step
	task   *playbooks.Task
	waves  [][]string // those that have begun, and the others as they are cut now
	max    int        // failures that are tolerated
	failed []string   // nodes, over all waves
	done   int        // waves that were gone through
}

// wave goes through one wave that has begun. over is true when it is not done, or when the rolling task ends with it.
func (r *rollout) wave(w int) (a action, over bool) {
	left := r.waves[w]
	tasks := r.task.Rolling.Tasks
	for i := range tasks {
		if len(left) == 0 {
			break // what is left of the wave has no node to work on
		}
		p := wavePath(r.step.Path, w, i)
		v, a := r.decider.step(p, &tasks[i])
		if v == pending {
			return a, true
		}
		if v == passed {
			continue
		}
		bad := r.run.Steps[p].failedOf(left)
		left = without(left, bad)
		r.failed = append(r.failed, bad...)
		if len(bad) == 0 || len(r.failed) > r.max {
			return r.fail(r.failure(w, p)), true
		}
	}
	r.done++
	return action{}, false
}

// next says what comes after the waves that have begun: the next one, what it waits for, or the end.
func (r *rollout) next() action {
	w := len(r.step.Rollout.Begun)
	if w == len(r.waves) {
		return r.end(TaskOK, r.summary())
	}
	first := wavePath(r.step.Path, w, 0)
	stop := r.step.Rollout.Stop
	if l := r.limit(first); l.over(r.now) || stop != nil {
		why, message := l.why, r.failure(w, first)
		if stop != nil {
			why, message = "the waves were stopped by "+stop.Actor.Label(), r.stopped(w, stop)
		}
		if a := r.run.open(r.step.Path); a != nil {
			return action{do: doVoid, reason: ReasonApprovalOver, path: r.step.Path, approval: a, message: why}
		}
		return r.fail(message)
	}
	if !r.step.Rollout.sent(w + 1) {
		if a, held := r.hold(r.step.Path, w+1); held {
			return a
		}
		if due := r.due(w); r.now.Before(due) {
			return action{do: doWait, reason: ReasonSlowed, path: r.step.Path, until: due}
		}
	}
	start := action{do: doWave, reason: ReasonNextWave, path: r.step.Path, wave: w + 1}
	if r.step.Gated == "" {
		return start
	}
	return r.compared(r.step, r.granted(start))
}

// granted lets a wave start that an approval covers; else it says what there is to do about one.
func (r *rollout) granted(start action) action {
	a := r.approved(r.step, ReasonNextWave)
	a.path, a.wave = start.path, start.wave
	switch a.do { //nolint:exhaustive // the rest is as for every task
	case doAttempt:
		if r.step.spare(a.approval, r.now) == 0 { // as much began as it was given for
			return action{do: doAsk, reason: ReasonGrantOver, path: a.path, task: r.task, wave: a.wave}
		}
		start.approval = a.approval
		return start
	case doEndTask:
		return r.end(a.status, a.message+r.untouched())
	}
	return a
}

// due is when a wave may start that a person slowed.
func (r *rollout) due(w int) time.Time {
	every := r.step.Rollout.every()
	if w == 0 || every == 0 {
		return time.Time{}
	}
	return r.waveEnd(w - 1).Add(every)
}

// waveEnd is when the last task of a wave ended.
func (r *rollout) waveEnd(w int) time.Time {
	at := r.step.Rollout.Begun[w].At
	for i := range r.task.Rolling.Tasks {
		if s := r.run.Steps[wavePath(r.step.Path, w, i)]; s != nil && s.Ended.After(at) {
			at = s.Ended
		}
	}
	return at
}

func (r *rollout) fail(message string) action {
	if r.task.FailOK {
		return r.end(TaskTolerated, message)
	}
	return r.end(TaskFailed, message)
}

func (r *rollout) end(status TaskStatus, message string) action {
	a := r.endTask(r.step.Path, status, message)
	a.result = &Result{Message: message, FailedNodes: r.failed}
	for _, nodes := range r.waves[:r.done] {
		a.result.OKNodes = append(a.result.OKNodes, without(nodes, r.failed)...)
	}
	for _, nodes := range r.waves[len(r.step.Rollout.Begun):] {
		a.result.UnaskedNodes = append(a.result.UnaskedNodes, nodes...)
	}
	return a
}

func (r *rollout) count() int {
	n := 0
	for _, nodes := range r.waves {
		n += len(nodes)
	}
	return n
}

func (r *rollout) summary() string {
	n := r.count()
	if len(r.failed) == 0 {
		return fmt.Sprintf("%d of %d nodes in %d waves", n, n, len(r.waves))
	}
	return fmt.Sprintf("%d of %d nodes in %d waves; %d failed, at most %d may: %s",
		n-len(r.failed), n, len(r.waves), len(r.failed), r.max, few(r.failed))
}

// failure says what ended the waves, and what was not touched.
func (r *rollout) failure(w int, p Path) string {
	why := r.limit(p).why
	if s := r.run.Steps[p]; s != nil {
		why = fmt.Sprintf("%q %s: %s", s.Description, s.Status, s.Message)
	}
	return fmt.Sprintf("wave %d of %d; %s", w+1, len(r.waves), why) + r.untouched()
}

// stopped says who stopped the waves after how many, and what was not touched.
func (r *rollout) stopped(w int, stop *WavesStopped) string {
	if stop.Actor == (Actor{}) {
		return fmt.Sprintf("nobody could be asked about wave %d of %d: %s", w+1, len(r.waves), stop.Reason) + r.untouched()
	}
	why := fmt.Sprintf("stopped by %s after wave %d of %d", stop.Actor.Label(), w, len(r.waves))
	if w == 0 {
		why = fmt.Sprintf("stopped by %s before its first wave", stop.Actor.Label())
	}
	if stop.Reason != "" {
		why += ": " + stop.Reason
	}
	return why + r.untouched()
}

// untouched names the nodes of the waves that have not begun.
func (r *rollout) untouched() string {
	rest := slices.Concat(r.waves[len(r.step.Rollout.Begun):]...)
	if len(rest) == 0 {
		return ""
	}
	return fmt.Sprintf("; %d nodes of later waves were not touched: %s", len(rest), few(rest))
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
	waves := r.Steps[owner].Waves()
	if !ok || number < 1 || number > len(waves) {
		return nil
	}
	left := waves[number-1]
	for i := 0; ; i++ {
		s := r.Steps[wavePath(owner, number-1, i)]
		if s == nil || s.Path == p {
			break
		}
		if !s.Ended.IsZero() && !s.Status.Passed() {
			left = without(left, s.failedOf(left))
		}
	}
	return map[string]any{"nodes": anyList(left), "number": number, "count": len(waves)}
}
