package app

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// PolicyConfig says who may do what; see docs/guide/policy.md.
type PolicyConfig struct {
	OwnApproval     bool                  `yaml:"own_approval,omitempty"`
	ApprovalExpires time.Duration         `yaml:"approval_expires,omitempty"`
	Approvals       int                   `yaml:"approvals,omitempty"`       // how many people must approve; default 1
	ApprovalReason  string                `yaml:"approval_reason,omitempty"` // who must give a reason: on_deny or always; default nobody
	Gates           []string              `yaml:"gates,omitempty"`
	ReadOnly        []string              `yaml:"read_only,omitempty"`
	MaxRuns         int                   `yaml:"max_runs,omitempty"`        // how many runs of one person may be under way; default [DefaultMaxRuns]
	SharedChannels  bool                  `yaml:"shared_channels,omitempty"` // commands count in channels that are shared with other companies
	Roles           map[string]RoleConfig `yaml:"roles,omitempty"`

	problems []*playbooks.Problem // that were found when it was read
}

// RoleConfig gives people verbs on playbooks, within bounds; see [policy.Role].
type RoleConfig struct {
	Members   []string                 `yaml:"members,omitempty"`
	Groups    []string                 `yaml:"groups,omitempty"` // ids of user groups of Slack
	May       []policy.Verb            `yaml:"may,omitempty"`
	Playbooks []string                 `yaml:"playbooks,omitempty"`
	Inputs    map[string]policy.Values `yaml:"inputs,omitempty"`
	Channels  []string                 `yaml:"channels,omitempty"`
	MaxNodes  int                      `yaml:"max_nodes,omitempty"`
	MaxRuns   int                      `yaml:"max_runs,omitempty"`

	Pos    playbooks.Pos            `yaml:"-"` // in the file; zero when it is from none
	inputs map[string]playbooks.Pos // where each of Inputs stands
}

// DefaultMaxRuns is how many runs of one person may be under way when the configuration does not say: far more
// than anybody looks after, and few enough that nobody fills the store.
const DefaultMaxRuns = 100

// PolicyError is everything that is wrong with a policy, in the order of the file.
type PolicyError struct{ List []*playbooks.Problem }

// Error implements error: a line for each problem.
func (e *PolicyError) Error() string {
	lines := make([]string, len(e.List))
	for i, p := range e.List {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as errors.
func (e *PolicyError) Unwrap() []error {
	out := make([]error, len(e.List))
	for i, p := range e.List {
		out[i] = p
	}
	return out
}

// wrong is what is wrong with a policy that was read; nil when nothing is.
func (c *PolicyConfig) wrong() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &PolicyError{List: c.problems}
}

// inFile adds the file and its lines to what is wrong.
func (c *PolicyConfig) inFile(path string, data []byte) {
	slices.SortStableFunc(c.problems, func(a, b *playbooks.Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	lines := strings.Split(string(data), "\n")
	for _, p := range c.problems {
		p.File = path
		if n := p.Pos.Line; n > 0 && n <= len(lines) {
			p.Line = strings.TrimRight(lines[n-1], "\r")
		}
	}
}

// Render shows every problem with its line and a caret.
func (e *PolicyError) Render() string {
	var b strings.Builder
	for _, p := range e.List {
		b.WriteString(p.Render())
	}
	return b.String()
}

// UnmarshalYAML implements yaml.Unmarshaler. What is wrong is kept for [Read], which tells it together with
// what is wrong elsewhere.
func (c *PolicyConfig) UnmarshalYAML(n *yaml.Node) error {
	r := &policyReader{}
	r.mapping(n, "policy", map[string]func(string, *yaml.Node){
		"own_approval":     func(k string, v *yaml.Node) { r.scalar(v, k, "true or false", &c.OwnApproval) },
		"shared_channels":  func(k string, v *yaml.Node) { r.scalar(v, k, "true or false", &c.SharedChannels) },
		"approval_expires": func(k string, v *yaml.Node) { r.scalar(v, k, "a time, such as 30s or 5m", &c.ApprovalExpires) },
		"approvals":        func(k string, v *yaml.Node) { r.number(v, k, policy.MaxApprovals, &c.Approvals) },
		"max_runs":         func(k string, v *yaml.Node) { r.number(v, k, maxLimit, &c.MaxRuns) },
		"approval_reason": func(k string, v *yaml.Node) {
			c.ApprovalReason = r.oneOf(v, k, policy.ReasonOnDeny, policy.ReasonAlways)
		},
		"gates":     func(k string, v *yaml.Node) { c.Gates = r.patterns(v, k) },
		"read_only": func(k string, v *yaml.Node) { c.ReadOnly = r.patterns(v, k) },
		"roles":     func(k string, v *yaml.Node) { c.Roles = r.roles(v, k) },
	})
	c.problems = r.problems
	return nil
}

// Rules is the policy of the configuration.
func (c *Config) Rules() (*policy.Policy, error) {
	p := c.Policy
	if err := p.wrong(); err != nil {
		return nil, err
	}
	rules := policy.Rules{
		OwnApproval: p.OwnApproval, Expires: p.ApprovalExpires, Count: p.Approvals, Reason: p.ApprovalReason,
		Gates: p.Gates, ReadOnly: p.ReadOnly, MaxRuns: p.MaxRuns, AnyChannel: p.SharedChannels,
	}
	if rules.MaxRuns == 0 {
		rules.MaxRuns = DefaultMaxRuns
	}
	for _, name := range sortedKeys(p.Roles) {
		rules.Roles = append(rules.Roles, p.Roles[name].role(name, c.file))
	}
	return policy.New(rules)
}

func (r RoleConfig) role(name, file string) policy.Role {
	out := policy.Role{
		Name: name, Members: r.Members, Groups: r.Groups, May: r.May, Playbooks: r.Playbooks,
		Inputs: r.Inputs, Channels: r.Channels, MaxNodes: r.MaxNodes, MaxRuns: r.MaxRuns,
	}
	if file != "" && r.Pos.Line > 0 {
		out.Where = fmt.Sprintf("%s:%d", filepath.Base(file), r.Pos.Line)
	}
	return out
}
