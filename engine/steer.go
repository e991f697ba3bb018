package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

const (
	// MaxWavePause is the longest pause between two waves: whoever wants a longer one pauses the run.
	MaxWavePause = 14 * 24 * time.Hour
	// MaxWaveSize bounds a number that a person types.
	MaxWaveSize = 1_000_000
)

// Steering is what a person says about how a run goes on, and why.
type Steering struct {
	Run    RunID
	Task   Path // the rolling task whose waves are meant; empty for those that are under way
	Actor  Actor
	Reason string
}

// Pace is how waves that have not started follow each other.
type Pace struct {
	Every time.Duration // the least pause between the end of a wave and the start of the next; 0: none
	Size  int           // nodes in a wave at most; 0: as planned
}

// PauseRun has a run begin no further task of `pre_book`, `tasks` and `on_success`, and no further wave, and
// ask nobody. What is under way ends.
func (e *Engine) PauseRun(ctx context.Context, s Steering) error {
	return e.steer(ctx, s, func(_ *Run, reason string) Payload { return RunPaused{Actor: s.Actor, Reason: reason} })
}

// ResumeRun lets a paused run go on.
func (e *Engine) ResumeRun(ctx context.Context, s Steering) error {
	return e.steer(ctx, s, func(_ *Run, reason string) Payload { return RunResumed{Actor: s.Actor, Reason: reason} })
}

// SendOn lets the next wave start although the run is paused or its waves are slowed. It holds for that
// wave alone, and takes no gate away. With a number it is an error when another wave is next; 0 is whichever is.
func (e *Engine) SendOn(ctx context.Context, s Steering, wave int) error {
	return e.steer(ctx, s, func(r *Run, reason string) Payload {
		path, next := r.waveToCome(s.Task)
		return WaveSentOn{Path: path, Wave: cmp.Or(wave, next), Actor: s.Actor, Reason: reason}
	})
}

// SlowWaves sets the pace of the waves that have not started, whatever it was before. Waves never become
// larger than they were planned.
func (e *Engine) SlowWaves(ctx context.Context, s Steering, pace Pace) error {
	switch {
	case pace.Every < 0 || pace.Every > MaxWavePause:
		return Errorf(CodeInvalid, "a pause between waves takes 0s to 14d, not %s; nothing was changed", pace.Every)
	case pace.Size < 0 || pace.Size > MaxWaveSize:
		return Errorf(CodeInvalid, "a wave has 1 node at least and %d at most, not %d; nothing was changed", MaxWaveSize, pace.Size)
	}
	return e.steer(ctx, s, func(r *Run, reason string) Payload {
		path, _ := r.waveToCome(s.Task)
		return WavesSlowed{Path: path, Every: pace.Every, Size: pace.Size, Actor: s.Actor, Reason: reason}
	})
}

// StopWaves has no further wave start: the rolling task ends with the wave that is under way, as failed
// or, with fail_ok, as tolerated.
func (e *Engine) StopWaves(ctx context.Context, s Steering) error {
	return e.steer(ctx, s, func(r *Run, reason string) Payload {
		path, _ := r.waveToCome(s.Task)
		return WavesStopped{Path: path, Actor: s.Actor, Reason: reason}
	})
}

// steer asks the policy, and writes down what a person says about a run that goes on.
func (e *Engine) steer(ctx context.Context, s Steering, give func(r *Run, reason string) Payload) error {
	if err := e.Admit(ctx, s.Actor, string(policy.Steer)); err != nil {
		return err
	}
	err := e.word(ctx, s.Run, s.Actor, func(r *Run) (Payload, error) {
		if d := e.Ask(s.Actor, About(policy.Steer, r)); !d.Allowed {
			return nil, Errorf(CodeDenied, "refused: %s", d.Rule)
		}
		return give(r, e.masker(s.Run).text(s.Reason)), nil
	})
	if err != nil && CodeOf(err) == CodeDenied {
		e.refuse(ctx, Refused{Actor: s.Actor, Verb: string(policy.Steer), Run: s.Run, Rule: err.Error()})
	}
	return err
}

// waveToCome is the rolling task that is meant, and the number of the wave that comes next in the one that is
// under way; empty when there is none, which [Run.admits] refuses.
func (r *Run) waveToCome(meant Path) (Path, int) {
	if s := r.Rolling(); s != nil {
		return cmp.Or(meant, s.Path), len(s.Rollout.Begun) + 1
	}
	return meant, 0
}

