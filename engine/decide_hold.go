package engine

import "slices"

// hold says what a paused run does where it would begin a task, or a wave of a rolling task; false when
// it is not to be held there.
func (d decider) hold(p Path, wave int) (action, bool) {
	if d.run.Paused() == nil || !holdable(p, wave) {
		return action{}, false
	}
	return d.standStill(p, wave), true
}

// unasked holds a paused run where it would ask people, or has asked them, wherever that is: a question
// would expire meanwhile, and a time-out is a no. A wave that was sent on asks.
func (d decider) unasked(a action) action {
	asks := a.do == doAsk || a.do == doExpire || a.do == doRemind || a.reason == ReasonAwaitApproval
	if !asks || d.run.Paused() == nil || d.run.sentOn(a.path, a.wave) {
		return a
	}
	return d.standStill(a.path, a.wave)
}

// standStill takes back what was asked or given for a task, and then waits.
func (d decider) standStill(p Path, wave int) action {
	if a := d.run.open(p); a != nil {
		// Nobody is to be asked about what does not begin, and a yes does not wait: it asks again.
		return action{do: doVoid, reason: ReasonPaused, path: p, approval: a, message: "the run was paused by " + d.run.Paused().By.Label()}
	}
	if d.run.Held() == nil {
		return action{do: doHold, reason: ReasonPaused, path: p, wave: wave}
	}
	return action{do: doWait, reason: ReasonPaused, path: p}
}

// holdable reports whether a pause keeps a task, or a wave of it, from its begin. What reports a failure
// and cleans up is not kept; a wave is, except under `always`.
func holdable(p Path, wave int) bool {
	if wave > 0 {
		return p.Root() != "always"
	}
	return p.List() == p.Root() && slices.Contains(limited(), p.Root())
}
