// Package filter decides which servers a filter selects, as the servers of Choria 0.30 decide it
// themselves: the simulated fleet, the fleets of `playbot test` and inventory files ask here. Where
// servers compare in ways that surprise, so does this package; engine/choria/realfleet holds it to them.
package filter

import (
	"encoding/json"
	"slices"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Server is what a filter looks at.
type Server struct {
	Identity string
	Agents   []string
	Classes  []string // as servers have them, in lower case
	Facts    json.RawMessage
}

// Matcher is a filter ready for use. Safe for concurrent use.
type Matcher struct {
	identities, agents, classes []word
	facts                       []comparison
	compounds                   []*compound
}

// New prepares a filter. An error names the compound expression that cannot be read: with it, no
// server answers. A regular expression that cannot be read matches nothing.
func New(f wire.Filter) (*Matcher, error) {
	m := &Matcher{}
	for _, s := range f.Identity {
		m.identities = append(m.identities, newWord(s, ""))
	}
	for _, s := range f.Agent {
		m.agents = append(m.agents, newWord(s, ""))
	}
	for _, s := range f.Class {
		m.classes = append(m.classes, newClass(s))
	}
	for _, fact := range f.Fact {
		m.facts = append(m.facts, newComparison(fact))
	}
	for _, c := range f.Compound {
		compound, err := newCompound(c)
		if err != nil {
			return nil, err
		}
		m.compounds = append(m.compounds, compound)
	}
	return m, nil
}

// MatchesName reports whether the filter's identities let a name pass; any does when there are none.
func (m *Matcher) MatchesName(identity string) bool {
	return len(m.identities) == 0 || slices.ContainsFunc(m.identities, func(w word) bool { return w.names(identity) })
}

// Matches reports whether a server would answer: everything must hold, and of the identities any one.
func (m *Matcher) Matches(s Server) bool {
	if !m.MatchesName(s.Identity) {
		return false
	}
	for _, a := range m.agents {
		if !slices.ContainsFunc(s.Agents, a.matches) {
			return false
		}
	}
	for _, c := range m.classes {
		if !slices.ContainsFunc(s.Classes, c.matches) {
			return false
		}
	}
	for _, f := range m.facts {
		if !f.holds(s.Facts) {
			return false
		}
	}
	for _, c := range m.compounds {
		if !c.holds(s) {
			return false
		}
	}
	return true
}
