package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// compareTries is how often the node sets are looked up for one comparison, and compareAgain how long after the
	// first failure it is tried again; each further pause is twice as long. Together that is two minutes and a half.
	compareTries = 5
	compareAgain = 10 * time.Second
)

// NodesUncompared says that the node sets could not be found again, for comparison, when a task or a wave was
// about to ask or to use its approval. Nothing of it has begun, and the run tries again by itself.
type NodesUncompared struct {
	Path    Path      `json:"path"`
	Wave    int       `json:"wave,omitempty"` // that is next; 0 for a task
	Try     int       `json:"try"`            // counts from one
	Message string    `json:"message"`
	Again   time.Time `json:"again"` // when it tries again
}

// Kind implements [Payload].
func (NodesUncompared) Kind() string { return "nodes_uncompared" }
func (NodesUncompared) payload()     {}

// Comparing is why a run waits to compare its nodes once more, and until when; nil when it does not.
func (r *Run) Comparing() *NodesUncompared {
	if !r.Ended.IsZero() || r.stopped() || r.Held() != nil || r.Pending() != nil {
		return nil
	}
	for _, p := range r.Order {
		if s := r.Steps[p]; s.Uncompared != nil && s.Ended.IsZero() {
			return s.Uncompared
		}
	}
	return nil
}

// compared has what compares the node sets wait, when that failed a moment ago.
func (d decider) compared(s *Step, a action) action {
	uses := (a.do == doAttempt || a.do == doWave) && a.approval != nil && a.approval.State == ApprovalGranted
	if u := s.Uncompared; u != nil && (a.do == doAsk || uses) && d.now.Before(u.Again) {
		return action{do: doWait, reason: ReasonUncompared, path: s.Path, until: u.Again}
	}
	return a
}

// uncompared is what there is to write down when the node sets could not be found again: that it is tried
// again, or nothing when that was done often enough, or will not help.
func (p *performer) uncompared(a action, err error) []Payload {
	u := NodesUncompared{Path: a.path, Wave: a.wave, Try: 1, Message: p.redact().text(err.Error())}
	if before := p.run.Steps[a.path].Uncompared; before != nil {
		u.Try += max(before.Try, 0)
	}
	if u.Try >= compareTries || CodeOf(err) == CodeInvalid {
		return nil
	}
	u.Again = time.Now().Add(compareAgain << (u.Try - 1))
	return []Payload{u}
}

// compare finds the node sets again for a gate. ok is false when it is not to be asked now; facts say why.
func (p *performer) compare(ctx context.Context, a action, asked *ApprovalAsked) (facts []Payload, ok bool) {
	found, err := p.discoverAll(ctx)
	switch {
	case err == nil:
		asked.Discovered, asked.Grown = found, grown(p.run.Prepared.Nodes, found)
		return nil, true
	case ctx.Err() != nil: // the run was cancelled, or the process ends
		return nil, false
	}
	facts = p.uncompared(a, err)
	asked.Uncompared = p.redact().text(err.Error())
	return facts, len(facts) == 0
}

// recheck looks at a granted approval before it is used. ok is false when nothing may begin on it now; facts
// say why.
func (p *performer) recheck(ctx context.Context, a action) (facts []Payload, ok bool) {
	why := p.outdated(ctx, a.approval)
	if why != "" && errors.Is(context.Cause(ctx), errCancelled) { // which is why, and nobody else's fault
		return nil, false
	}
	if why == "" {
		found, err := p.discoverAll(ctx)
		switch {
		case err == nil:
			why = appeared(a.approval, p.run.Prepared.Nodes, found)
		case ctx.Err() != nil:
			return nil, false
		default:
			if facts = p.uncompared(a, err); len(facts) > 0 {
				return facts, false
			}
			why = "the nodes could not be compared: " + err.Error()
		}
	}
	if why == "" {
		return nil, true
	}
	return []Payload{ApprovalVoided{Approval: a.approval.Approval, Reason: p.redact().text(why)}}, false
}

// appeared says which nodes have come to the sets that an approval knew of; empty when none has. Where they
// could not be compared when it was asked, it knew of those of the run.
func appeared(a *Approval, frozen, found map[string][]string) string {
	before, since := a.Discovered, "the approval"
	if a.Uncompared != "" {
		before, since = frozen, "the run began"
	}
	if more := grown(before, found); len(more) > 0 {
		return fmt.Sprintf("nodes appeared since %s: %s", since, strings.Join(more, ", "))
	}
	return ""
}
