package mcollective

import (
	"errors"
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
	name, err = postgresTag(name)
	return "^mcollective_agent_" + before + "(?:" + name + ")" + after + "_server$", err
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
