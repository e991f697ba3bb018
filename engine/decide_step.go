package engine

import (
	"fmt"
	"slices"

	"github.com/playbot/playbot/playbooks"
)

// step says how a task stands, and what it does next while it is pending.
func (d decider) step(p Path, t *playbooks.Task) (verdict, action) {
	s := d.run.Steps[p]
	if s != nil && !s.Ended.IsZero() { // first: most tasks of a long run have ended
		if s.Status.Passed() {
			return passed, action{}
		}
		return failed, action{}
	}
	l := d.limit(p)
	if s == nil {
		if l.over(d.now) {
			return failed, action{}
		}
		if a, held := d.hold(p, 0); held {
			return pending, a
		}
		return pending, action{do: doBegin, reason: ReasonNextTask, path: p, task: t}
	}
	if l.over(d.now) && !s.planned() {
		if a, closed := d.late(s, l); closed {
			return pending, d.unlocked(s, a)
		}
	}
	if isMain(p) {
		v, a := d.hooks(p, "pre_task")
		if v == pending {
			return pending, a
		}
		if v == failed {
			return pending, d.endTask(p, TaskFailed, "not started: "+d.hookCause(p, "pre_task"))
		}
	}
	return pending, d.begun(s, t, l)
}

// begun says what a task does that has begun and not ended.
func (d decider) begun(s *Step, t *playbooks.Task, l limit) action {
	a := d.attempt(s, t)
	if s.planned() && a.do == doEndTask {
		if a = d.waves(s, t); a.path != s.Path {
			return a
		}
	}
	a.path, a.task, a.limit = s.Path, t, l
	switch {
	case a.do == doWait && a.reason != ReasonAwaitResolution && a.reason != ReasonPaused && !l.at.IsZero() && (a.until.IsZero() || l.at.Before(a.until)):
		a.until = l.at
	case a.do == doAttempt && s.LockState != LocksHeld && len(s.Locks) > 0 && s.Broken == "":
		return action{do: doLock, reason: ReasonTaskLocks, path: s.Path, task: t, limit: l}
	case a.do == doEndTask && isMain(s.Path) && len(s.Attempts) > 0:
		return d.unlocked(s, d.afterHooks(s.Path, a))
	}
	return d.unlocked(s, a)
}

// unlocked takes an approval back that a task has not used, and gives its locks back, before the task ends.
func (d decider) unlocked(s *Step, a action) action {
	if a.do != doEndTask || a.path != s.Path {
		return a
	}
	if open := d.run.open(s.Path); open != nil { // what was approved could not be started
		return action{do: doVoid, reason: ReasonApprovalUnused, path: s.Path, approval: open, message: "not used: " + a.message}
	}
	if s.LockState == LocksAsked || s.LockState == LocksHeld {
		return action{do: doUnlock, reason: ReasonTaskLocksOver, path: s.Path, task: a.task}
	}
	return a
}

// afterHooks runs post_task before the task ends; a failing hook fails the task.
func (d decider) afterHooks(p Path, end action) action {
	v, a := d.hooks(p, "post_task")
	switch v {
	case pending:
		return a
	case failed:
		return d.endTask(p, TaskFailed, d.hookCause(p, "post_task"))
	default:
		return end
	}
}

func (d decider) hooks(owner Path, name string) (verdict, action) {
	for i := range d.book.List(name) {
		v, a := d.step(hookPath(owner, name, i), &d.book.List(name)[i])
		if v != passed {
			return v, a
		}
	}
	return passed, action{}
}

func (d decider) hookCause(owner Path, name string) string {
	for i := range d.book.List(name) {
		s := d.run.Steps[hookPath(owner, name, i)]
		if s != nil && !s.Ended.IsZero() && !s.Status.Passed() {
			return fmt.Sprintf("its %s hook %q %s: %s", name, s.Description, s.Status, s.Message)
		}
	}
	if l := d.limit(hookPath(owner, name, 0)); l.over(d.now) { // which kept one from its begin
		return fmt.Sprintf("its %s hooks did not all run: %s", name, l.why)
	}
	return "a " + name + " hook failed"
}

func hookPath(owner Path, name string, i int) Path {
	return owner + "." + listPath(name, i)
}

// attempt says what the attempts of a begun task call for.
func (d decider) attempt(s *Step, t *playbooks.Task) action {
	last := s.Last()
	switch {
	case last == nil:
		return d.first(s)
	case last.Resolved != nil:
		return d.resolved(s, t, *last.Resolved)
	case last.Unknown:
		return action{do: doWait, reason: ReasonAwaitResolution}
	case last.Outcome == nil && (last.Effect == Once || s.repeats() >= maxRepeats):
		return action{do: doUnknown, reason: ReasonCutOff}
	case last.Outcome == nil:
		a := d.run.used(last.Approval)
		if a != nil && a.Limit().over(d.now) {
			return d.gate(s, ReasonPersonRetries) // the yes was for before
		}
		return action{do: doAttempt, reason: ReasonCutOffRepeat, approval: a}
	case last.Outcome.OK:
		return d.endTask(s.Path, TaskOK, last.Outcome.Result.Message)
	case s.tried() >= s.Tries || Code(last.Outcome.Code) == CodeCanceled:
		return d.fail(s, t, last.Outcome.Result.Message)
	}
	if due := last.EndedAt.Add(s.TrySleep); d.now.Before(due) {
		return action{do: doWait, reason: ReasonTrySleep, until: due}
	}
	return d.gate(s, ReasonTryAgain)
}

