package engine

import (
	"slices"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

// When people are asked again about a gate, as parts of the time that they have to answer.
const (
	remindAfter   = 0.5
	escalateAfter = 0.75
)

const (
	// postGrace is how long the posting of a gate may take before it counts.
	postGrace = time.Minute
	// maxUnposted is how long the time of a gate stands still because nobody could post it. Who cannot be asked
	// for a day has not said yes.
	maxUnposted = 24 * time.Hour
)

// remindAt sets when people are asked again. A gate of seconds is too short for that.
func (a *ApprovalAsked) remindAt(now time.Time, second []string) {
	wait := a.Expires.Sub(now)
	if wait < time.Minute {
		return
	}
	a.Remind = now.Add(time.Duration(remindAfter * float64(wait)))
	if len(second) > 0 {
		a.Escalate, a.Second = now.Add(time.Duration(escalateAfter*float64(wait))), second
	}
}

// circles are the roles of everybody who is asked, now or later; none: any that may approve.
func circles(a *ApprovalAsked) []string {
	if len(a.From) == 0 {
		return nil
	}
	return unique(slices.Concat(a.From, a.Second))
}

// Roles are those of which one is needed to approve: those of the first circle, and once it was asked, of the
// second. Empty: any that may approve.
func (a *Approval) Roles() []string {
	if len(a.From) == 0 || a.Escalated.IsZero() {
		return a.From
	}
	return circles(&a.ApprovalAsked)
}

// Deadline is when a gate expires. While it could not be posted its time stands still, for a day at most.
func (a *Approval) Deadline() time.Time {
	if a.unposted() {
		return a.Expires.Add(maxUnposted)
	}
	return a.Expires
}

// DeadlineIfPosted is when a gate expires that a message shows from now on.
func (a *Approval) DeadlineIfPosted(now time.Time) time.Time {
	if late := now.Sub(a.At); a.unposted() && late > postGrace {
		return a.Expires.Add(late)
	}
	return a.Expires
}

func (a *Approval) unposted() bool { return a.Posts && a.PostedAt.IsZero() && a.Rests == "" }

// askedInMessage notes that people see a gate from now on. What was lost of its time before is added to it.
func (r *Run) askedInMessage(ref string, at time.Time) {
	a := r.gateOf(ref)
	if a == nil || !a.unposted() {
		return
	}
	late := at.Sub(a.At)
	a.PostedAt = at
	if late <= postGrace || a.State != ApprovalPending {
		return
	}
	for _, t := range []*time.Time{&a.Expires, &a.Remind, &a.Escalate} {
		if !t.IsZero() {
			*t = t.Add(late)
		}
	}
}

// gateOf is the gate that a reference of [Posted] names; nil when it names none.
func (r *Run) gateOf(ref string) *Approval {
	for _, a := range r.Approvals {
		if ref == a.Ref() {
			return a
		}
	}
	return nil
}

// Ref is under which name a run keeps where the message of a gate stands: see [Posted].
func (a *Approval) Ref() string { return "approval/" + a.Approval }

// unanswered says what there is to do about a gate that waits for people.
func (d decider) unanswered(a *Approval) action {
	if !d.now.Before(a.Deadline()) {
		return action{do: doExpire, reason: ReasonApprovalLate, approval: a}
	}
	due := a.nextReminder()
	switch {
	case due.IsZero():
		return action{do: doWait, reason: ReasonAwaitApproval, until: a.Deadline(), approval: a}
	case d.now.Before(due):
		return action{do: doWait, reason: ReasonAwaitApproval, until: due, approval: a}
	}
	return action{do: doRemind, reason: ReasonRemind, approval: a}
}

// nextReminder is when people are asked again about a gate that waits; zero when they are not.
func (a *Approval) nextReminder() time.Time {
	switch {
	case a.unposted():
		return time.Time{}
	case a.Reminded.IsZero() && !a.Remind.IsZero():
		return a.Remind
	case a.Escalated.IsZero():
		return a.Escalate
	}
	return time.Time{}
}

// reminder is the next time that people are asked.
func (a *Approval) reminder() ApprovalReminded {
	return ApprovalReminded{Approval: a.Approval, Escalated: !a.Reminded.IsZero() || a.Remind.IsZero()}
}

func (a *Approval) remind(p ApprovalReminded, at time.Time) {
	if p.Escalated {
		a.Escalated = at
		return
	}
	a.Reminded = at
}

// unmeetable says why nobody can give what a gate asks for; empty when people can.
func (p *performer) unmeetable(terms policy.Terms, second []string) string {
	rules := p.engine.opts.Policy
	if _, why := rules.UnknownRole(second); why != "" {
		return why + ", so nobody with it can be asked"
	}
	if len(terms.From) > 0 {
		terms.From = slices.Concat(terms.From, second)
	}
	return rules.Unmeetable(terms, subject(p.run.Requested.Actor), p.book.Name)
}
