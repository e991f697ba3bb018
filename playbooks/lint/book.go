package lint

import (
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// book is a playbook while the rules look at it.
type book struct {
	*playbooks.Playbook

	options Options
	tasks   []playbooks.PlacedTask
	refs    playbooks.References
	rule    Rule // whose turn it is
	found   []Finding
	natures map[*playbooks.Task]nature
	verbs   map[string]bool
	hidden  map[int]int // by line: the column from which on it holds a secret
}

func newBook(p *playbooks.Playbook, o Options) *book {
	return &book{
		Playbook: p, options: o, tasks: p.AllTasks(), refs: p.References(),
		natures: make(map[*playbooks.Task]nature), verbs: verbs(), hidden: make(map[int]int),
	}
}

// report records a finding of the rule whose turn it is. An empty remedy means the rule's own.
func (b *book) report(pos playbooks.Pos, remedy, format string, args ...any) {
	if remedy == "" {
		remedy = b.rule.Remedy
	}
	b.found = append(b.found, Finding{
		Problem: *b.ProblemAt(pos, remedy, format, args...), Rule: b.rule.ID, Severity: b.rule.Severity,
	})
}

// hide keeps what stands at a place and behind it in its line out of every finding.
func (b *book) hide(pos playbooks.Pos) {
	if at, ok := b.hidden[pos.Line]; !ok || pos.Column < at {
		b.hidden[pos.Line] = pos.Column
	}
}

func (b *book) mask() {
	for i := range b.found {
		f := &b.found[i]
		f.Line = Mask(f.Line)
		if at, ok := b.hidden[f.Pos.Line]; ok {
			line := []rune(f.Line)
			f.Line = string(line[:min(at-1, len(line))]) + strings.Repeat("•", 3)
		}
	}
}

// gated reports whether a task asks first, by itself or by policy.
func (b *book) gated(t *playbooks.Task) bool {
	if t.Destructive {
		return true
	}
	if b.options.Policy == nil {
		return false
	}
	_, gated := b.options.Policy.Gate(t.PolicyNames()...)
	return gated
}

// count is a whole number that stands in the file; otherwise what is given.
func count(v playbooks.Value, otherwise int) int {
	if data, ok := v.Literal(); ok && !v.IsZero() {
		if n, isNumber := data.(int); isNumber {
			return n
		}
	}
	return otherwise
}

// literal is a text that stands in the file; "" when there is none, or it holds a template.
func literal(v playbooks.Value) string {
	if _, ok := v.Literal(); !ok {
		return ""
	}
	return v.Source()
}

func isMcollective(typ string) bool {
	return slices.Contains([]string{"mcollective", "choria", "rpc"}, typ)
}
