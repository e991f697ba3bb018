package engine

import (
	"context"

	"github.com/playbot/playbot/engine/policy"
)

// MayApprove says whether the yes of somebody counts at a gate of a run, for as much as they grant.
func (e *Engine) MayApprove(who Actor, r *Run, a *Approval, l Limit) policy.Decision {
	return e.mayApprove(who, r, a, l, a.Roles())
}

func (e *Engine) mayApprove(who Actor, r *Run, a *Approval, l Limit, from []string) policy.Decision {
	q := e.asked(who, About(policy.Approve, r))
	q.Nodes, q.Since = granted(a, l), since(a)
	return e.opts.Policy.AskApproval(q, subject(r.Requested.Actor), from...)
}

// mayRest says whether a yes that was given for the rest of a run counts at a later gate too.
func (p *performer) mayRest(g ApprovalGiven, asked *ApprovalAsked) bool {
	return p.engine.mayApprove(g.Actor, p.run, &Approval{ApprovalAsked: *asked}, Limit{}, []string{g.Role}).Allowed
}

// Approvers lists the ids whose yes counts at a gate, and the user groups whose members' does. A "*" is
// everybody. Nothing is said about where they have to stand, nor about who asked for the run.
func (e *Engine) Approvers(r *Run, a *Approval) (people, groups []string) {
	q := About(policy.Approve, r)
	q.Nodes = granted(a, Limit{})
	return e.opts.Policy.ApproversOf(q, a.Roles()...), e.opts.Policy.ApproverGroups(q, a.Roles()...)
}

// granted is how many nodes a yes lets be touched.
func granted(a *Approval, l Limit) int {
	n := len(a.Nodes)
	if l.Waves > 0 && l.Waves < len(a.Waves) {
		n = total(a.Waves[:l.Waves])
	}
	return least(n, l.Nodes)
}

// since is who was in which user group when a gate asked. A gate that kept none lets nobody in by a group: it
// is from before groups were kept, or no role had one.
func since(a *Approval) map[string][]string {
	if a.Groups == nil {
		return map[string][]string{}
	}
	return a.Groups
}

// groupsNow is who is in the user groups by which somebody may say yes. A group that nobody can look up now
// counts as empty for this gate.
func (p *performer) groupsNow(ctx context.Context, asked *ApprovalAsked) map[string][]string {
	q := About(policy.Approve, p.run)
	q.Nodes = 0 // who may approve a part counts too
	groups := p.engine.opts.Policy.ApproverGroups(q, circles(asked)...)
	if len(groups) == 0 || p.engine.opts.Directory == nil {
		return nil
	}
	out := make(map[string][]string, len(groups))
	for _, g := range groups {
		members, err := p.engine.opts.Directory.Members(ctx, g)
		if err != nil {
			p.engine.logger.WarnContext(ctx, "members of a user group cannot be looked up, so none may approve", "run", p.run.ID, "group", g, "error", err)
		}
		out[g] = members
	}
	return out
}
