package engine

import (
	"cmp"
	"slices"
	"time"
)

// Apply folds the next event into the run. It accepts any sequence without panicking, so that a
// damaged log can still be shown; what an event refers to and is not there is passed over.
func (r *Run) Apply(e Event) {
	r.apply(e)
	switch {
	case len(r.SecretsNeeded) == 0:
	case r.stopped() || !r.Ended.IsZero(): // what is left goes on without them
		r.needSecrets(nil)
	default:
		r.Status = RunWaiting
	}
}

func (r *Run) apply(e Event) {
	if r.Steps == nil {
		r.Steps = make(map[Path]*Step)
	}
	r.Seq = e.Seq
	switch p := e.Payload.(type) {
	case RunRequested:
		id, _ := e.Stream.Run()
		r.ID, r.Requested, r.At, r.Status = id, p, e.Time, RunPreparing
	case LocksRequested, LockAwaited, LocksTaken, LocksReleased, NodesAwaited, NodesLeased:
		r.applyHeld(e.Payload, e.Time)
	case Prepared:
		r.Prepared, r.PreparedAt, r.Status = &p, e.Time, RunRunning
	case PrepareFailed:
		r.PrepareFailed, r.Message, r.Awaits, r.AwaitsNodes = &p, p.Message, nil, nil
	case CancelRequested:
		r.Cancel = cmp.Or(r.Cancel, &p)
		r.moves(e.Time)
	case Announced, Posted:
		r.applyPlace(e.Payload, e.Time)
	case WordGiven, WordWeighed:
		r.applyWord(e.Payload, e.Seq)
	case RunLingers:
		r.Through = true
	case RunEnded:
		r.Status, r.Message, r.Ended, r.Awaits, r.AwaitsNodes, r.Leases = p.Status, p.Message, e.Time, nil, nil, nil
	case TaskBegun, TaskSkipped, TaskEnded, TaskLocksRequested, TaskLocksTaken, TaskLocksReleased:
		r.applyTask(e.Payload, e.Time)
	case NodesUncompared:
		if s := r.edit(p.Path); s != nil {
			s.Uncompared = &p
		}
	case ApprovalAsked, ApprovalGiven, ApprovalDenied, ApprovalExpired, ApprovalVoided, ApprovalTakenBack, ApprovalReminded:
		r.applyApproval(e.Payload, e.Time)
	case ApprovalReissued:
		r.reissue(p)
	case AttemptStarted, AttemptEnded, AttemptUnknown, AttemptRepeated, AttemptResolved:
		r.applyAttempt(e.Payload, e.Time)
	case RunPaused, RunResumed, RunHeld, WaveStarted, WaveSentOn, WavesSlowed, WavesStopped:
		r.applySteering(e.Payload, e.Time)
	case SecretsNeeded:
		r.needSecrets(p.Names)
	case SecretsGiven:
		r.needSecrets(slices.DeleteFunc(slices.Clone(r.SecretsNeeded), func(n string) bool { return slices.Contains(p.Names, n) }))
	case PlaybookKept, Refused, Unread: // not a run's
	case Event, Approval, Attempt, TakenBack: // they embed a payload and are never one
	}
}

// applyPlace is about where messages of a run stand.
func (r *Run) applyPlace(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case Announced:
		r.Places = append(r.Places, p.Place)
	case Posted:
		if r.Posts == nil {
			r.Posts = make(map[string]Place)
		}
		r.Posts[p.Ref] = p.Place
		r.askedInMessage(p.Ref, at)
	default: // Apply hands over nothing else
	}
}

// applyHeld is about what other runs may not have meanwhile.
func (r *Run) applyHeld(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case LocksRequested:
		r.Locks = unique(slices.Concat(r.Locks, p.Locks)) // a repeated preparation may ask for others
	case LockAwaited:
		r.Awaits = &p
	case LocksTaken:
		r.LocksTaken, r.Awaits = true, nil
	case LocksReleased:
		r.LocksReleased = true
		r.LockProblems = slices.Concat(r.LockProblems, p.Problems)
	case NodesAwaited:
		r.AwaitsNodes = &p
	case NodesLeased:
		if len(r.Leases) == 0 {
			r.LeasedAt = at
		}
		r.Leases, r.AwaitsNodes = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.Leases, p.Nodes)))), nil
	default: // Apply hands over nothing else
	}
}

// needSecrets notes what the run waits for. When that is nothing any more, it stands as it stood before.
func (r *Run) needSecrets(names []string) {
	waited := len(r.SecretsNeeded) > 0
	r.SecretsNeeded = names
	if len(names) == 0 && waited { // else Apply does the rest
		r.Status = r.standing()
	}
}

func (r *Run) applyTask(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case TaskBegun:
		r.Status = RunRunning
		r.inferWave(p.Path, at)
		r.add(&Step{
			Path: p.Path, Type: p.Type, As: p.As, Description: p.Description, Status: TaskRunning,
			Tries: p.Tries, TrySleep: p.TrySleep, PreSleep: p.PreSleep, Timeout: p.Timeout, Locks: p.Locks,
			Gated: p.Gated, EachWave: p.EachWave, Broken: p.Broken, Began: at, Ready: at,
		})
	case TaskSkipped:
		r.inferWave(p.Path, at)
		r.add(&Step{
			Path: p.Path, Type: p.Type, As: p.As, Description: p.Description, Status: TaskSkippedOver,
			Message: p.Reason, Began: at, Ended: at,
		})
	case TaskEnded:
		s := r.edit(p.Path)
		if s == nil {
			return
		}
		s.Status, s.Message, s.Ended, s.Result = p.Status, p.Message, at, p.Result
		if r.Failed == "" && !p.Status.Passed() && isMain(p.Path) {
			r.Failed = p.Path
		}
		r.touchOwner(p.Path, at)
	case TaskLocksRequested:
		r.setLocks(p.Path, LocksAsked)
	case TaskLocksTaken:
		r.Awaits = nil
		r.setLocks(p.Path, LocksHeld)
	case TaskLocksReleased:
		r.Awaits = nil
		r.LockProblems = slices.Concat(r.LockProblems, p.Problems)
		r.setLocks(p.Path, LocksGivenBack)
	default: // Apply hands over nothing else
	}
}

