package engine

import "slices"

// hold says what a paused run does where it would begin a task, or a wave of a rolling task; false when
// it is not to be held there.
func (d decider) hold(p Path, wave int) (action, bool) {
	pause := d.run.Paused()
	if pause == nil || !holdable(p, wave) {
		return action{}, false
	}
	if a := d.run.open(p); a != nil {
		// Nobody is to be asked about what does not begin, and a yes does not wait: it asks again.
		return action{do: doVoid, reason: ReasonPaused, path: p, approval: a, message: "the run was paused by " + pause.By.Label()}, true
	}
	if d.run.Held() == nil {
		return action{do: doHold, reason: ReasonPaused, path: p, wave: wave}, true
	}
	return action{do: doWait, reason: ReasonPaused, path: p}, true
}

// holdable reports whether a pause keeps a task, or a wave of it, from its begin. What reports a failure
// and cleans up is not kept; a wave is, except under `always`.
func holdable(p Path, wave int) bool {
	if wave > 0 {
		return p.Root() != "always"
	}
	return p.List() == p.Root() && slices.Contains(limited(), p.Root())
}
