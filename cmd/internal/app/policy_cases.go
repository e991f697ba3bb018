package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// PolicyCases are the tests that the owner of a policy wrote; see docs/guide/policy.md.
type PolicyCases struct {
	File   string
	Config string // the configuration that they are about; empty when the file names none
	Cases  []PolicyCase
}

// PolicyCase is a question to the policy with the answer that is wanted.
type PolicyCase struct {
	Name      string
	Pos       playbooks.Pos
	Question  policy.Question
	Requester policy.Subject // of the run that an approval is about
	From      []string       // roles that the gate asks for
	Allowed   bool
	By        string // the role whose rule must decide; empty: any
	Because   string // what the sentence must say; empty: anything
}

// maxCases bounds a file of cases, in bytes.
const maxCases = 1 << 20

// ReadPolicyCases reads a file of cases. The error may be a *[PolicyError] with everything that is wrong.
func ReadPolicyCases(path string) (*PolicyCases, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the cases of a policy: %w", err)
	}
	out := &PolicyCases{File: path}
	r := &policyReader{}
	if n := r.document(path, data); n != nil {
		r.mapping(n, "the file", map[string]func(string, *yaml.Node){
			"config": func(k string, v *yaml.Node) { r.scalar(v, k, "the name of a file", &out.Config) },
			"cases":  func(_ string, v *yaml.Node) { out.Cases = r.cases(v) },
		})
		if len(out.Cases)+len(r.problems) == 0 {
			r.problem(n, "write cases: with a list of them", "the file holds no case")
		}
	}
	if out.Config != "" && !filepath.IsAbs(out.Config) {
		out.Config = filepath.Join(filepath.Dir(path), out.Config)
	}
	found := PolicyConfig{problems: r.problems}
	found.inFile(path, data)
	return out, found.wrong()
}

// document is the one document of a file; nil when it cannot be read.
func (r *policyReader) document(path string, data []byte) *yaml.Node {
	top := &yaml.Node{Line: 1, Column: 1}
	if len(data) > maxCases {
		r.problem(top, "split it", "the file has %d bytes; a file of cases has at most %d", len(data), maxCases)
		return nil
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		r.problem(top, "write cases: with a list of them", "the file is empty")
		return nil
	case err != nil:
		r.problems = append(r.problems, playbooks.SyntaxProblem(path, data, err))
		return nil
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		r.problem(top, "put each into a file of its own", "the file holds more than one document")
		return nil
	}
	return doc.Content[0]
}

func (r *policyReader) cases(n *yaml.Node) []PolicyCase {
	n = whole(n)
	if n.Kind != yaml.SequenceNode {
		r.problem(n, "begin each with a dash", "cases must be a list, not %s", kindOf(n))
		return nil
	}
	out := make([]PolicyCase, 0, len(n.Content))
	for _, item := range n.Content {
		out = append(out, r.policyCase(item))
	}
	return out
}

func (r *policyReader) policyCase(n *yaml.Node) PolicyCase {
	c := PolicyCase{Pos: posOf(whole(n))}
	var who, requester, verb, expect string
	q, before := &c.Question, len(r.problems)
	text := func(into *string) func(string, *yaml.Node) {
		return func(k string, v *yaml.Node) { r.scalar(v, k, "text", into) }
	}
	limit := func(into *int) func(string, *yaml.Node) {
		return func(k string, v *yaml.Node) { r.number(v, k, maxLimit, into) }
	}
	r.mapping(n, "a case", map[string]func(string, *yaml.Node){
		"name": text(&c.Name), "who": text(&who), "playbook": text(&q.Playbook), "channel": text(&q.Place.Channel),
		"requester": text(&requester), "by": text(&c.By), "because": text(&c.Because), "nodes": limit(&q.Nodes), "runs": limit(&q.Active),
		"verb":   func(k string, v *yaml.Node) { verb = r.oneOf(v, k, verbNames()...) },
		"expect": func(k string, v *yaml.Node) { expect = r.oneOf(v, k, "allowed", "denied") },
		"groups": func(_ string, v *yaml.Node) { q.In = r.groups(v, "a case") },
		"from":   func(k string, v *yaml.Node) { c.From, _ = r.texts(v, k) },
		"shared": func(k string, v *yaml.Node) { r.scalar(v, k, "true or false", &q.Place.Shared) },
		"inputs": func(k string, v *yaml.Node) { r.scalarMap(v, k, &q.Inputs) },
	})
	for _, must := range [][2]string{{"who", who}, {"verb", verb}, {"playbook", q.Playbook}, {"expect", expect}} {
		if must[1] == "" && len(r.problems) == before {
			r.problem(n, "a case names who, verb, playbook and expect", "the case has no %s", must[0])
		}
	}
	q.Who, c.Requester, q.Verb, c.Allowed = person(who), person(requester), policy.Verb(verb), expect == "allowed"
	if c.Name == "" {
		c.Name = strings.TrimSpace(fmt.Sprintf("%s %s %s", who, verb, q.Playbook))
	}
	return c
}

