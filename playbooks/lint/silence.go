package lint

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/playbot/playbot/playbooks"
)

func brokenSilencer() Rule {
	return Rule{
		ID: "broken-silencer", Severity: Warning,
		Reason: "Whoever reads the playbook next has to know why a rule does not hold here.",
		Remedy: "write # lint: allow RULE – why it is right here",
	}
}

func unusedSilencer() Rule {
	return Rule{
		ID: "unused-silencer", Severity: Advice,
		Reason: "It would hide the next mistake at this place.",
		Remedy: "remove it",
	}
}

// silencer is a comment that allows rules at a place.
type silencer struct {
	pos    playbooks.Pos
	rules  []string
	reason string
	from   int // first and last line for which it speaks
	to     int
	used   []string
}

var (
	allowance = regexp.MustCompile(`#\s*lint:\s*(.*)$`)
	allowed   = regexp.MustCompile(`^allow\s+([\w-]+(?:\s*,\s*[\w-]+)*)(.*)$`)
)

// silence takes out what silencers allow, and adds what is wrong with the silencers.
func (b *book) silence() {
	silencers := b.silencers()
	b.found = slices.DeleteFunc(b.found, func(f Finding) bool {
		for _, s := range silencers {
			if s.from <= f.Pos.Line && f.Pos.Line <= s.to && slices.Contains(s.rules, f.Rule) {
				s.used = append(s.used, f.Rule)
				return true
			}
		}
		return false
	})
	b.rule = unusedSilencer()
	for _, s := range silencers {
		for _, id := range s.rules {
			if !slices.Contains(s.used, id) {
				b.report(s.pos, "", "there is nothing here that %s would tell", id)
			}
		}
	}
}

// silencers reads those of the file that are complete, and reports the others.
func (b *book) silencers() []*silencer {
	if !bytes.Contains(b.Source, []byte("lint:")) {
		return nil
	}
	b.rule = brokenSilencer()
	var out []*silencer
	lines := strings.Split(string(b.Source), "\n")
	for _, c := range comments(lines) {
		m := allowance.FindStringSubmatch(c.text)
		if m == nil {
			continue
		}
		s := &silencer{pos: c.pos, from: c.pos.Line, to: c.pos.Line}
		if c.alone {
			s.to = below(lines, c.pos.Line)
		}
		if b.read(s, m[1]) {
			out = append(out, s)
		}
	}
	return out
}

// below is the first line behind a comment that is no comment itself.
func below(lines []string, line int) int {
	for line < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[line]), "#") {
		line++
	}
	return line + 1
}

// read reads what a silencer says, and reports what is wrong with it.
func (b *book) read(s *silencer, text string) bool {
	m := allowed.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		b.report(s.pos, "", "this comment is for lint, and does not say what it allows")
		return false
	}
	known := silenceable()
	for id := range strings.SplitSeq(m[1], ",") {
		if id = strings.TrimSpace(id); slices.Contains(known, id) {
			s.rules = append(s.rules, id)
			continue
		}
		remedy := "known: " + strings.Join(known, ", ")
		if near := playbooks.Nearest(id, known); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		b.report(s.pos, remedy, "there is no rule %q to allow", id)
	}
	s.reason = strings.TrimLeft(m[2], " \t–—-:")
	if !strings.ContainsFunc(s.reason, unicode.IsLetter) {
		b.report(s.pos, "", "nothing says why %s is allowed here", m[1])
		return false
	}
	return len(s.rules) > 0
}

func silenceable() []string {
	var out []string
	for _, r := range Rules() {
		if r.find != nil {
			out = append(out, r.ID)
		}
	}
	return out
}
