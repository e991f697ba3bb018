package filter

import (
	"regexp"
	"strings"
)

// word is the name of an agent, a class or a server, or a regular expression between slashes.
type word struct {
	text      string // without slashes
	isPattern bool
	re        *regexp.Regexp // nil: a pattern that cannot be read
}

// newWord reads a word; flags stand before its pattern.
func newWord(s, flags string) word {
	if !isPattern(s) {
		return word{text: s}
	}
	text := strings.TrimSuffix(strings.TrimPrefix(s, "/"), "/")
	re, err := regexp.Compile(flags + text)
	if err != nil {
		re = nil
	}
	return word{text: text, isPattern: true, re: re}
}

// newClass reads a class: its case does not count, and servers have them in lower case.
func newClass(s string) word {
	w := newWord(s, "(?i)")
	if !w.isPattern {
		w.text = strings.ToLower(s)
	}
	return w
}

func (w word) matches(have string) bool {
	if w.isPattern {
		return w.re != nil && w.re.MatchString(have)
	}
	return w.text == have
}

// names is matches for the identity of a server, which may also be a pattern's very text.
func (w word) names(identity string) bool { return w.matches(identity) || w.text == identity }