// touchOwner moves the start of a pre_sleep behind the pre_task hooks.
func (r *Run) touchOwner(hook Path, at time.Time) {
	if owner, ok := hook.owner(); ok {
		if s := r.edit(owner); s != nil {
			s.Ready = at
		}
	}
}

func (r *Run) add(s *Step) {
	if _, known := r.Steps[s.Path]; !known {
		r.Order = append(r.Order, s.Path)
	}
	r.Steps[s.Path] = s
}

func (r *Run) applyApproval(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case ApprovalAsked:
		r.Approvals = append(r.Approvals, &Approval{ApprovalAsked: p, At: at, State: ApprovalPending})
		r.setStep(p.Path, TaskWaiting, at)
		if s := r.edit(p.Path); s != nil {
			s.Uncompared = nil
		}
		r.Status = RunWaiting
	case ApprovalGiven:
		a, ok := r.Approval(p.Approval)
		if !ok || a.State != ApprovalPending {
			return
		}
		a.Given = append(a.Given, p)
		if a.Missing() == 0 {
			r.decideApproval(a, ApprovalGranted, p.Actor, p.Reason, at)
		}
	case ApprovalDenied:
		if a, ok := r.Approval(p.Approval); ok {
			r.decideApproval(a, ApprovalRefused, p.Actor, p.Reason, at)
		}
	case ApprovalExpired:
		if a, ok := r.Approval(p.Approval); ok {
			r.decideApproval(a, ApprovalTimedOut, Actor{}, "", at)
		}
	case ApprovalVoided:
		if a, ok := r.Approval(p.Approval); ok {
			r.decideApproval(a, ApprovalWithdrawn, a.By, p.Reason, at)
		}
	case ApprovalTakenBack:
		r.takeBack(p, at)
	case ApprovalReminded:
		if a, ok := r.Approval(p.Approval); ok {
			a.remind(p, at)
		}
	default: // Apply hands over nothing else
	}
}

func (r *Run) decideApproval(a *Approval, state ApprovalState, by Actor, why string, at time.Time) {
	a.State, a.By, a.Why, a.When = state, by, why, at
	r.setStep(a.Path, TaskRunning, at)
	r.Status = RunRunning
}

func (r *Run) setLocks(p Path, state LockState) {
	if s := r.edit(p); s != nil {
		s.LockState = state
	}
}

func (r *Run) setStep(p Path, status TaskStatus, at time.Time) {
	if s := r.Steps[p]; s != nil && s.Ended.IsZero() {
		s = r.edit(p)
		s.Status, s.Ready = status, at
	}
}

// edit puts a copy in the place of a step and returns it, to be changed; nil when there is no such
// step. Clones share the steps, so that a step is never changed where it stands.
func (r *Run) edit(p Path) *Step {
	s := r.Steps[p]
	if s == nil {
		return nil
	}
	step := *s
	step.Attempts = slices.Clone(s.Attempts)
	r.Steps[p] = &step
	return &step
}

func (r *Run) applyAttempt(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case AttemptStarted:
		s := r.edit(p.Path)
		if s == nil {
			return
		}
		s.Attempts, s.Uncompared = append(s.Attempts, Attempt{AttemptStarted: p, At: at}), nil
		s.Status, r.Status, r.AwaitsNodes = TaskRunning, RunRunning, nil
		if a, ok := r.Approval(p.Approval); ok {
			a.State = ApprovalUsed
		}
	case AttemptEnded:
		if a := r.attempt(p.Path, p.Attempt); a != nil {
			a.Outcome, a.EndedAt = &p, at
			r.Previous = p.Path
		}
	case AttemptUnknown:
		if a := r.attempt(p.Path, p.Attempt); a != nil {
			a.Unknown, a.UnknownAt = true, at
			r.setStep(p.Path, TaskWaiting, at)
			r.Status = RunWaiting
		}
	case AttemptRepeated:
		if a := r.attempt(p.Path, p.Attempt); a != nil {
			a.Repeat = true
		}
	case AttemptResolved:
		if a := r.attempt(p.Path, p.Attempt); a != nil {
			a.Resolved, a.EndedAt = &p, at
			r.Previous = p.Path
			r.setStep(p.Path, TaskRunning, at)
			r.edit(p.Path).Aborted = p.Choice == ResolveAbort
			r.Status = RunRunning
			if r.stopped() {
				r.moves(at)
			}
		}
	default: // Apply hands over nothing else
	}
}

// attempt finds the latest attempt with that number, to be changed.
func (r *Run) attempt(p Path, n int) *Attempt {
	s := r.edit(p)
	if s == nil {
		return nil
	}
	for i := len(s.Attempts) - 1; i >= 0; i-- {
		if s.Attempts[i].Attempt == n {
			return &s.Attempts[i]
		}
	}
	return nil
}
