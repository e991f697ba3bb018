package engine

import (
	"encoding/json"
	"fmt"
	"sync"
)

// Kind implements [Payload].
func (RunRequested) Kind() string { return "run_requested" }
func (RunRequested) payload()     {}

// Kind implements [Payload].
func (PlaybookKept) Kind() string { return "playbook_kept" }
func (PlaybookKept) payload()     {}

// Kind implements [Payload].
func (LocksRequested) Kind() string { return "locks_requested" }
func (LocksRequested) payload()     {}

// Kind implements [Payload].
func (LockAwaited) Kind() string { return "lock_awaited" }
func (LockAwaited) payload()     {}

// Kind implements [Payload].
func (NodesAwaited) Kind() string { return "nodes_awaited" }
func (NodesAwaited) payload()     {}

// Kind implements [Payload].
func (NodesLeased) Kind() string { return "nodes_leased" }
func (NodesLeased) payload()     {}

// Kind implements [Payload].
func (LocksTaken) Kind() string { return "locks_taken" }
func (LocksTaken) payload()     {}

// Kind implements [Payload].
func (LocksReleased) Kind() string { return "locks_released" }
func (LocksReleased) payload()     {}

// Kind implements [Payload].
func (TaskLocksRequested) Kind() string { return "task_locks_requested" }
func (TaskLocksRequested) payload()     {}

// Kind implements [Payload].
func (TaskLocksTaken) Kind() string { return "task_locks_taken" }
func (TaskLocksTaken) payload()     {}

// Kind implements [Payload].
func (TaskLocksReleased) Kind() string { return "task_locks_released" }
func (TaskLocksReleased) payload()     {}

// Kind implements [Payload].
func (Prepared) Kind() string { return "prepared" }
func (Prepared) payload()     {}

// Kind implements [Payload].
func (PrepareFailed) Kind() string { return "prepare_failed" }
func (PrepareFailed) payload()     {}

// Kind implements [Payload].
func (TaskBegun) Kind() string { return "task_begun" }
func (TaskBegun) payload()     {}

// Kind implements [Payload].
func (TaskSkipped) Kind() string { return "task_skipped" }
func (TaskSkipped) payload()     {}

// Kind implements [Payload].
func (ApprovalAsked) Kind() string { return "approval_asked" }
func (ApprovalAsked) payload()     {}

// Kind implements [Payload].
func (ApprovalGiven) Kind() string { return "approval_given" }
func (ApprovalGiven) payload()     {}

// Kind implements [Payload].
func (ApprovalDenied) Kind() string { return "approval_denied" }
func (ApprovalDenied) payload()     {}

// Kind implements [Payload].
func (ApprovalExpired) Kind() string { return "approval_expired" }
func (ApprovalExpired) payload()     {}

// Kind implements [Payload].
func (ApprovalVoided) Kind() string { return "approval_voided" }
func (ApprovalVoided) payload()     {}

// Kind implements [Payload].
func (SecretsNeeded) Kind() string { return "secrets_needed" }
func (SecretsNeeded) payload()     {}

// Kind implements [Payload].
func (SecretsGiven) Kind() string { return "secrets_given" }
func (SecretsGiven) payload()     {}

// Kind implements [Payload].
func (AttemptStarted) Kind() string { return "attempt_started" }
func (AttemptStarted) payload()     {}

// Kind implements [Payload].
func (AttemptEnded) Kind() string { return "attempt_ended" }
func (AttemptEnded) payload()     {}

// Kind implements [Payload].
func (AttemptUnknown) Kind() string { return "attempt_unknown" }
func (AttemptUnknown) payload()     {}

// Kind implements [Payload].
func (AttemptRepeated) Kind() string { return "attempt_repeated" }
func (AttemptRepeated) payload()     {}

// Kind implements [Payload].
func (AttemptResolved) Kind() string { return "attempt_resolved" }
func (AttemptResolved) payload()     {}

// Kind implements [Payload].
func (TaskEnded) Kind() string { return "task_ended" }
func (TaskEnded) payload()     {}

// Kind implements [Payload].
func (CancelRequested) Kind() string { return "cancel_requested" }
func (CancelRequested) payload()     {}

// Kind implements [Payload].
func (RunLingers) Kind() string { return "run_lingers" }
func (RunLingers) payload()     {}

// Kind implements [Payload].
func (RunEnded) Kind() string { return "run_ended" }
func (RunEnded) payload()     {}

