package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// verb is what the runner is to do next.
type verb string

const (
	doNothing     verb = "nothing" // the run has ended
	doWait        verb = "wait"    // until a time, or for a person when until is zero
	doPrepare     verb = "prepare"
	doBegin       verb = "begin"   // evaluate `when`, render the description
	doAsk         verb = "ask"     // reach a gate
	doExpire      verb = "expire"  // close a gate that nobody answered
	doVoid        verb = "void"    // take back an approval
	doRemind      verb = "remind"  // ask people again about a gate that waits
	doUnknown     verb = "unknown" // ask a person about an attempt that was cut off
	doAttempt     verb = "attempt"
	doEndTask     verb = "end task"
	doLock        verb = "take locks of a task"
	doUnlock      verb = "release locks of a task"
	doRelease     verb = "release locks"
	doRelock      verb = "take locks again"
	doEndChildren verb = "end runs that an earlier process has left under way"
	doSecrets     verb = "ask for secrets that a restart has lost"
	doHold        verb = "hold"   // note that a paused run stands still
	doLinger      verb = "linger" // note that only the end of a run is left
	doWave        verb = "start a wave"
	doEnd         verb = "end"
)

// Reason names why the next action is the next action. It is logged, and shown by `status`.
type Reason string

// The reasons.
const (
	ReasonEnded           Reason = "the run has ended"
	ReasonUnprepared      Reason = "the run is not prepared yet"
	ReasonNextTask        Reason = "the task is next in its list"
	ReasonGate            Reason = "the task needs an approval"
	ReasonAwaitApproval   Reason = "waiting for an approval"
	ReasonApprovalLate    Reason = "nobody approved in time"
	ReasonRemind          Reason = "people are to be asked again"
	ReasonApprovalStale   Reason = "the approval was not used in time"
	ReasonGrantOver       Reason = "what was granted is over"
	ReasonApprovalOver    Reason = "the run stops before the approval was used"
	ReasonApprovalUnused  Reason = "the task ends before the approval was used"
	ReasonPreSleep        Reason = "waiting for pre_sleep"
	ReasonFirstAttempt    Reason = "the task is due"
	ReasonTryAgain        Reason = "an earlier attempt failed and tries are left"
	ReasonTrySleep        Reason = "waiting for try_sleep"
	ReasonCutOffRepeat    Reason = "an attempt was cut off and may be repeated"
	ReasonCutOff          Reason = "an attempt was cut off and only a person may repeat it"
	ReasonAwaitResolution Reason = "waiting for a person to say what became of an attempt"
	ReasonPersonRetries   Reason = "a person chose to retry"
	ReasonTaskOver        Reason = "the task has its outcome"
	ReasonTaskLocks       Reason = "the task needs its locks"
	ReasonTaskLocksOver   Reason = "the task is over and holds locks"
	ReasonStopping        Reason = "the run was cancelled"
	ReasonLocksHeld       Reason = "the run holds locks"
	ReasonLocksAgain      Reason = "another process took the locks of the run"
	ReasonChildren        Reason = "a run that it started has not ended"
	ReasonAwaitWord       Reason = "it is being looked up who wants the run to stand still"
	ReasonUnread          Reason = "a run that it may have started cannot be read"
	ReasonPaused          Reason = "a person paused the run"
	ReasonSlowed          Reason = "a person slowed the waves"
	ReasonUncompared      Reason = "the nodes could not be compared a moment ago"
	ReasonNextWave        Reason = "the next wave is due"
	ReasonInputsLost      Reason = "a restart has lost secrets of the run"
	ReasonAwaitInputs     Reason = "waiting for secrets"
	ReasonActing          Reason = "nodes may still act on an attempt that was cut off"
	ReasonAllDone         Reason = "nothing is left to do"
)

const (
	// useWithin is how long a granted approval may lie unused; see reliability T-21.
	useWithin = 15 * time.Minute
	// maxRepeats is how often an attempt that was cut off goes again by itself before a person is
	// asked: a task that kills the process must not do so for ever.
	maxRepeats = 3
)

// action is the next thing to do, and why.
type action struct {
	do       verb
	reason   Reason
	path     Path
	task     *playbooks.Task
	until    time.Time
	approval *Approval
	status   TaskStatus
	end      RunStatus
	message  string
	result   *Result // of a rolling task that ends
	limit    limit   // of an attempt, apart from its own timeout
	wave     int     // to start, or before which the run is held
}

// verdict is how a list or a task stands.
type verdict int

const (
	pending verdict = iota
	passed
	failed
)

type decider struct {
	run  *Run
	book *playbooks.Playbook
	now  time.Time
}

// decide says what a run does next. It is pure: the same run, book and time give the same action.
// It is never called while an attempt is under way, so an attempt without an outcome was cut off.
func decide(r *Run, book *playbooks.Playbook, now time.Time) action {
	d := decider{run: r, book: book, now: now}
	switch {
	case !r.Ended.IsZero():
		return action{do: doNothing, reason: ReasonEnded}
	case d.run.stopped():
		return d.stop()
	case r.PrepareFailed != nil:
		return d.finish(RunFailed, r.Message)
	case r.Prepared == nil:
		return action{do: doPrepare, reason: ReasonUnprepared}
	}
	return d.unasked(d.lists())
}