// admitsSteering is an error when what a person says about how a run goes on does not fit how it stands.
func (r *Run) admitsSteering(fact Payload) error {
	if r.stopped() {
		return Errorf(CodeConflict, "run %s is being cancelled; only what belongs to `always` still begins", r.ID.Short())
	}
	switch p := fact.(type) {
	case RunPaused:
		if p := r.Paused(); p != nil {
			return Errorf(CodeConflict, "run %s is paused already, by %s since %s", r.ID.Short(), p.By.Label(), clock(p.At))
		}
		return nil
	case RunResumed:
		return r.admitsResume()
	case WaveSentOn:
		step, err := r.steerable(p.Path)
		if err != nil {
			return err
		}
		return r.admitsNext(step, p.Wave)
	case WavesSlowed:
		step, err := r.steerable(p.Path)
		if err != nil {
			return err
		}
		var have Pace
		if p := step.Rollout.Pace; p != nil {
			have = Pace{Every: p.Every, Size: p.Size}
		}
		if have == (Pace{Every: p.Every, Size: p.Size}) {
			return Errorf(CodeConflict, "that is the pace of the waves already; nothing was changed")
		}
		return nil
	case WavesStopped:
		_, err := r.steerable(p.Path)
		return err
	default:
		return Errorf(CodeInvalid, "this version of playbot does not know what %q means, so nothing was done", fact.Kind())
	}
}

func (r *Run) admitsResume() error {
	if r.Paused() != nil {
		return nil
	}
	if n := len(r.Pauses); n > 0 {
		if last := r.Pauses[n-1]; last.Resumed != nil {
			return Errorf(CodeConflict, "run %s is not paused: %s resumed it at %s", r.ID.Short(), last.Resumed.Actor.Label(), clock(last.ResumedAt))
		}
	}
	return Errorf(CodeConflict, "run %s is not paused; it is %s", r.ID.Short(), r.Status)
}

func (r *Run) admitsNext(step *Step, wave int) error {
	roll := &step.Rollout
	next := len(roll.Begun) + 1
	switch {
	case wave < next:
		return Errorf(CodeConflict, "wave %d has started already", wave)
	case wave > next:
		return Errorf(CodeConflict, "wave %d is not next; wave %d is", wave, next)
	case roll.sent(next):
		return Errorf(CodeConflict, "wave %d was sent on already, by %s", next, roll.Sent.Actor.Label())
	case r.Paused() == nil && roll.every() == 0:
		return Errorf(CodeConflict, "nothing keeps wave %d: the run is not paused and its waves are not slowed%s", next, alsoWaits(r))
	}
	return nil
}

// alsoWaits says what a run waits for that sending it on does not give.
func alsoWaits(r *Run) string {
	if a := r.Pending(); a != nil {
		return fmt.Sprintf("; it waits for an approval, which `approve %s` gives", a.name(r))
	}
	return "; it starts by itself when the wave before is over"
}

// steerable is the rolling task that is under way and has waves to come.
func (r *Run) steerable(p Path) (*Step, error) {
	step := r.Rolling()
	if err := r.meant(p, step); err != nil {
		return nil, err
	}
	if step == nil {
		return nil, Errorf(CodeConflict, "run %s has no waves under way, so nothing was done; `pause %s` holds it before its next task, `cancel %s` stops it", r.ID.Short(), r.ID.Short(), r.ID.Short())
	}
	if stop := step.Rollout.Stop; stop != nil {
		return nil, Errorf(CodeConflict, "the waves were stopped already, by %s", stop.Actor.Label())
	}
	if n := len(step.Waves()); len(step.Rollout.Begun) >= n {
		return nil, Errorf(CodeConflict, "wave %d is the last one, and it has begun, so nothing was done; `cancel %s` cuts it off", n, r.ID.Short())
	}
	return step, nil
}

// meant is an error when somebody means the waves of another task than the one that is under way.
func (r *Run) meant(task Path, rolling *Step) error {
	if task == "" || rolling != nil && rolling.Path == task {
		return nil
	}
	now := "no waves are under way"
	if rolling != nil {
		now = fmt.Sprintf("those of %q are under way", rolling.Description)
	}
	s := r.Steps[task]
	if s == nil || s.Ended.IsZero() {
		return Errorf(CodeConflict, "%s has no waves under way, so nothing was done; %s", task, now)
	}
	return Errorf(CodeConflict, "the waves of %q are over (%s), so nothing was done; %s", s.Description, s.Status, now)
}

// clock writes a time as people read it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
