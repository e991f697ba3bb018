package engine

import "time"

// RunPaused is a person's word that the run begins no further task and no further wave. What is under
// way ends.
type RunPaused struct {
	Actor  Actor  `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

// RunHeld says that a paused run has come to a stop, and before what.
type RunHeld struct {
	Before Path `json:"before"`
	Wave   int  `json:"wave,omitempty"` // of the rolling task Before; 0 for a task
}

// RunResumed lets a paused run go on.
type RunResumed struct {
	Actor  Actor  `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

// WaveStarted is the intent of a wave: from here on its tasks may begin, and no other wave has its nodes.
type WaveStarted struct {
	Path  Path     `json:"path"` // of the rolling task
	Wave  int      `json:"wave"` // counts from one
	Nodes []string `json:"nodes"`
	// Approval is what the wave rests on; empty when its task asks nobody.
	Approval string `json:"approval,omitempty"`
}

// WaveSentOn lets one wave start although the run is paused or its waves are slowed.
type WaveSentOn struct {
	Path   Path   `json:"path"`
	Wave   int    `json:"wave"`
	Actor  Actor  `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

// WavesSlowed sets the pace of the waves that have not started. It takes the place of an earlier one.
type WavesSlowed struct {
	Path   Path          `json:"path"`
	Every  time.Duration `json:"every,omitempty"` // the least pause between the end of a wave and the start of the next
	Size   int           `json:"size,omitempty"`  // nodes in a wave at most; 0: as planned
	Actor  Actor         `json:"actor"`
	Reason string        `json:"reason,omitempty"`
}

// WavesStopped says that no further wave starts: the rolling task ends with the wave that is under way.
type WavesStopped struct {
	Path   Path   `json:"path"`
	Actor  Actor  `json:"actor,omitzero"` // zero: nobody did, but nobody could be asked about the next wave
	Reason string `json:"reason,omitempty"`
}

// Kind implements [Payload].
func (RunPaused) Kind() string { return "run_paused" }
func (RunPaused) payload()     {}

// Kind implements [Payload].
func (RunHeld) Kind() string { return "run_held" }
func (RunHeld) payload()     {}

// Kind implements [Payload].
func (RunResumed) Kind() string { return "run_resumed" }
func (RunResumed) payload()     {}

// Kind implements [Payload].
func (WaveStarted) Kind() string { return "wave_started" }
func (WaveStarted) payload()     {}

// Kind implements [Payload].
func (WaveSentOn) Kind() string { return "wave_sent_on" }
func (WaveSentOn) payload()     {}

// Kind implements [Payload].
func (WavesSlowed) Kind() string { return "waves_slowed" }
func (WavesSlowed) payload()     {}

// Kind implements [Payload].
func (WavesStopped) Kind() string { return "waves_stopped" }
func (WavesStopped) payload()     {}
