package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// Decision is a person's answer at a gate.
type Decision struct {
	Run      RunID
	Approval string // the opaque id, or empty for the gate that the run waits at
	Actor    Actor
	Reason   string
	Rest     bool  // the yes is for the later gates of the run too; see [Approval.MayRest]
	Limit    Limit // the yes is for less than was asked
}

// Approve is a person's yes at a gate. It opens with the last yes that it asks for. The errors say
// who decided otherwise, and when.
func (e *Engine) Approve(ctx context.Context, d Decision) error {
	return e.decision(ctx, d, policy.Approve, func(r *Run, a *Approval) ([]Payload, error) {
		rule := e.MayApprove(d.Actor, r, a, d.Limit)
		if !rule.Allowed {
			return nil, Errorf(CodeDenied, "refused: %s", rule.Rule)
		}
		if err := a.counts(r, d); err != nil {
			return nil, err
		}
		return []Payload{ApprovalGiven{
			Approval: a.Approval, Actor: d.Actor, Reason: e.masker(d.Run).text(d.Reason), Role: rule.Role, Rest: d.Rest, Limit: d.Limit,
		}}, nil
	})
}

// counts is an error when a yes that the policy allows does not count all the same.
func (a *Approval) counts(r *Run, d Decision) error {
	for _, g := range a.Given {
		if g.Actor.Is(d.Actor) {
			return Errorf(CodeConflict, "you have approved already; this gate asks for %d different people, and has %s", a.Needs(), a.Progress())
		}
	}
	if err := a.limits(r, d); err != nil {
		return err
	}
	switch {
	case d.Rest && a.Scope != playbooks.ScopeRun:
		return Errorf(CodeInvalid, "this gate is for its own step only; `approve %s` approves that", a.name(r))
	case d.Rest && !a.MayRest():
		return Errorf(CodeInvalid, "somebody approved this step only, so the rest cannot be approved here; `approve %s` approves the step", a.name(r))
	case d.Rest:
		return a.reasoned(r, d, "approve --rest")
	}
	return a.reasoned(r, d, "approve")
}

// limits is an error when a yes cannot be given for so much of what a gate asks for.
func (a *Approval) limits(r *Run, d Decision) error {
	l, step := d.Limit, r.Steps[a.Path]
	part := l.Waves != 0 || l.Nodes != 0
	switch {
	case l.IsZero():
		return nil
	case d.Rest:
		return Errorf(CodeInvalid, "nothing was decided: a yes is either for the rest of the run or for less than this gate asks for; leave one of them out")
	case part && (step == nil || step.Type != rollingType):
		return Errorf(CodeInvalid, "nothing was decided: this gate is about one step, which is done whole; `approve %s` approves it, and until= says until when it may begin", a.name(r))
	case l.Waves < 0 || l.Nodes < 0:
		return Errorf(CodeInvalid, "nothing was decided: give 1 or more waves or nodes")
	case l.Waves > 0 && len(a.Waves) == 0: // asked by a version that did not write them down
		return Errorf(CodeInvalid, "nothing was decided: this was asked by an earlier version of playbot, which did not say what waves it is about; `approve %s` approves it all, and `pause %s` and `resume %s` have the run ask again",
			a.name(r), r.ID.Short(), r.ID.Short())
	case l.Waves > len(a.Waves):
		return Errorf(CodeInvalid, "nothing was decided: this gate is about %d waves, and you gave %d; `approve %s` approves them all", len(a.Waves), l.Waves, a.name(r))
	case l.Nodes > len(a.Nodes):
		return Errorf(CodeInvalid, "nothing was decided: this gate is about %d nodes, and you gave %d; `approve %s` approves them all", len(a.Nodes), l.Nodes, a.name(r))
	case l.over(time.Now()):
		return Errorf(CodeInvalid, "nothing was decided: %s is over already; give a later time", clock(l.Until))
	}
	return nil
}

// reasoned is an error when an answer lacks the reason that the gate asks for. It says how to give one.
func (a *Approval) reasoned(r *Run, d Decision, verb string) error {
	if !a.WantsReason(verb != "deny") || strings.TrimSpace(d.Reason) != "" {
		return nil
	}
	return Errorf(CodeInvalid, "nothing was decided: this gate asks for a reason; give one, as in `/playbook %s %s the reason`", verb, a.name(r))
}

// name is how people name a gate: r-7k3f9m.2.
func (a *Approval) name(r *Run) string { return fmt.Sprintf("%s.%d", r.ID.Short(), a.Number) }

// Deny is a person's no at a gate, which ends it. Whoever may approve may deny, with whatever role, and
// so may the requester.
func (e *Engine) Deny(ctx context.Context, d Decision) error {
	return e.decision(ctx, d, "deny", func(r *Run, a *Approval) ([]Payload, error) {
		rule := e.Ask(d.Actor, About(policy.Approve, r))
		if !rule.Allowed && !d.Actor.Is(r.Requested.Actor) {
			return nil, Errorf(CodeDenied, "refused: %s", rule.Rule)
		}
		if err := a.reasoned(r, d, "deny"); err != nil {
			return nil, err
		}
		return []Payload{ApprovalDenied{Approval: a.Approval, Actor: d.Actor, Reason: e.masker(d.Run).text(d.Reason)}}, nil
	})
}

func (e *Engine) decision(ctx context.Context, d Decision, verb policy.Verb, give func(*Run, *Approval) ([]Payload, error)) error {
	if err := e.Admit(ctx, d.Actor, string(verb)); err != nil {
		return err
	}
	err := e.tell(ctx, d.Run, func(r *Run) ([]Payload, error) {
		a := r.Pending()
		if d.Approval != "" {
			var known bool
			if a, known = r.Approval(d.Approval); !known {
				return nil, Errorf(CodeNotFound, "run %s has no such gate", r.ID.Short())
			}
		}
		if a == nil {
			return nil, Errorf(CodeConflict, "run %s waits for no approval; it is %s", r.ID.Short(), r.Status)
		}
		if a.State != ApprovalPending {
			return nil, Errorf(CodeConflict, "too late: %s", a.Outcome())
		}
		if !time.Now().Before(a.Deadline()) {
			return nil, Errorf(CodeConflict, "too late: the approval expired at %s", a.Deadline().UTC().Format(time.RFC3339))
		}
		return give(r, a)
	})
	err = e.overtaken(ctx, d, err)
	if CodeOf(err) == CodeDenied && err != nil {
		e.refuse(ctx, Refused{Actor: d.Actor, Verb: string(verb), Run: d.Run, Rule: err.Error()})
	}
	return err
}
