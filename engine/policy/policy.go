// Package policy says who may do what. It is pure: rules in, decisions out, each naming the rule
// that decided. Nothing is allowed that no rule allows.
package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Verb is something a person may be allowed to do.
type Verb string

// The verbs. Whoever may do anything with a playbook may also view it, and whoever may cancel its runs may
// also steer them.
const (
	View    Verb = "view"
	Run     Verb = "run"
	Approve Verb = "approve"
	Steer   Verb = "steer" // pause and resume a run; send on, slow and stop its waves
	Cancel  Verb = "cancel"
)

// Rules is the policy as it is configured.
type Rules struct {
	Roles       []Role
	OwnApproval bool          // the requester may approve their own run
	Expires     time.Duration // how long an approval may take; 0 means [DefaultExpires]
	Count       int           // how many people must approve; 0 means 1
	Reason      string        // who must give a reason: [ReasonNone], [ReasonOnDeny] or [ReasonAlways]
	Gates       []string      // patterns of task types and actions that always ask: "shell", "*.upgrade"
	ReadOnly    []string      // patterns of actions that change nothing; nil means [DefaultReadOnly]
}

// Role gives people verbs on playbooks.
type Role struct {
	Name      string
	Members   []string // user ids, "team/user" where one id may exist in several teams; "*" is everybody
	May       []Verb
	Playbooks []string // patterns as of path.Match; empty means none
}

// DefaultExpires is how long an approval may take when the rules do not say.
const DefaultExpires = time.Hour

// DefaultReadOnly lists the actions that change nothing on a node.
func DefaultReadOnly() []string {
	return []string{
		"rpcutil.*", "puppet.status", "haproxy.status", "appmgr.status",
		"service.status", "package.status", "nrpe.*",
	}
}

// Subject is who asks, in ids.
type Subject struct {
	Team, User string
}

// Decision is an answer together with the rule it rests on.
type Decision struct {
	Allowed bool
	Rule    string
	Role    string // the role that allows it; empty when none does
}

// Policy answers questions about rules. It is immutable and safe for concurrent use.
type Policy struct {
	rules Rules
}

// New checks rules and returns a policy.
func New(rules Rules) (*Policy, error) {
	if rules.Expires == 0 {
		rules.Expires = DefaultExpires
	}
	if rules.Expires < time.Second {
		return nil, fmt.Errorf("policy: approvals must have at least one second, not %s", rules.Expires)
	}
	if rules.Count == 0 {
		rules.Count = 1
	}
	if rules.Count < 1 || rules.Count > MaxApprovals {
		return nil, fmt.Errorf("policy: an approval takes 1 to %d people, not %d", MaxApprovals, rules.Count)
	}
	if !slices.Contains(reasons(), rules.Reason) {
		return nil, fmt.Errorf("policy: unknown reason %q; use %s or %s, or leave it out", rules.Reason, ReasonOnDeny, ReasonAlways)
	}
	if rules.ReadOnly == nil {
		rules.ReadOnly = DefaultReadOnly()
	}
	for _, list := range [][]string{rules.Gates, rules.ReadOnly} {
		if err := checkPatterns(list); err != nil {
			return nil, err
		}
	}
	for _, role := range rules.Roles {
		if err := role.check(); err != nil {
			return nil, err
		}
	}
	return &Policy{rules: rules}, nil
}

func (r Role) check() error {
	if r.Name == "" {
		return fmt.Errorf("policy: a role has no name; give it one, such as \"deployer\"")
	}
	for _, v := range r.May {
		if !slices.Contains([]Verb{View, Run, Approve, Steer, Cancel}, v) {
			return fmt.Errorf("policy: role %q: unknown verb %q; use view, run, approve, steer or cancel", r.Name, v)
		}
	}
	return checkPatterns(r.Playbooks)
}

func checkPatterns(list []string) error {
	for _, p := range list {
		if _, err := path.Match(p, "x"); err != nil {
			return fmt.Errorf("policy: pattern %q: %w; use * and ? and [a-z]", p, err)
		}
	}
	return nil
}

// Decide says whether who may do verb with the playbook.
func (p *Policy) Decide(who Subject, verb Verb, playbook string) Decision {
	return p.decide(who, verb, playbook, nil)
}

// decide counts only the roles in from; all when there are none.
func (p *Policy) decide(who Subject, verb Verb, playbook string, from []string) Decision {
	known := false
	for _, role := range p.rules.Roles {
		if !role.has(who) {
			continue
		}
		known = true
		if role.grants(verb) && matchAny(role.Playbooks, playbook) && listed(role.Name, from) {
			return Decision{Allowed: true, Rule: fmt.Sprintf("role %s may %s %s", role.Name, verb, playbook), Role: role.Name}
		}
	}
	if !known {
		return Decision{Rule: "you have no role here; ask an administrator to add you to one in the configuration"}
	}
	return Decision{Rule: fmt.Sprintf("none of your roles may %s %s", verb, playbook)}
}

// OwnApproval reports whether requesters may approve what they asked for.
func (p *Policy) OwnApproval() bool { return p.rules.OwnApproval }

// Roles lists the names of the roles that who has.
func (p *Policy) Roles(who Subject) []string {
	var out []string
	for _, role := range p.rules.Roles {
		if role.has(who) {
			out = append(out, role.Name)
		}
	}
	return out
}

// Gate says whether the rules make every such task ask first, and by which pattern. names are the
// task type and the action.
func (p *Policy) Gate(names ...string) (rule string, gated bool) {
	for _, pattern := range p.rules.Gates {
		for _, n := range names {
			if n != "" && match(pattern, n) {
				return fmt.Sprintf("policy gates %q", pattern), true
			}
		}
	}
	return "", false
}

// ReadOnly says whether the rules list an action as changing nothing.
func (p *Policy) ReadOnly(action string) bool { return matchAny(p.rules.ReadOnly, action) }

// Expires is how long an approval may take.
func (p *Policy) Expires() time.Duration { return p.rules.Expires }

func (r Role) has(who Subject) bool {
	return slices.ContainsFunc(r.Members, func(m string) bool {
		team, user, qualified := strings.Cut(m, "/")
		if qualified {
			return team == who.Team && user == who.User
		}
		return m == "*" || m == who.User
	})
}

// grants includes viewing in every other verb, and steering in cancelling: who may end a run may hold it.
func (r Role) grants(verb Verb) bool {
	return slices.Contains(r.May, verb) || verb == View && len(r.May) > 0 || verb == Steer && slices.Contains(r.May, Cancel)
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

func match(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
