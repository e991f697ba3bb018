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
	if r := d.run.Prepared; r != nil && !r.Deadline.IsZero() && slices.Contains(limited(), p.Root()) {
		l = limit{at: r.Deadline, why: fmt.Sprintf("the run may take %s, its timeout, and no longer", r.Deadline.Sub(d.run.PreparedAt).Round(time.Second))}
	}
	if owner, _, ok := p.InWave(); ok {
		return l.earlier(d.run.Steps[owner].waveLimit())
	}
	return l.earlier(d.run.Steps[p].waveLimit())
}

// waveLimit is until when the waves of a rolling task may take.
func (s *Step) waveLimit() limit {
	if s == nil || s.Timeout == 0 || !s.planned() {
		return limit{}
	}
	return limit{
		at:  s.Last().EndedAt.Add(s.Timeout),
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
	a := d.run.approvalFor(s.Path)
	if a != nil && (a.State == ApprovalPending || a.State == ApprovalGranted) {
		return action{do: doVoid, reason: ReasonApprovalOver, approval: a, message: l.why}, true
	}
	return d.endTask(s.Path, TaskFailed, "timed out: "+l.why), true
}
