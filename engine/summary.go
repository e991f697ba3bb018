package engine

import (
	"slices"
	"time"
)

// Summary is a run in a list: small, and kept up to date by the store with every append.
type Summary struct {
	Run         RunID         `json:"run"`
	Playbook    PlaybookRef   `json:"playbook"`
	Actor       Actor         `json:"actor"`
	Origin      Origin        `json:"origin"`
	Parent      *Parent       `json:"parent,omitempty"`
	Children    []RunID       `json:"children,omitempty"`
	Status      RunStatus     `json:"status"`
	Message     string        `json:"message,omitempty"`
	Step        string        `json:"step,omitempty"`         // description of the latest task
	Steps       int           `json:"steps"`                  // tasks that have ended
	Secrets     []string      `json:"secrets,omitempty"`      // that a restart has lost, and that the run waits for
	Held        RunStatus     `json:"held,omitempty"`         // how it stands apart from that
	Awaits      *LockAwaited  `json:"awaits,omitempty"`       // as in a [Run]
	AwaitsNodes *NodesAwaited `json:"awaits_nodes,omitempty"` // as in a [Run]
	Missing     int           `json:"missing,omitempty"`      // people whose yes the gate still waits for
	Paused      bool          `json:"paused,omitempty"`       // a person paused it, and it stands still
	Requested   time.Time     `json:"requested"`
	Ended       time.Time     `json:"ended,omitzero"`
}

// Apply folds one event of the run into its summary.
func (s *Summary) Apply(e Event) {
	if s.Held != "" {
		s.Status, s.Held = s.Held, ""
	}
	s.apply(e)
	s.applyHeld(e.Payload)
	s.steered(e)
	if s.Status.Final() {
		s.Secrets = nil
	}
	if len(s.Secrets) > 0 {
		s.Held, s.Status = s.Status, RunWaiting
	}
}

func (s *Summary) apply(e Event) {
	switch p := e.Payload.(type) {
	case RunRequested:
		id, _ := e.Stream.Run()
		*s = Summary{
			Run: id, Playbook: p.Playbook, Actor: p.Actor, Origin: p.Origin, Parent: p.Parent,
			Status: RunPreparing, Requested: e.Time,
		}
	case Prepared:
		s.Status = RunRunning
	case SecretsNeeded:
		s.Secrets = p.Names
	case SecretsGiven:
		s.Secrets = slices.DeleteFunc(slices.Clone(s.Secrets), func(n string) bool { return slices.Contains(p.Names, n) })
	case CancelRequested:
		s.Secrets = nil
	case PrepareFailed:
		s.Message = p.Message
	case TaskBegun:
		s.Status, s.Step = RunRunning, p.Description
	case ApprovalAsked:
		s.Status, s.Missing = RunWaiting, max(p.Count, 1)
	case AttemptUnknown:
		s.Status = RunWaiting
	case ApprovalGiven:
		if s.Missing = max(s.Missing-1, 0); s.Missing == 0 {
			s.Status = RunRunning
		}
	case ApprovalTakenBack:
		s.takenBack(p)
	case AttemptResolved:
		s.Status, s.Missing = RunRunning, 0
		if p.Choice == ResolveAbort && p.Path.Root() != "always" {
			s.Secrets = nil
		}
	case ApprovalDenied, ApprovalExpired, ApprovalVoided, AttemptStarted:
		s.Status, s.Missing = RunRunning, 0
	case AttemptEnded:
		if p.Result.Child != "" {
			s.Children = append(s.Children, p.Result.Child)
		}
	case TaskEnded:
		s.Steps++
	case RunEnded:
		s.Status, s.Message, s.Ended, s.Missing = p.Status, p.Message, e.Time, 0
	default: // the rest does not show in a list
	}
}

// applyHeld is about what the run waits for that another one has.
func (s *Summary) applyHeld(payload Payload) {
	switch p := payload.(type) {
	case LockAwaited:
		s.Awaits = &p
	case NodesAwaited:
		s.AwaitsNodes = &p
	case LocksTaken, TaskLocksTaken, TaskLocksReleased:
		s.Awaits = nil
	case NodesLeased, AttemptStarted:
		s.AwaitsNodes = nil
	case PrepareFailed, RunEnded:
		s.Awaits, s.AwaitsNodes = nil, nil
	default: // the rest ends no wait
	}
}

// steered notes when a paused run comes to a stop, and when it goes on.
func (s *Summary) steered(e Event) {
	switch e.Payload.(type) {
	case RunHeld:
		s.Status, s.Paused = RunWaiting, true
	case RunResumed, WaveSentOn, WavesStopped, CancelRequested:
		if s.Paused {
			s.Status, s.Paused = RunRunning, false
		}
	case RunEnded:
		s.Paused = false
	default: // the rest neither stops nor moves it
	}
}

// HistoryQuery selects runs; the zero value selects the newest of all.
type HistoryQuery struct {
	Playbook string
	User     string
	Status   RunStatus
	Since    time.Time // runs requested earlier are left out
	Limit    int       // 0 means 20
	Before   RunID     // only runs older than this one, for paging
}