func (r *policyReader) scalarMap(n *yaml.Node, what string, into *map[string]any) {
	if err := whole(n).Decode(into); err != nil {
		r.problem(n, "write NAME: VALUE", "%s is %s", what, shown(whole(n)))
	}
}

// person reads an id as the members of roles have them: USER, or TEAM/USER.
func person(id string) policy.Subject {
	if team, user, qualified := strings.Cut(id, "/"); qualified {
		return policy.Subject{Team: team, User: user}
	}
	return policy.Subject{User: id}
}

func verbNames() []string {
	out := make([]string, 0, len(policy.Verbs()))
	for _, v := range policy.Verbs() {
		out = append(out, string(v))
	}
	return out
}

// PolicyResult is how a case went.
type PolicyResult struct {
	Case     PolicyCase
	Decision policy.Decision
	Wrong    []string // what is not as it was wanted; none when the case passed
}

// Test asks the policy. Cases about playbooks that are known have their defaults, as a run would.
func (c *PolicyCases) Test(rules *policy.Policy, books []*playbooks.Playbook) []PolicyResult {
	out := make([]PolicyResult, len(c.Cases))
	for i, one := range c.Cases {
		out[i] = one.test(rules, books)
	}
	return out
}

func (c PolicyCase) test(rules *policy.Policy, books []*playbooks.Playbook) PolicyResult {
	r := PolicyResult{Case: c}
	q := c.Question
	if why := withDefaults(&q, books); why != "" {
		r.Wrong = append(r.Wrong, why)
		return r
	}
	if q.Verb == policy.Approve {
		r.Decision = rules.AskApproval(q, c.Requester, c.From...)
	} else {
		r.Decision = rules.Ask(q)
	}
	d := r.Decision
	if d.Allowed != c.Allowed {
		r.Wrong = append(r.Wrong, fmt.Sprintf("want %s, got %s", verdict(c.Allowed), verdict(d.Allowed)))
	}
	if c.By != "" && d.By != c.By {
		r.Wrong = append(r.Wrong, fmt.Sprintf("want by role %q, got %s", c.By, byWhom(d)))
	}
	if c.Because != "" && !strings.Contains(d.Rule, c.Because) {
		r.Wrong = append(r.Wrong, fmt.Sprintf("want because %q", c.Because))
	}
	return r
}

// withDefaults adds to the inputs of a question what a run of the playbook would have; empty, or why the
// question makes no sense.
func withDefaults(q *policy.Question, books []*playbooks.Playbook) string {
	i := slices.IndexFunc(books, func(b *playbooks.Playbook) bool { return b.Name == q.Playbook })
	if i < 0 {
		var names []string
		for _, b := range books {
			names = append(names, b.Name)
		}
		if near := playbooks.Nearest(q.Playbook, names); near != "" {
			return fmt.Sprintf("there is no playbook %q; did you mean %q?", q.Playbook, near)
		}
		if len(books) > 0 {
			return fmt.Sprintf("there is no playbook %q among those of the configuration", q.Playbook)
		}
		return ""
	}
	if q.Inputs == nil {
		return ""
	}
	loose := *books[i]
	loose.Inputs = slices.Clone(loose.Inputs)
	for j := range loose.Inputs {
		loose.Inputs[j].Required = false
	}
	bound, err := loose.Bind(q.Inputs, false)
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	for _, in := range loose.Inputs {
		if in.Secret() { // the door shows the policy none either
			delete(bound, in.Name)
		}
	}
	q.Inputs = bound
	return ""
}

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}

func byWhom(d policy.Decision) string {
	if d.By == "" {
		return "by no role"
	}
	return fmt.Sprintf("role %q", d.By)
}

// Untested lists what roles may, of which no case says that it is allowed: "approvers may approve".
func (c *PolicyConfig) Untested(results []PolicyResult) []string {
	var out []string
	for _, name := range sortedKeys(c.Roles) {
		for _, v := range c.Roles[name].May {
			if !slices.ContainsFunc(results, func(r PolicyResult) bool {
				return r.Decision.Role == name && r.Case.Question.Verb == v && r.Case.Allowed
			}) {
				out = append(out, fmt.Sprintf("%s may %s", name, v))
			}
		}
	}
	return out
}