// Kind implements [Payload].
func (Announced) Kind() string { return "announced" }
func (Announced) payload()     {}

// Kind implements [Payload].
func (Posted) Kind() string { return "posted" }
func (Posted) payload()     {}

// Kind implements [Payload].
func (Refused) Kind() string { return "refused" }
func (Refused) payload()     {}

// Kind implements [Payload].
func (u Unread) Kind() string { return u.Name }
func (Unread) payload()       {}

// EncodePayload returns the JSON of a payload, without its kind.
func EncodePayload(p Payload) ([]byte, error) {
	if u, ok := p.(Unread); ok {
		return u.Raw, nil
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", p.Kind(), err)
	}
	return data, nil
}

// DecodePayload is the inverse of [EncodePayload]. A kind that is not known becomes [Unread], so that nothing is lost.
func DecodePayload(kind string, data []byte) (Payload, error) {
	decode, ok := payloadDecoders()[kind]
	if !ok {
		return Unread{Name: kind, Raw: append([]byte(nil), data...)}, nil
	}
	p, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", kind, err)
	}
	return p, nil
}

func decodeAs[P Payload](data []byte) (Payload, error) {
	var p P
	err := json.Unmarshal(data, &p)
	return p, err
}

// payloadDecoders is built once: a run that is loaded looks into it for every event.
//
//nolint:gochecknoglobals // a table that nobody writes to; Go has no constant maps
var payloadDecoders = sync.OnceValue(func() map[string]func([]byte) (Payload, error) {
	return map[string]func([]byte) (Payload, error){
		"run_requested":        decodeAs[RunRequested],
		"playbook_kept":        decodeAs[PlaybookKept],
		"locks_requested":      decodeAs[LocksRequested],
		"lock_awaited":         decodeAs[LockAwaited],
		"nodes_awaited":        decodeAs[NodesAwaited],
		"nodes_leased":         decodeAs[NodesLeased],
		"nodes_uncompared":     decodeAs[NodesUncompared],
		"locks_taken":          decodeAs[LocksTaken],
		"locks_released":       decodeAs[LocksReleased],
		"task_locks_requested": decodeAs[TaskLocksRequested],
		"task_locks_taken":     decodeAs[TaskLocksTaken],
		"task_locks_released":  decodeAs[TaskLocksReleased],
		"prepared":             decodeAs[Prepared],
		"prepare_failed":       decodeAs[PrepareFailed],
		"task_begun":           decodeAs[TaskBegun],
		"task_skipped":         decodeAs[TaskSkipped],
		"approval_asked":       decodeAs[ApprovalAsked],
		"approval_given":       decodeAs[ApprovalGiven],
		"approval_denied":      decodeAs[ApprovalDenied],
		"approval_expired":     decodeAs[ApprovalExpired],
		"approval_voided":      decodeAs[ApprovalVoided],
		"approval_taken_back":  decodeAs[ApprovalTakenBack],
		"approval_reminded":    decodeAs[ApprovalReminded],
		"approval_reissued":    decodeAs[ApprovalReissued],
		"secrets_needed":       decodeAs[SecretsNeeded],
		"secrets_given":        decodeAs[SecretsGiven],
		"attempt_started":      decodeAs[AttemptStarted],
		"attempt_ended":        decodeAs[AttemptEnded],
		"attempt_unknown":      decodeAs[AttemptUnknown],
		"attempt_repeated":     decodeAs[AttemptRepeated],
		"attempt_resolved":     decodeAs[AttemptResolved],
		"task_ended":           decodeAs[TaskEnded],
		"cancel_requested":     decodeAs[CancelRequested],
		"run_lingers":          decodeAs[RunLingers],
		"run_ended":            decodeAs[RunEnded],
		"announced":            decodeAs[Announced],
		"posted":               decodeAs[Posted],
		"refused":              decodeAs[Refused],
		"run_paused":           decodeAs[RunPaused],
		"run_held":             decodeAs[RunHeld],
		"run_resumed":          decodeAs[RunResumed],
		"wave_started":         decodeAs[WaveStarted],
		"wave_sent_on":         decodeAs[WaveSentOn],
		"waves_slowed":         decodeAs[WavesSlowed],
		"waves_stopped":        decodeAs[WavesStopped],
		"word_given":           decodeAs[WordGiven],
		"word_weighed":         decodeAs[WordWeighed],
	}
})
