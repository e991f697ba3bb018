package mcollective

import (
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/playbooks"
)

func (s *source) check(p *playbooks.Properties) {
	if p.Deferred("discovery_method") {
		p.Has("discovery_options") // what a set may have is known when the method is
		return
	}
	s.unavailable(p)
	for _, flaw := range s.filter.Flaws(s.method == inventoryFile) {
		p.Problem(flaw.Key, "%v", flaw.Err)
	}
	if s.method == choriaDB {
		s.checkPortable(p)
	}
	templates{p}.check(s.filter)
	s.list = readList(p, s.method, s.from.Dir)
	if (s.method == broadcast || s.method == choriaDB) && len(s.filter.Agents) == 0 && !p.Deferred("agents") {
		s.filter.Agents = []string{"rpcutil"} // 2017's default
	}
}

// unavailable refuses filters that a method does not know.
func (s *source) unavailable(p *playbooks.Properties) {
	if s.method == choriaDB && p.Has("compound") {
		p.Remedy("compound", "use classes, facts and identities, which must all hold, or discovery_method: mc, or type: pql", "PuppetDB does not know compound filters")
		s.filter.Compound = ""
	}
	if s.method == flatFile {
		for _, key := range []string{"agents", "classes", "facts", "compound"} {
			if p.Has(key) {
				p.Remedy(key, "use identities, or discovery_method: inventory", "a flat file lists names and says nothing about %s", key)
			}
		}
	}
	if s.method != inventoryFile && slices.ContainsFunc(s.filter.Identities, func(w string) bool { return strings.HasPrefix(w, "group:") }) {
		p.Remedy("identities", "use discovery_method: inventory", "groups are those of an inventory file")
	}
	if (s.method == broadcast || s.method == choriaDB) && p.Has("discovery_options") {
		p.Remedy("discovery_options", "remove it, or use discovery_method: flatfile or inventory", "discovery_method: %s has no options", s.method)
	}
}

// checkPortable refuses what servers and PuppetDB would read differently. What neither can read was told.
func (s *source) checkPortable(p *playbooks.Properties) {
	for _, list := range []struct {
		key   string
		words []string
	}{{"agents", s.filter.Agents}, {"classes", s.filter.Classes}, {"identities", s.filter.Identities}} {
		for _, w := range list.words {
			checkNUL(p, list.key, w)
			re, isPattern := pattern(w)
			if isPattern && validPattern(re) != nil {
				continue
			}
			var err error
			if list.key == "agents" {
				_, err = agent(w)
			} else if isPattern {
				_, err = postgres(re)
			}
			if err != nil {
				p.Problem(list.key, "%s: %v", w, err)
			}
		}
	}
	for _, text := range s.filter.Facts {
		checkNUL(p, "facts", text)
		fact, err := choria.ParseFact(text)
		if err != nil || fact.Operator == "=~" && validPattern(strings.Trim(fact.Value, "/")) != nil {
			continue
		}
		if _, err := factPath(fact.Fact); err != nil {
			p.Problem("facts", "%v", err)
		}
		if _, err := comparison("facts.x", fact.Operator, fact.Value); err != nil {
			p.Problem("facts", "%q: %v", text, err)
		}
	}
}

// checkNUL refuses text that no fact can hold: PuppetDB's database would fail.
func checkNUL(p *playbooks.Properties, key, text string) {
	if strings.ContainsRune(text, 0) {
		p.Remedy(key, "leave it out", "PuppetDB cannot be asked for %q, which holds a NUL character", text)
	}
}
