package engine

import "time"

// Lasting is a task whose nodes go on with what they were asked when nobody listens any more. Lasts is how
// long at most, counted from the moment in which the attempt is cut off.
type Lasting interface {
	Lasts() time.Duration
}

// ActingUntil is until when nodes may still act on attempts that a person, a timeout, a panic or a
// crash has cut off; zero when none may. Until then a run does not end: others would have the nodes beside them.
func (r *Run) ActingUntil() time.Time {
	var until time.Time
	for _, p := range r.Order {
		s := r.Steps[p]
		for i := range s.Attempts {
			if a := &s.Attempts[i]; a.Lasts > 0 && a.Effect != ReadOnly {
				if cut := s.cutOff(i); !cut.IsZero() && cut.Add(a.Lasts).After(until) {
					until = cut.Add(a.Lasts)
				}
			}
		}
	}
	return until
}

// Lingers is until when a run whose every list is through waits for its end; zero when it does not.
func (r *Run) Lingers() time.Time {
	if !r.Through || !r.Ended.IsZero() {
		return time.Time{}
	}
	return r.ActingUntil()
}

// over is an error when only the end of a run is left, so that nobody can change how it goes on or ends.
func (r *Run) over() error {
	if !r.Through {
		return nil
	}
	return Errorf(CodeConflict, "run %s has done everything and only waits for its end, so nothing was done: its nodes may still act on what was cut off, until %s",
		r.ID.Short(), clock(r.ActingUntil()))
}

// cutOff is a time by which nothing more was asked in an attempt that was cut off; zero for one that came to its end.
func (s *Step) cutOff(i int) time.Time {
	a := &s.Attempts[i]
	switch {
	case a.Outcome != nil:
		switch Code(a.Outcome.Code) { //nolint:exhaustive // the rest are answers
		case CodeCanceled, CodeTimeout, CodeInternal: // the last is a panic
			return a.EndedAt
		}
		return time.Time{}
	case !a.UnknownAt.IsZero(): // its process was dead by then
		return a.UnknownAt
	case i+1 < len(s.Attempts):
		return s.Attempts[i+1].At
	}
	return s.Ended
}