func (d decider) first(s *Step) action {
	if a, held := d.hold(s.Path, 0); held {
		return a
	}
	if d.run.approvalFor(s.Path) == nil {
		if due := s.Ready.Add(s.PreSleep); d.now.Before(due) {
			return action{do: doWait, reason: ReasonPreSleep, until: due}
		}
	}
	return d.gate(s, ReasonFirstAttempt)
}

func (d decider) resolved(s *Step, t *playbooks.Task, word AttemptResolved) action {
	switch word.Choice {
	case ResolveRetry:
		if a, held := d.hold(s.Path, 0); held {
			return a
		}
		return d.gate(s, ReasonPersonRetries)
	case ResolveDone:
		return d.endTask(s.Path, TaskOK, "marked done by "+word.Actor.Label())
	default: // an abort is caught before
		return d.fail(s, t, "marked failed by "+word.Actor.Label())
	}
}

func (d decider) fail(s *Step, t *playbooks.Task, message string) action {
	if t.FailOK {
		return d.endTask(s.Path, TaskTolerated, message)
	}
	return d.endTask(s.Path, TaskFailed, message)
}

// gate lets an attempt through when the task needs no approval, or has one that covers it.
func (d decider) gate(s *Step, reason Reason) action {
	if s.Gated == "" || s.EachWave { // to plan waves changes nothing
		return action{do: doAttempt, reason: reason}
	}
	return d.compared(s, d.approved(s, reason))
}

// approved lets something through that has an approval which covers it; else it says what there is to do
// about one.
func (d decider) approved(s *Step, reason Reason) action {
	start := action{do: doAttempt, reason: reason}
	a := d.run.approvalFor(s.Path)
	ask := action{do: doAsk, reason: ReasonGate}
	if a == nil {
		return ask
	}
	start.approval = a
	switch a.State {
	case ApprovalPending:
		return d.unanswered(a)
	case ApprovalGranted:
		if d.now.After(a.When.Add(useWithin)) {
			return action{
				do: doVoid, reason: ReasonApprovalStale, approval: a,
				message: fmt.Sprintf("it was not used within %s", useWithin),
			}
		}
		if l := a.Limit(); l.over(d.now) {
			return action{do: doVoid, reason: ReasonGrantOver, approval: a, message: "it was given " + l.String()}
		}
		return start
	case ApprovalUsed:
		if reason == ReasonPersonRetries || a.Limit().over(d.now) { // a repeat after unknown asks again
			return ask
		}
		return start
	case ApprovalRefused:
		return d.endTask(s.Path, TaskDenied, denial(a))
	case ApprovalTimedOut:
		return d.endTask(s.Path, TaskDenied, a.late())
	default: // voided
		return ask
	}
}

func denial(a *Approval) string {
	if a.Why != "" {
		return fmt.Sprintf("denied by %s: %s", a.By.Label(), a.Why)
	}
	return "denied by " + a.By.Label()
}

func (d decider) endTask(p Path, status TaskStatus, message string) action {
	return action{do: doEndTask, reason: ReasonTaskOver, path: p, status: status, message: message}
}

// approvalFor is the latest approval of a task.
func (r *Run) approvalFor(p Path) *Approval {
	for _, a := range slices.Backward(r.Approvals) {
		if a.Path == p {
			return a
		}
	}
	return nil
}

// open is the approval of a task that waits for people, or was given and not used; nil when there is none.
func (r *Run) open(p Path) *Approval {
	if a := r.approvalFor(p); a != nil && (a.State == ApprovalPending || a.State == ApprovalGranted) {
		return a
	}
	return nil
}

// used is the approval that an attempt rests on, which its repeat rests on too; nil when it needed none.
func (r *Run) used(id string) *Approval {
	if id == "" {
		return nil
	}
	a, _ := r.Approval(id)
	return a
}

// tried is how many attempts count against `tries`: those with an outcome.
func (s *Step) tried() int {
	n := 0
	for i := range s.Attempts {
		if s.Attempts[i].Outcome != nil {
			n++
		}
	}
	return n
}

// repeats is how often the present attempt has already gone again by itself.
func (s *Step) repeats() int {
	n := 0
	for i := len(s.Attempts) - 1; i >= 0 && s.Attempts[i].Outcome == nil; i-- {
		if s.Attempts[i].Repeat {
			n++
		}
	}
	return n
}
