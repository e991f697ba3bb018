package engine

import (
	"maps"
	"slices"
	"time"
)

// Run is the state of a run: the fold of its events. The zero Run is ready for [Run.Apply].
// A Run is not safe for concurrent use; [Run.Clone] gives one to another goroutine.
type Run struct {
	ID        RunID
	Seq       Seq // of the last event applied
	Requested RunRequested
	At        time.Time // when it was requested
	Status    RunStatus
	Message   string    // of the end, or of what failed the preparation
	Ended     time.Time // zero while it goes on

	Prepared      *Prepared
	PreparedAt    time.Time
	PrepareFailed *PrepareFailed
	Locks         []string      // requested and not released
	Awaits        *LockAwaited  // the lock that it waits for, and who holds it; nil when it waits for none
	AwaitsNodes   *NodesAwaited // the nodes that it waits for, and who has them; nil when it waits for none
	Leases        []string      // nodes that are reserved for it, sorted; none after its end
	LeasedAt      time.Time     // when the first of them was
	LocksTaken    bool
	LocksReleased bool
	LockProblems  []string
	Cancel        *CancelRequested
	SecretsNeeded []string         // that a restart has lost, and that the run waits for
	Places        []Place          // the latest last
	Posts         map[string]Place // further messages by their reference: see [Posted]

	Pauses []Pause // by people, the latest last
	Holds  []Hold  // times for which it stood still
	Steers []Steer // everything that people said about how it goes on
	Words  []Word  // what people said and what does not count yet

	Steps     map[Path]*Step
	Order     []Path // steps in the order in which they began
	Approvals []*Approval
	Previous  Path // whose attempt ended last, of any list
	Failed    Path // the first task of the main list that failed

	Through bool // every list is through: only its end is left
}

// Step is a task of a run as far as it got.
type Step struct {
	Path        Path
	Type        string
	As          string
	Description string
	Status      TaskStatus
	Message     string
	Tries       int
	TrySleep    time.Duration
	PreSleep    time.Duration
	Timeout     time.Duration // of all waves of a rolling task
	Locks       []string      // of its own
	LockState   LockState
	Result      *Result // of a rolling task that has ended
	Gated       string
	EachWave    bool // asks before each wave
	Broken      string
	Began       time.Time
	Ready       time.Time // the latest event that a pre_sleep counts from
	Ended       time.Time
	Attempts    []Attempt
	Rollout     Rollout          // of a rolling task
	Uncompared  *NodesUncompared // the latest failure to compare its nodes; nil when they were compared since
	Aborted     bool             // a person chose to abort the run at an unknown attempt
}

// Attempt is one attempt of a step.
type Attempt struct {
	AttemptStarted
	At        time.Time
	Outcome   *AttemptEnded // nil while it runs, or when a process died in it
	EndedAt   time.Time
	Unknown   bool      // a person was asked what became of it
	UnknownAt time.Time // when
	Repeat    bool      // cut off, and goes again by itself
	Resolved  *AttemptResolved
}

// Open reports whether the attempt has neither an outcome nor a person's word.
func (a Attempt) Open() bool { return a.Outcome == nil && a.Resolved == nil && !a.Repeat }

// Last returns the latest attempt, or nil.
func (s *Step) Last() *Attempt {
	if len(s.Attempts) == 0 {
		return nil
	}
	return &s.Attempts[len(s.Attempts)-1]
}

// Approval is a gate that was reached.
type Approval struct {
	ApprovalAsked
	At    time.Time
	Given []ApprovalGiven // so far; see [Approval.Missing]
	Taken []TakenBack     // yeses that were taken back, in their order
	State ApprovalState
	By    Actor     // who decided, when a person did
	When  time.Time // when it was decided
	Why   string    // the reason a person gave, or why it was voided

	PostedAt  time.Time // when people first saw it in a message; zero before, and where it asks in none
	Reminded  time.Time // when people were asked again; zero before
	Escalated time.Time // when the second circle was asked; zero before
	Token     string    // see [Approval.Button]; empty: that is the id
	Tokens    []string  // earlier ones, which do not count any more
}

// ApprovalState is how an approval stands.
type ApprovalState string

// The states of an approval.
const (
	ApprovalPending   ApprovalState = "pending"
	ApprovalGranted   ApprovalState = "granted"
	ApprovalUsed      ApprovalState = "used" // its task has started
	ApprovalRefused   ApprovalState = "denied"
	ApprovalTimedOut  ApprovalState = "expired"
	ApprovalWithdrawn ApprovalState = "voided"
)

// Approval returns the approval with that opaque id.
func (r *Run) Approval(id string) (*Approval, bool) {
	for _, a := range r.Approvals {
		if a.Approval == id {
			return a, true
		}
	}
	return nil, false
}

// Pending returns the approval that the run waits for, or nil.
func (r *Run) Pending() *Approval {
	for _, a := range r.Approvals {
		if a.State == ApprovalPending {
			return a
		}
	}
	return nil
}

// Unknown returns the step whose last attempt a person must resolve, or nil.
func (r *Run) Unknown() *Step {
	for _, p := range r.Order {
		s := r.Steps[p]
		if a := s.Last(); a != nil && a.Unknown && a.Resolved == nil && s.Ended.IsZero() {
			return s
		}
	}
	return nil
}

// stopped reports whether a person stopped the run.
func (r *Run) stopped() bool {
	if r.Cancel != nil {
		return true
	}
	for _, p := range r.Order {
		if s := r.Steps[p]; s != nil && s.Aborted && p.Root() != "always" {
			return true
		}
	}
	return false
}

// Place is where people watch the run; false until it is announced.
func (r *Run) Place() (Place, bool) {
	if len(r.Places) == 0 {
		return Place{}, false
	}
	return r.Places[len(r.Places)-1], true
}

// Approvers lists everybody whose yes was used in this run, each once.
func (r *Run) Approvers() []Actor {
	var out []Actor
	for _, a := range r.Approvals {
		if a.State != ApprovalUsed {
			continue
		}
		for _, g := range a.Given {
			out = appendActor(out, g.Actor)
		}
	}
	return out
}

func appendActor(list []Actor, a Actor) []Actor {
	for _, have := range list {
		if have.Is(a) {
			return list
		}
	}
	return append(list, a)
}

// Clone returns a copy that shares nothing which Apply changes.
func (r *Run) Clone() *Run {
	c := *r
	c.Steps = maps.Clone(r.Steps) // the steps themselves are shared: see edit
	for p, s := range c.Steps {
		if len(s.Rollout.Begun) > 0 { // the original goes on in place, which for many waves matters
			step := *s
			step.Rollout.Begun = slices.Clip(s.Rollout.Begun)
			c.Steps[p] = &step
		}
	}
	c.Order = append([]Path(nil), r.Order...)
	c.Places = append([]Place(nil), r.Places...)
	c.Posts = maps.Clone(r.Posts)
	c.Approvals = make([]*Approval, len(r.Approvals))
	for i, a := range r.Approvals {
		approval := *a
		approval.Given, approval.Taken = slices.Clone(a.Given), slices.Clone(a.Taken)
		c.Approvals[i] = &approval
	}
	return &c
}