// lists walks the lists in their order.
func (d decider) lists() action {
	v, a := d.list("pre_book", false)
	if v == pending {
		return a
	}
	if v == failed { // tasks, on_fail and post_book are skipped, as in 2017
		return d.always(RunFailed, d.cause("pre_book"))
	}
	v, a = d.list("tasks", false)
	if v == pending {
		return a
	}
	status, message, after := RunSuccess, "", "on_success"
	if v == failed {
		status, message, after = RunFailed, d.cause("tasks"), "on_fail"
	}
	for _, name := range []string{after, "post_book"} {
		v, a = d.list(name, false)
		if v == pending {
			return a
		}
		if v == failed && name != "on_fail" && status == RunSuccess {
			status, message = RunFailed, d.cause(name)
		}
	}
	return d.always(status, message)
}

// always runs the `always` list, every task of it, and then ends the run.
func (d decider) always(status RunStatus, message string) action {
	v, a := d.list("always", true)
	if v == pending {
		return a
	}
	if v == failed && status == RunSuccess {
		status, message = RunFailed, d.cause("always")
	}
	if message == "" {
		message = fmt.Sprintf("%d of %d tasks done", d.count("tasks"), len(d.book.Tasks))
	}
	return d.finish(status, message)
}

// finish releases locks and ends the run, unless nodes may still act on what was cut off.
func (d decider) finish(status RunStatus, message string) action {
	if until := d.run.ActingUntil(); len(d.run.Leases)+len(d.run.Locks) > 0 && d.now.Before(until) {
		if !d.run.Through {
			return action{do: doLinger, reason: ReasonActing, end: status}
		}
		return action{do: doWait, reason: ReasonActing, until: until}
	}
	if len(d.run.Locks) > 0 && !d.run.LocksReleased {
		return action{do: doRelease, reason: ReasonLocksHeld}
	}
	return action{do: doEnd, reason: ReasonAllDone, end: status, message: message}
}

// stop closes what is open, runs `always` and ends the run as cancelled.
func (d decider) stop() action {
	for _, a := range d.run.Approvals {
		if open := a.State == ApprovalPending || a.State == ApprovalGranted; open && a.Path.Root() != "always" {
			return action{do: doVoid, reason: ReasonApprovalOver, approval: a, message: "the run was " + d.stopCause()}
		}
	}
	for _, p := range d.run.Order {
		if s := d.run.Steps[p]; s.Ended.IsZero() && p.Root() != "always" {
			return d.unlocked(s, d.endTask(p, TaskCancelled, d.stopMessage(s)))
		}
	}
	if d.run.Prepared == nil {
		return d.finish(RunCancelled, d.stopCause())
	}
	return d.always(RunCancelled, d.stopCause())
}

func (d decider) stopMessage(s *Step) string {
	if a := s.Last(); a != nil && a.Outcome == nil && a.Resolved == nil {
		return "stopped; what became of its last attempt is not known"
	}
	return "stopped: the run was cancelled"
}

func (d decider) stopCause() string {
	if c := d.run.Cancel; c != nil {
		if c.Reason != "" {
			return fmt.Sprintf("cancelled by %s: %s", c.Actor.Label(), c.Reason)
		}
		return "cancelled by " + c.Actor.Label()
	}
	for _, p := range d.run.Order {
		if s := d.run.Steps[p]; s.Aborted {
			return fmt.Sprintf("aborted by %s at %q", s.Last().Resolved.Actor.Label(), s.Description)
		}
	}
	return "cancelled"
}

// list says how a list stands, and what it does next while it is pending.
func (d decider) list(name string, keepGoing bool) (verdict, action) {
	result := passed
	for i := range d.book.List(name) {
		v, a := d.step(listPath(name, i), &d.book.List(name)[i])
		switch {
		case v == pending:
			return pending, a
		case v == failed && !keepGoing:
			return failed, action{}
		case v == failed:
			result = failed
		}
	}
	return result, action{}
}

// listPath names a task of a list. It is asked for every task at every decision.
func listPath(name string, i int) Path { return Path(name + "." + strconv.Itoa(i+1)) }

// count is how many tasks of a list have passed.
func (d decider) count(name string) int {
	n := 0
	for i := range d.book.List(name) {
		if s := d.run.Steps[listPath(name, i)]; s != nil && s.Status.Passed() {
			n++
		}
	}
	return n
}

// cause is the sentence about the first task of a list that failed.
func (d decider) cause(name string) string {
	for i := range d.book.List(name) {
		s := d.run.Steps[listPath(name, i)]
		if s != nil && !s.Ended.IsZero() && !s.Status.Passed() {
			if s.Status == TaskDenied && strings.HasPrefix(s.Message, "denied by ") { // the message says who did what its status says
				return fmt.Sprintf("%q %s", s.Description, s.Message)
			}
			return fmt.Sprintf("%q %s: %s", s.Description, s.Status, s.Message)
		}
	}
	if l := d.limit(listPath(name, 0)); l.over(d.now) {
		return l.why
	}
	return name + " failed"
}
