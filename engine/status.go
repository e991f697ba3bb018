package engine

// RunStatus is how a run stands.
type RunStatus string

// The states of a run. The last three are final.
const (
	RunPreparing RunStatus = "preparing"
	RunRunning   RunStatus = "running"
	RunWaiting   RunStatus = "waiting" // for a person: a gate, or an unknown attempt
	RunSuccess   RunStatus = "success"
	RunFailed    RunStatus = "failed"
	RunCancelled RunStatus = "cancelled"
)

// Final reports whether a run in this state has ended.
func (s RunStatus) Final() bool {
	return s == RunSuccess || s == RunFailed || s == RunCancelled
}

// TaskStatus is how a task stands.
type TaskStatus string

// The states of a task. All but the first three are final.
const (
	TaskPending     TaskStatus = "pending" // not reached yet
	TaskRunning     TaskStatus = "running"
	TaskWaiting     TaskStatus = "waiting" // for a person
	TaskOK          TaskStatus = "ok"
	TaskFailed      TaskStatus = "failed"
	TaskTolerated   TaskStatus = "tolerated" // failed, with fail_ok
	TaskSkippedOver TaskStatus = "skipped"
	TaskDenied      TaskStatus = "denied" // its gate was denied or expired
	TaskCancelled   TaskStatus = "cancelled"
)

// Passed reports whether the list may go on after a task in this state.
func (s TaskStatus) Passed() bool {
	return s == TaskOK || s == TaskTolerated || s == TaskSkippedOver
}

// LockState is how the locks of a task stand.
type LockState string

// The states of a task's locks.
const (
	LocksNone      LockState = "" // none was asked for
	LocksAsked     LockState = "asked"
	LocksHeld      LockState = "held"
	LocksGivenBack LockState = "released"
)

// Effect says what a resume may do with an attempt that was cut off.
type Effect string

// The effects.
const (
	ReadOnly   Effect = "read_only"  // goes again by itself
	Idempotent Effect = "idempotent" // goes again by itself, with the same key
	Once       Effect = "once"       // only a person may say that it goes again
)

// Resolution is what a person says about an unknown attempt.
type Resolution string

// The resolutions.
const (
	ResolveRetry  Resolution = "retry"
	ResolveDone   Resolution = "done"
	ResolveFailed Resolution = "failed"
	ResolveAbort  Resolution = "abort"
)
