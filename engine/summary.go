package engine

import "time"

// Summary is a run in a list: small, and kept up to date by the store with every append.
type Summary struct {
	Run       RunID       `json:"run"`
	Playbook  PlaybookRef `json:"playbook"`
	Actor     Actor       `json:"actor"`
	Origin    Origin      `json:"origin"`
	Parent    *Parent     `json:"parent,omitempty"`
	Children  []RunID     `json:"children,omitempty"`
	Status    RunStatus   `json:"status"`
	Message   string      `json:"message,omitempty"`
	Step      string      `json:"step,omitempty"` // description of the latest task
	Steps     int         `json:"steps"`          // tasks that have ended
	Requested time.Time   `json:"requested"`
	Ended     time.Time   `json:"ended,omitzero"`
}

// Apply folds one event of the run into its summary.
func (s *Summary) Apply(e Event) {
	switch p := e.Payload.(type) {
	case RunRequested:
		id, _ := e.Stream.Run()
		*s = Summary{
			Run: id, Playbook: p.Playbook, Actor: p.Actor, Origin: p.Origin, Parent: p.Parent,
			Status: RunPreparing, Requested: e.Time,
		}
	case Prepared:
		s.Status = RunRunning
	case PrepareFailed:
		s.Message = p.Message
	case TaskBegun:
		s.Status, s.Step = RunRunning, p.Description
	case ApprovalAsked, AttemptUnknown:
		s.Status = RunWaiting
	case ApprovalGiven, ApprovalDenied, ApprovalExpired, ApprovalVoided, AttemptResolved, AttemptStarted:
		s.Status = RunRunning
	case AttemptEnded:
		if p.Result.Child != "" {
			s.Children = append(s.Children, p.Result.Child)
		}
	case TaskEnded:
		s.Steps++
	case RunEnded:
		s.Status, s.Message, s.Ended = p.Status, p.Message, e.Time
	default: // the rest does not show in a list
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
