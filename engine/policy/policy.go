// Package policy says who may do what. It is pure: rules in, decisions out, each naming the rule
// that decided. Nothing is allowed that no rule allows.
package policy

import (
	"fmt"
	"path"
	"slices"
	"time"
)

// Verb is something a person may be allowed to do.
type Verb string

// The verbs. Whoever may do anything with a playbook may also view it, whoever may cancel its runs may also
// steer them, and whoever may run it may also plan. Nothing else is part of another verb: [BreakGlass], above
// all, is nobody's until a role names it.
const (
	View       Verb = "view"
	Plan       Verb = "plan" // see what a run would do, without touching anything
	Run        Verb = "run"
	Approve    Verb = "approve"
	Steer      Verb = "steer" // pause and resume a run; send on, slow and stop its waves
	Cancel     Verb = "cancel"
	Release    Verb = "release"     // give back a lock that a run has left
	Freeze     Verb = "freeze"      // refuse new runs for a time, and end that again
	Audit      Verb = "audit"       // read who did and was refused what
	BreakGlass Verb = "break_glass" // what freezes and gates forbid, in an emergency
)

// Verbs lists every verb.
func Verbs() []Verb {
	return []Verb{View, Plan, Run, Approve, Steer, Cancel, Release, Freeze, Audit, BreakGlass}
}

// Rules is the policy as it is configured.
type Rules struct {
	Roles       []Role
	OwnApproval bool          // the requester may approve their own run
	Expires     time.Duration // how long an approval may take; 0 means [DefaultExpires]
	Count       int           // how many people must approve; 0 means 1
	Reason      string        // who must give a reason: [ReasonNone], [ReasonOnDeny] or [ReasonAlways]
	Gates       []string      // patterns of task types and actions that always ask: "shell", "*.upgrade"
	ReadOnly    []string      // patterns of actions that change nothing; nil means [DefaultReadOnly]
	MaxRuns     int           // how many runs of one person may be under way; 0: any number
	AnyChannel  bool          // channels that are shared with other companies count like all others
}

// Role gives people verbs on playbooks, and says within which bounds.
type Role struct {
	Name      string
	Where     string   // its place in a file, for refusals; may be empty
	Members   []string // user ids, "team/user" where one id may exist in several teams; "*" is everybody
	Groups    []string // ids of user groups, whose members are members too
	May       []Verb
	Playbooks []string // patterns as of path.Match; empty means none

	// What follows only narrows. None of it bounds viewing.
	Inputs   map[string]Values // what inputs must be; a run without such an input is outside
	Channels []string          // where it must be said: ids of channels, [Direct], [Terminal]; empty: anywhere
	MaxNodes int               // how many nodes a run, or what is approved, may touch; 0: any number
	MaxRuns  int               // how many runs of one person may be under way; 0: any number
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

// Policy answers questions about rules. It is immutable and safe for concurrent use.
type Policy struct {
	rules Rules  // without the places of the roles, which say nothing of what is decided
	roles []Role // with them
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
	if rules.MaxRuns < 0 {
		return nil, fmt.Errorf("policy: %d runs of one person make no sense; give 1 or more, or leave it out", rules.MaxRuns)
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
		if err := role.Check(); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
	}
	p := &Policy{rules: rules, roles: rules.Roles}
	p.rules.Roles = slices.Clone(rules.Roles)
	for i := range p.rules.Roles {
		p.rules.Roles[i].Where = ""
	}
	return p, nil
}

func checkPatterns(list []string) error {
	for _, p := range list {
		if err := CheckPattern(p); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	return nil
}

// CheckPattern is an error when a pattern of names cannot be read.
func CheckPattern(p string) error {
	if _, err := path.Match(p, "x"); err != nil {
		return fmt.Errorf("pattern %q: %w; use * and ? and [a-z]", p, err)
	}
	return nil
}

// OwnApproval reports whether requesters may approve what they asked for.
func (p *Policy) OwnApproval() bool { return p.rules.OwnApproval }

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

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

func match(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
