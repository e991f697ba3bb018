package engine

import (
	"slices"
	"time"
)

// Pause is a time for which a run was paused.
type Pause struct {
	Seq       Seq // of the event that began it
	By        Actor
	Why       string
	At        time.Time
	Resumed   *RunResumed // nil while it lasts
	ResumedAt time.Time
}

// Hold is a time for which a paused run stood still.
type Hold struct {
	Before Path // what it would have begun
	Wave   int  // of the rolling task Before; 0 for a task
	From   time.Time
	To     time.Time // zero while it lasts
}

// Steer is what a person said about how a run goes on: [RunPaused], [RunResumed], [WaveSentOn],
// [WavesSlowed] or [WavesStopped].
type Steer struct {
	Seq  Seq
	At   time.Time
	Fact Payload
}

// By is who said it, and why.
func (s Steer) By() (who Actor, why string) {
	switch p := s.Fact.(type) {
	case RunPaused:
		return p.Actor, p.Reason
	case RunResumed:
		return p.Actor, p.Reason
	case WaveSentOn:
		return p.Actor, p.Reason
	case WavesSlowed:
		return p.Actor, p.Reason
	case WavesStopped:
		return p.Actor, p.Reason
	default: // nothing else is one
		return Actor{}, ""
	}
}

// Rollout is how far the waves of a rolling task are, and what people said about the next ones.
type Rollout struct {
	Begun []Wave
	Sent  *WaveSentOn   // the latest
	Pace  *WavesSlowed  // the latest
	Stop  *WavesStopped // the first
}

// Wave is a wave that has begun.
type Wave struct {
	Nodes    []string
	At       time.Time
	Approval string // that it rests on; empty when its task asks nobody
}

// sent reports whether a person let a wave start although the run is paused or slowed.
func (r *Rollout) sent(wave int) bool { return r.Sent != nil && r.Sent.Wave == wave }

// sentOn reports whether a task, or a wave of it, stands in a wave that a person has let start in spite of
// the pause, or before it: the waves before have to end first.
func (r *Run) sentOn(p Path, wave int) bool {
	if owner, number, ok := p.InWave(); ok {
		p, wave = owner, number
	}
	s := r.Steps[p]
	return s != nil && s.Rollout.Sent != nil && 0 < wave && wave <= s.Rollout.Sent.Wave
}

// every is the least pause between two waves.
func (r *Rollout) every() time.Duration {
	if r.Pace == nil {
		return 0
	}
	return r.Pace.Every
}

// Paused is the pause of a run that is paused; nil when it is not.
func (r *Run) Paused() *Pause {
	if n := len(r.Pauses); n > 0 && r.Pauses[n-1].Resumed == nil && r.Ended.IsZero() && !r.stopped() {
		return &r.Pauses[n-1]
	}
	return nil
}

// Held is where a paused run stands still; nil while something is under way.
func (r *Run) Held() *Hold {
	if n := len(r.Holds); n > 0 && r.Holds[n-1].To.IsZero() && r.Ended.IsZero() {
		return &r.Holds[n-1]
	}
	return nil
}

// Rolling is the rolling task whose waves are under way; nil when there is none.
func (r *Run) Rolling() *Step {
	for _, p := range slices.Backward(r.Order) {
		if s := r.Steps[p]; s.planned() && s.Ended.IsZero() {
			return s
		}
	}
	return nil
}

// stoodStill is for how long, from a time on, the run was held: that counts against no timeout.
func (r *Run) stoodStill(since, now time.Time) time.Duration {
	var total time.Duration
	for _, h := range r.Holds {
		from, to := h.From, h.To
		if to.IsZero() {
			to = now
		}
		if from.Before(since) {
			from = since
		}
		if to.After(from) {
			total += to.Sub(from)
		}
	}
	return total
}

// takeBackNext has a wave that was sent on be like any other: a pause that is said later holds it too, or what
// it would ask.
func (r *Run) takeBackNext() {
	if step := r.Rolling(); step != nil && step.Rollout.Sent != nil {
		r.edit(step.Path).Rollout.Sent = nil
	}
}

func (r *Run) applySteering(payload Payload, at time.Time) {
	switch p := payload.(type) {
	case RunPaused:
		if r.Paused() != nil {
			return
		}
		r.Pauses = append(slices.Clip(r.Pauses), Pause{Seq: r.Seq, By: p.Actor, Why: p.Reason, At: at})
		r.takeBackNext()
	case RunResumed:
		pause := r.Paused()
		if pause == nil {
			return
		}
		r.Pauses = slices.Clone(r.Pauses)
		pause = r.Paused()
		pause.Resumed, pause.ResumedAt = &p, at
		r.moves(at)
	case RunHeld:
		if r.Held() == nil {
			r.Holds = append(slices.Clip(r.Holds), Hold{Before: p.Before, Wave: p.Wave, From: at})
			r.Status = r.standing()
		}
		return
	case WaveStarted:
		r.startWave(p, at)
		return
	case WaveSentOn:
		if s := r.edit(p.Path); s != nil {
			s.Rollout.Sent = &p
		}
		r.moves(at)
	case WavesSlowed:
		if s := r.edit(p.Path); s != nil {
			s.Rollout.Pace = &p
		}
	case WavesStopped:
		if s := r.edit(p.Path); s != nil && s.Rollout.Stop == nil {
			s.Rollout.Stop = &p
		}
		r.moves(at)
		if p.Actor == (Actor{}) {
			return // it is not the word of a person
		}
	default: // Apply hands over nothing else
	}
	r.Steers = append(slices.Clip(r.Steers), Steer{Seq: r.Seq, At: at, Fact: payload})
}

// moves ends the hold that lasts: something is under way again.
func (r *Run) moves(at time.Time) {
	if r.Held() == nil {
		return
	}
	r.Holds = slices.Clone(r.Holds)
	r.Holds[len(r.Holds)-1].To = at
	r.Status = r.standing()
}

// startWave notes a wave that starts.
func (r *Run) startWave(p WaveStarted, at time.Time) {
	s := r.edit(p.Path)
	if s == nil || 0 < p.Wave && p.Wave <= len(s.Rollout.Begun) { // announced behind its tasks: see inferWave
		return
	}
	s.Rollout.Begun, s.Uncompared = append(s.Rollout.Begun, Wave{Nodes: p.Nodes, At: at, Approval: p.Approval}), nil
	if a, ok := r.Approval(p.Approval); ok {
		a.State = ApprovalUsed
	}
}

// inferWave notes the wave of a task that begins where no [WaveStarted] did: logs of before docs/adr/0026
// have none. Nobody could slow waves then, so that it has the nodes that were planned.
func (r *Run) inferWave(task Path, at time.Time) {
	rolling, n, ok := task.InWave()
	step := r.Steps[rolling]
	if !ok || step == nil || n != len(step.Rollout.Begun)+1 {
		return
	}
	waves := step.Waves()
	if n > len(waves) {
		return
	}
	w := Wave{Nodes: waves[n-1], At: at}
	if a := r.approvalFor(rolling); a != nil && a.State == ApprovalUsed {
		w.Approval = a.Approval
	}
	s := r.edit(rolling)
	s.Rollout.Begun = append(s.Rollout.Begun, w)
}

// standing is how a run that goes on stands.
func (r *Run) standing() RunStatus {
	switch {
	case !r.Ended.IsZero():
		return r.Status
	case r.Pending() != nil || r.Unknown() != nil || r.Held() != nil:
		return RunWaiting
	case r.Prepared == nil:
		return RunPreparing
	default:
		return RunRunning
	}
}
