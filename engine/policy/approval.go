package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Who must give a reason: nobody, whoever denies, or everybody who answers.
const (
	ReasonNone   = ""
	ReasonOnDeny = "on_deny"
	ReasonAlways = "always"
)

// MaxApprovals bounds how many people the rules may ask for: more than that nobody finds at night.
const MaxApprovals = 10

// Terms are what a gate asks for. The zero Terms are those of somebody who asks for nothing.
type Terms struct {
	From    []string      // roles, one of which every approver has; empty: any that may approve
	Count   int           // distinct people who say yes; 0 is 1
	Expires time.Duration // how long to wait for them; 0: as long as the rules say
	Reason  string        // [ReasonNone], [ReasonOnDeny] or [ReasonAlways]
}

// Tighten is what holds at a gate when a playbook asks for own: of everything the stricter, so that a
// playbook never loosens the rules.
func (p *Policy) Tighten(own Terms) Terms {
	own.Count = max(own.Count, p.rules.Count)
	if own.Expires <= 0 || own.Expires > p.rules.Expires {
		own.Expires = p.rules.Expires
	}
	order := reasons()
	own.Reason = order[max(slices.Index(order, own.Reason), slices.Index(order, p.rules.Reason), 0)]
	return own
}

// reasons are the kinds of reasons, from the laxest.
func reasons() []string { return []string{ReasonNone, ReasonOnDeny, ReasonAlways} }

// DecideApproval says whether the yes of who counts at a gate for a playbook, in a run that requester
// asked for. With from, it has to rest on one of these roles.
func (p *Policy) DecideApproval(who, requester Subject, playbook string, from ...string) Decision {
	return p.AskApproval(Question{Who: who, Playbook: playbook}, requester, from...)
}

// AskApproval is DecideApproval with all the facts: Inputs are those of the run, and Nodes what is granted.
func (p *Policy) AskApproval(q Question, requester Subject, from ...string) Decision {
	q.Verb = Approve
	d := p.ask(q, from)
	if !d.Allowed && len(from) > 0 {
		if other := p.Ask(q); other.Allowed {
			return Decision{Rule: "this gate asks for somebody with the role " + Either(from) + ", and you approve with another role", By: other.Role}
		}
	}
	if d.Allowed && q.Who == requester && !p.rules.OwnApproval {
		return Decision{Rule: "you asked for this run, so somebody else has to approve it", By: d.Role}
	}
	return d
}

// Approvers lists the member ids that may approve the playbook, in the order of the rules. With from,
// only those of these roles.
func (p *Policy) Approvers(playbook string, from ...string) []string {
	return p.ApproversOf(Question{Playbook: playbook}, from...)
}

// ApproversOf lists the member ids whose yes counts for what is asked; Who is left open.
func (p *Policy) ApproversOf(q Question, from ...string) []string {
	return p.approving(q, from, func(r Role) []string { return r.Members })
}

// ApproverGroups lists the user groups whose members' yes counts for what is asked.
func (p *Policy) ApproverGroups(q Question, from ...string) []string {
	return p.approving(q, from, func(r Role) []string { return r.Groups })
}

// approving collects something of the roles that may approve, each once. Where it is said is asked when it is.
func (p *Policy) approving(q Question, from []string, of func(Role) []string) []string {
	var out []string
	for _, role := range p.roles {
		within := role.inputs(q) == "" && (role.MaxNodes == 0 || q.Nodes <= role.MaxNodes)
		if !role.grants(Approve) || !matchAny(role.Playbooks, q.Playbook) || !listed(role.Name, from) || !within {
			continue
		}
		for _, m := range of(role) {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}

// UnknownRole returns the first of these roles that the rules do not have, and a sentence that says so;
// both are empty when they have all.
func (p *Policy) UnknownRole(roles []string) (name, why string) {
	for _, name := range roles {
		if !slices.ContainsFunc(p.roles, func(r Role) bool { return r.Name == name }) {
			return name, fmt.Sprintf("the policy has no role %q", name)
		}
	}
	return "", ""
}

// Unmeetable says why no people can give what a gate for the playbook asks for, in a run that requester
// asked for; empty when they can. It is not about rules that let nobody approve: who is to approve may
// be added while a run waits.
func (p *Policy) Unmeetable(t Terms, requester Subject, playbook string) string {
	if _, why := p.UnknownRole(t.From); why != "" {
		return why + ", so nobody can approve with it"
	}
	if len(t.From) == 0 && t.Count <= 1 {
		return ""
	}
	people := p.Approvers(playbook, t.From...)
	if slices.Contains(people, "*") || len(p.ApproverGroups(Question{Playbook: playbook}, t.From...)) > 0 { // who is in a group may change
		return ""
	}
	if !p.rules.OwnApproval {
		people = slices.DeleteFunc(people, func(m string) bool { return Role{Members: []string{m}}.lists(requester) })
	}
	switch need := max(t.Count, 1); {
	case len(people) >= need:
		return ""
	case len(t.From) > 0:
		return fmt.Sprintf("it takes %d to approve it with the role %s, and %d can", need, Either(t.From), len(people))
	default:
		return fmt.Sprintf("it takes %d to approve it, and %d can", need, len(people))
	}
}

// Either joins names as people say them: a, b or c.
func Either(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
	return strings.Join(names, "")
}

// listed reports whether a role is one of those that count; without any all do.
func listed(role string, from []string) bool { return len(from) == 0 || slices.Contains(from, role) }
