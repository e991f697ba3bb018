package lint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/playbot/playbot/playbooks"
)

// Policy says what always asks first and what only reads. *policy.Policy is one.
type Policy interface {
	Gate(names ...string) (rule string, gated bool)
	ReadOnly(action string) bool
}

// Types says which types are deprecated: what to use instead, or "". kind is "task", "nodes" or
// "data_stores", as in [playbooks.Vocabulary].
type Types interface {
	Deprecated(kind, typ string) string
}

// Roles says which roles there are: the first of some that there is not, with a sentence. *policy.Policy is one.
type Roles interface {
	UnknownRole(roles []string) (name, why string)
}

// Options are what lint knows of the house around the playbooks.
type Options struct {
	Policy Policy // nil: nothing is gated by policy, and nothing is known to be read-only
	Types  Types  // nil: nothing is deprecated
	Roles  Roles  // nil: any role may exist
}

// Linter checks playbooks against every rule. It is immutable and safe for concurrent use.
type Linter struct {
	options Options
	rules   []Rule
}

// New returns a linter.
func New(o Options) *Linter { return &Linter{options: o, rules: Rules()} }

// Finding is something that a rule found.
type Finding struct { //nolint:errname // finding is the word for it in files, chat and docs
	playbooks.Problem

	Rule     string
	Severity Severity
}

// Render is the finding with its line and a caret.
func (f *Finding) Render() string {
	p := f.Problem
	p.Message = fmt.Sprintf("%s [%s]: %s", f.Severity, f.Rule, p.Message)
	return p.Render()
}

// Check returns what the rules find in a playbook and no silencer allows, by place. No secret that
// was found is in it.
func (l *Linter) Check(p *playbooks.Playbook) []Finding {
	b := newBook(p, l.options)
	for _, r := range l.rules {
		if r.find != nil {
			b.rule = r
			r.find(b)
		}
	}
	b.silence()
	slices.SortStableFunc(b.found, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Pos.Line, y.Pos.Line), cmp.Compare(x.Pos.Column, y.Pos.Column),
			cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Message, y.Message))
	})
	// What an anchor holds is found wherever it is merged.
	b.found = slices.CompactFunc(b.found, func(x, y Finding) bool {
		return x.Pos == y.Pos && x.Rule == y.Rule && x.Message == y.Message
	})
	b.mask()
	return b.found
}
