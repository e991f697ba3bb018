package mcollective

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// pattern is the regular expression in a word that stands between slashes.
func pattern(word string) (string, bool) {
	if len(word) < 2 || word[0] != '/' || word[len(word)-1] != '/' {
		return "", false
	}
	return word[1 : len(word)-1], true
}

func validPattern(re string) error {
	_, err := regexp.Compile(re)
	return err
}

// portable refuses what servers and PuppetDB, whose patterns are PostgreSQL's, read differently. It
// expects an expression that compiles.
// https://www.postgresql.org/docs/current/functions-matching.html#POSIX-ESCAPE-SEQUENCES
func portable(re string) error {
	for i := 0; i < len(re); i++ {
		switch {
		case strings.HasPrefix(re[i:], "(?") && !strings.HasPrefix(re[i:], "(?:"):
			return errors.New("PuppetDB does not read (?…) as servers do; write (…) or (?:…); case does not count in classes and facts")
		case re[i] == '\\' && i+1 < len(re):
			i++
			if c := re[i]; isLetterOrDigit(c) && !strings.ContainsRune("dDsSwWtnrfvA", rune(c)) {
				return fmt.Errorf(`PuppetDB does not read \%c as servers do; write a set such as [a-z], or ^ and $`, c)
			}
		}
	}
	return nil
}

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// tagPattern finds the tags of the agents that an expression matches. The name of the agent stands in
// the middle of its tag, so ^ and $ can be kept only at the ends of the whole.
func tagPattern(re string) (string, error) {
	whole, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return "", err
	}
	name, before, after := re, ".*", ".*"
	if strings.HasPrefix(name, "^") {
		name, before = name[1:], ""
	}
	if strings.HasSuffix(name, "$") && !strings.HasSuffix(name, `\$`) {
		name, after = name[:len(name)-1], ""
	}
	inner, err := syntax.Parse(name, syntax.Perl)
	if err != nil || anchored(inner) || name != re && whole.Op == syntax.OpAlternate {
		return "", errors.New("with discovery_method: choria, ^ and $ stand at the ends of the whole expression for agents; write ^(a|b)$")
	}
	return "^mcollective_agent_" + before + "(?:" + name + ")" + after + "_server$", nil
}

// anchored reports whether an expression says anywhere that text begins or ends.
func anchored(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return true
	default:
	}
	return slices.ContainsFunc(re.Sub, anchored)
}
