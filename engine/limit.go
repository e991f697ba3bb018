package engine

import (
	"fmt"
	"slices"
	"time"
)

// limit is until when something may take, and why; the zero limit is none.
type limit struct {
	at  time.Time
	why string
}

func (l limit) over(now time.Time) bool { return !l.at.IsZero() && !now.Before(l.at) }

// earlier returns the limit that ends first.
func (l limit) earlier(other limit) limit {
	if l.at.IsZero() || !other.at.IsZero() && other.at.Before(l.at) {
		return other
	}
	return l
}

// limited lists what the timeout of a playbook covers. What reports a failure and cleans up must not be cut off by it.
func limited() []string { return []string{"pre_book", "tasks", "on_success"} }

// limit is until when a task may take, apart from its own timeout: the playbook's, and that of the
// rolling task it stands in.
func (d decider) limit(p Path) limit {
	var l limit
	if at := d.run.deadline(d.now); !at.IsZero() && slices.Contains(limited(), p.Root()) {
		took := d.run.Prepared.Deadline.Sub(d.run.PreparedAt).Round(time.Second)
		l = limit{at: at, why: fmt.Sprintf("the run may take %s, its timeout, and no longer", took)}
	}
	if owner, _, ok := p.InWave(); ok {
		p = owner
	}
	return l.earlier(d.waveLimit(d.run.Steps[p]))
}

// deadline is when the timeout of the playbook is over: the time for which the run was held does not count.
func (r *Run) deadline(now time.Time) time.Time {
	if r.Prepared == nil || r.Prepared.Deadline.IsZero() {
		return time.Time{}
	}
	return r.Prepared.Deadline.Add(r.stoodStill(r.PreparedAt, now))
}

// waveLimit is until when the waves of a rolling task may take; the time for which they were held does not count.
func (d decider) waveLimit(s *Step) limit {
	if s == nil || s.Timeout == 0 || !s.planned() {
		return limit{}
	}
	planned := s.Last().EndedAt
	return limit{
		at:  planned.Add(s.Timeout).Add(d.run.stoodStill(planned, d.now)),
		why: fmt.Sprintf("the waves may take %s, their timeout, and no longer", s.Timeout),
	}
}

// late closes what is open of a task whose time is over; false when nothing is: an attempt that
// succeeded has, and what became of one that was cut off is for a person to say.
func (d decider) late(s *Step, l limit) (action, bool) {
	if last := s.Last(); last != nil {
		switch {
		case last.Resolved != nil && last.Resolved.Choice != ResolveRetry,
			last.Resolved == nil && (last.Outcome == nil || last.Outcome.OK):
			return action{}, false
		}
	}
	if a := d.run.open(s.Path); a != nil {
		return action{do: doVoid, reason: ReasonApprovalOver, approval: a, message: l.why}, true
	}
	return d.endTask(s.Path, TaskFailed, "timed out: "+l.why), true
}
