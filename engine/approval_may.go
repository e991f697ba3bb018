package engine

import (
	"context"

	"github.com/playbot/playbot/engine/policy"
)

// MayDecide is an error when somebody may not say yes, or no, at a gate: for asking before they write
// down why. A refusal is recorded like one of the decision itself, which asks again.
func (e *Engine) MayDecide(ctx context.Context, d Decision, yes bool) error {
	run, err := e.Load(ctx, d.Run)
	if err != nil {
		return err
	}
	a, ok := run.Approval(d.Approval)
	if !ok {
		return Errorf(CodeNotFound, "run %s has no such gate", run.ID.Short())
	}
	verb, rule := policy.Verb("deny"), e.Ask(d.Actor, About(policy.Approve, run))
	if yes {
		verb, rule = policy.Approve, e.MayApprove(d.Actor, run, a, Limit{Nodes: 1}) // for as much as they will say
	}
	if rule.Allowed || !yes && d.Actor.Is(run.Requested.Actor) {
		return nil
	}
	err = Errorf(CodeDenied, "refused: %s", rule.Rule)
	e.refuse(ctx, Refused{Actor: d.Actor, Verb: string(verb), Run: d.Run, Rule: err.Error()})
	return err
}
