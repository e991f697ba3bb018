package engine

// ApprovalTakenBack is the word of somebody who said yes that it counts no more. Of a gate that waits, or
// that is open and not used, it takes their yes away, and the gate waits for another one. Of a gate that was
// used it takes away that the yes is for the rest of the run.
type ApprovalTakenBack struct {
	Approval string `json:"approval"`
	Actor    Actor  `json:"actor"`
	Reason   string `json:"reason,omitempty"`
	Rest     bool   `json:"rest,omitempty"` // the gate was used: it was for the rest of the run, and is not any more
}

// ApprovalReminded says that people are asked again about a gate that still waits. Escalated: from now on
// those of its second circle are asked too, and their yes counts.
type ApprovalReminded struct {
	Approval  string `json:"approval"`
	Escalated bool   `json:"escalated,omitempty"`
}

// Kind implements [Payload].
func (ApprovalTakenBack) Kind() string { return "approval_taken_back" }
func (ApprovalTakenBack) payload()     {}

// Kind implements [Payload].
func (ApprovalReminded) Kind() string { return "approval_reminded" }
func (ApprovalReminded) payload()     {}
