package engine

import (
	"context"
	"slices"
	"time"
)

// TakenBack is a yes that somebody took back.
type TakenBack struct {
	ApprovalTakenBack
	At time.Time
}

// TakeBack is the word of somebody that their yes counts no more. They can say it until the yes is used, and
// of one for the rest of the run afterwards too: it covers nothing further then. Without an approval id it is
// about the latest yes that it can be said of. Whoever gave a yes may take it back, whatever they may now.
func (e *Engine) TakeBack(ctx context.Context, d Decision) error {
	err := e.tell(ctx, d.Run, func(r *Run) ([]Payload, error) {
		a, err := r.givenBy(d)
		if err != nil {
			return nil, err
		}
		taken := ApprovalTakenBack{Approval: a.Approval, Actor: d.Actor, Reason: e.masker(d.Run).text(d.Reason), Rest: a.State == ApprovalUsed}
		return append([]Payload{taken}, r.restingOn(taken)...), nil
	})
	return e.overtaken(ctx, d, err)
}

// restingOn voids the gates that an earlier yes for the rest has opened and that are not used: they ask people.
func (r *Run) restingOn(taken ApprovalTakenBack) (out []Payload) {
	for _, a := range r.Approvals {
		if taken.Rest && a.Rests == taken.Approval && a.State == ApprovalGranted {
			out = append(out, ApprovalVoided{Approval: a.Approval, Reason: taken.Actor.Label() + " took back the approval of the rest"})
		}
	}
	return out
}

// givenBy is the gate of which somebody may take their yes back.
func (r *Run) givenBy(d Decision) (*Approval, error) {
	if d.Approval == "" {
		for _, a := range slices.Backward(r.Approvals) {
			if a.takenBackBy(d.Actor) == nil {
				return a, nil
			}
		}
		return nil, Errorf(CodeConflict, "nothing was done: run %s has no approval of yours that is not used yet", r.ID.Short())
	}
	a, known := r.Approval(d.Approval)
	if !known {
		return nil, Errorf(CodeNotFound, "run %s has no such gate", r.ID.Short())
	}
	return a, a.takenBackBy(d.Actor)
}

// takenBackBy is an error when somebody has no yes at a gate that could be taken back.
func (a *Approval) takenBackBy(who Actor) error {
	i := slices.IndexFunc(a.Given, func(g ApprovalGiven) bool { return g.Actor.Is(who) })
	switch {
	case i < 0 || a.Rests != "":
		return Errorf(CodeConflict, "nothing was done: you have not approved this gate; it is %s", a.Outcome())
	case a.State == ApprovalPending || a.State == ApprovalGranted:
		return nil
	case a.State == ApprovalUsed && a.Given[i].Rest:
		return nil
	case a.State == ApprovalUsed:
		return Errorf(CodeConflict, "too late: what you approved has started; `cancel` stops the run")
	}
	return Errorf(CodeConflict, "too late: %s", a.Outcome())
}

// takeBack takes a yes away from a gate that it opens no more.
func (r *Run) takeBack(p ApprovalTakenBack, at time.Time) {
	a, ok := r.Approval(p.Approval)
	if !ok {
		return
	}
	i := slices.IndexFunc(a.Given, func(g ApprovalGiven) bool { return g.Actor.Is(p.Actor) })
	open := a.State == ApprovalPending || a.State == ApprovalGranted
	switch {
	case i < 0:
		return
	case p.Rest && a.State == ApprovalUsed:
		a.Given = slices.Clone(a.Given)
		a.Given[i].Rest = false
	case !p.Rest && open:
		a.Given = slices.Delete(slices.Clone(a.Given), i, i+1)
		a.State, a.By, a.When, a.Why = ApprovalPending, Actor{}, time.Time{}, ""
		r.setStep(a.Path, TaskWaiting, at)
		r.Status = RunWaiting
	default:
		return
	}
	a.Taken = append(slices.Clip(a.Taken), TakenBack{ApprovalTakenBack: p, At: at})
}

// takenBack has a gate wait for one person more, unless it was used.
func (s *Summary) takenBack(p ApprovalTakenBack) {
	if !p.Rest {
		s.Status, s.Missing = RunWaiting, s.Missing+1
	}
}

// regretting are those who took their yes back, each once.
func (a *Approval) regretting() []Actor {
	var out []Actor
	for _, t := range a.Taken {
		out = appendActor(out, t.Actor)
	}
	return out
}

// words is how much people have said that work which has not begun may go against.
func (r *Run) words() int {
	n := len(r.Steers)
	for _, a := range r.Approvals {
		n += len(a.Taken)
	}
	return n
}

// overtaken has whoever decided too late hear who decided before, when the run is over meanwhile.
func (e *Engine) overtaken(ctx context.Context, d Decision, err error) error {
	if err == nil || CodeOf(err) != CodeConflict || d.Approval == "" {
		return err
	}
	run, loadErr := e.Load(ctx, d.Run)
	if loadErr != nil || run.Ended.IsZero() {
		return err
	}
	a, known := run.Approval(d.Approval)
	if !known || a.State == ApprovalPending || a.State == ApprovalGranted {
		return err
	}
	return Errorf(CodeConflict, "too late: %s; run %s has ended: %s", a.Outcome(), d.Run.Short(), run.Status)
}
