package doctor

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// policy looks for what nobody can have meant: questions that nobody may answer, patterns that match nothing.
func (s site) policy(_ context.Context, n *notes) {
	rules, err := s.cfg.Rules()
	if err != nil {
		n.skip("it cannot be read; see configuration")
		return
	}
	var books []*playbooks.Playbook
	if shelf, err := s.library(); err == nil { //nolint:contextcheck // literals are folded, nothing is waited for
		books = shelf.List()
	}
	types := app.Vocabulary(s.cfg.DataDir)
	p := policyCheck{notes: n, rules: rules, config: s.cfg.Policy, types: types, books: books, known: append(types.Names("task"), s.actions(books)...)}
	p.roles()
	p.approvals()
	p.gates()
	p.readOnly()
	switch asking := len(p.asking()); {
	case n.good() && asking > 0:
		n.ok("%s; of %s %d ask for approval, and somebody may give it", counted(len(s.cfg.Policy.Roles), "role"), counted(len(books), "playbook"), asking)
	case n.good():
		n.ok("%s; no playbook asks for approval", counted(len(s.cfg.Policy.Roles), "role"))
	}
}

// actions are all that are known, of playbooks and of DDLs.
func (s site) actions(books []*playbooks.Playbook) []string {
	var out []string
	if x, err := s.cfg.DDLs(); err == nil {
		for _, agent := range x.Agents() {
			for _, action := range x.Newest(agent).ActionNames() {
				out = append(out, agent+"."+action)
			}
		}
	}
	for _, b := range books {
		for _, t := range tasksOf(b) {
			out = append(out, actionsOf(t)...)
		}
	}
	return out
}

type policyCheck struct {
	*notes

	rules  *policy.Policy
	config app.PolicyConfig
	types  engine.Types
	books  []*playbooks.Playbook
	known  []string // what a pattern of gates can match
}

const rolesRemedy = "see policy.roles in docs/guide/operate.md"

func (p policyCheck) roles() {
	may := map[policy.Verb]bool{}
	for _, name := range sortedKeys(p.config.Roles) {
		r := p.config.Roles[name]
		if len(r.Members)+len(r.Groups) == 0 {
			p.warn("add Slack user ids to its members, or remove it", "role %q has no members", name)
		}
		if len(r.Playbooks) == 0 {
			p.warn(`give it playbooks, such as ["*"]`, "role %q is for no playbooks", name)
		}
		for _, pattern := range r.Playbooks {
			if len(p.books) > 0 && !slices.ContainsFunc(p.books, func(b *playbooks.Playbook) bool { return matches(pattern, b.Name) }) {
				p.warn("correct the pattern; `playbot check` lists the names of the playbooks", "role %q: %q matches no playbook", name, pattern)
			}
		}
		for _, v := range r.May {
			may[v] = may[v] || len(r.Members)+len(r.Groups) > 0 && len(r.Playbooks) > 0
		}
	}
	if !may[policy.Run] {
		p.broken("give a role may: [run], members and playbooks; "+rolesRemedy, "nobody may run anything")
	}
}

// approvals looks whether the questions of playbooks can be answered.
func (p policyCheck) approvals() {
	for _, b := range p.asking() {
		terms := p.rules.Tighten(policy.Terms{From: b.Approval.From, Count: b.Approval.Count})
		people := p.rules.Approvers(b.Name, terms.From...)
		why := p.rules.Unmeetable(terms, policy.Subject{}, b.Name)
		switch {
		case len(p.rules.ApproverGroups(policy.Question{Playbook: b.Name}, terms.From...)) > 0: // whose members nobody counts here
		case len(people) == 0:
			p.broken("give a role may: [approve] for it; "+rolesRemedy, "nobody may approve %s, which asks before it goes on", b.Name)
		case why != "":
			p.broken("let more people approve it, or ask for fewer; "+rolesRemedy, "%s cannot be approved: %s", b.Name, why)
		case len(people) == 1 && people[0] != "*" && p.alone(people[0], b.Name):
			p.warn("let somebody else approve, or run, it; or set policy.own_approval",
				"%s alone may approve %s, and not a run of their own", people[0], b.Name)
		}
	}
	if len(p.asking()) == 0 && !slices.ContainsFunc(sortedKeys(p.config.Roles), func(name string) bool {
		return slices.Contains(p.config.Roles[name].May, policy.Approve)
	}) {
		p.warn("give a role may: [approve]; "+rolesRemedy, "nobody may approve anything; no playbook asks so far")
	}
}

// alone reports whether somebody who approves may also run, and then needs another.
func (p policyCheck) alone(member, book string) bool {
	team, user, qualified := strings.Cut(member, "/")
	who := policy.Subject{Team: team, User: user}
	if !qualified {
		who = policy.Subject{User: member}
	}
	return !p.rules.OwnApproval() && p.rules.Decide(who, policy.Run, book).Allowed
}

// asking are the playbooks that ask before some task.
func (p policyCheck) asking() []*playbooks.Playbook {
	var out []*playbooks.Playbook
	for _, b := range p.books {
		if slices.ContainsFunc(tasksOf(b), func(t playbooks.Task) bool {
			_, gated := p.rules.Gate(namesOf(t, p.types)...)
			return t.Destructive || gated
		}) {
			out = append(out, b)
		}
	}
	return out
}

func (p policyCheck) gates() {
	for _, pattern := range p.config.Gates {
		if !slices.ContainsFunc(p.known, func(name string) bool { return matches(pattern, name) }) {
			p.warn("correct the pattern, or name the agent's DDL in choria.ddls",
				"policy.gates: %q matches no task type, and no action of a playbook or a DDL; it gates nothing that is known", pattern)
		}
	}
}

// readOnly looks for patterns by which a restart would repeat what a playbook calls destructive.
func (p policyCheck) readOnly() {
	for _, pattern := range p.config.ReadOnly {
		for _, b := range p.books {
			for _, t := range tasksOf(b) {
				for _, action := range actionsOf(t) {
					if t.Destructive && matches(pattern, action) {
						p.broken("narrow the pattern", "policy.read_only: %q calls %s harmless, which %s calls destructive: after a crash it would be repeated by itself",
							pattern, action, b.Name)
						return
					}
				}
			}
		}
	}
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}
