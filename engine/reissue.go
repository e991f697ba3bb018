package engine

import (
	"context"
	"slices"
)

// ApprovalReissued says that the message in which a gate asked is lost, and the gate asks in a new one.
// Buttons that were made before do not count any more.
type ApprovalReissued struct {
	Approval string `json:"approval"`
	Token    string `json:"token"` // what buttons carry from now on
}

// Kind implements [Payload].
func (ApprovalReissued) Kind() string { return "approval_reissued" }
func (ApprovalReissued) payload()     {}

// Button is what the buttons of a gate carry instead of its id, so that those of a message that was lost
// can be told from those of the one that took its place.
func (a *Approval) Button() string {
	if a.Token != "" {
		return a.Token
	}
	return a.Approval
}

// Reissue gives the buttons of a gate that waits a new token. Whoever shows a gate does this before it shows
// it somewhere else, when it cannot be sure that what it showed before is gone.
func (e *Engine) Reissue(ctx context.Context, run RunID, approval string) error {
	return e.tell(ctx, run, func(r *Run) ([]Payload, error) {
		a, known := r.Approval(approval)
		if !known {
			return nil, Errorf(CodeNotFound, "run %s has no such gate", r.ID.Short())
		}
		if a.State != ApprovalPending {
			return nil, Errorf(CodeConflict, "too late: %s", a.Outcome())
		}
		return []Payload{ApprovalReissued{Approval: approval, Token: newNonce()}}, nil
	})
}

// Pressed is the gate whose buttons carry a token, and whether they still count; nil when there is none.
func (r *Run) Pressed(token string) (a *Approval, counts bool) {
	for _, a := range r.Approvals {
		if a.Button() == token {
			return a, true
		}
	}
	for _, a := range r.Approvals {
		if a.Approval == token || slices.Contains(a.Tokens, token) { // of an earlier message
			return a, false
		}
	}
	return nil, false
}

func (r *Run) reissue(p ApprovalReissued) {
	if a, ok := r.Approval(p.Approval); ok {
		if a.Token != "" {
			a.Tokens = append(slices.Clip(a.Tokens), a.Token)
		}
		a.Token = p.Token
	}
}
