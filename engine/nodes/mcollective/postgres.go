package mcollective

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// maxRepeat is the largest number in braces that PostgreSQL reads.
// https://www.postgresql.org/docs/current/functions-matching.html#POSIX-SYNTAX-DETAILS
const maxRepeat = 255

// postgres writes a regular expression so that PostgreSQL, with which PuppetDB matches, reads in it what
// servers do. The two differ in what a dot is, in which letters are the same without case, in \w, and
// in the grammar; so every part is written out: letters without case as [aA], and sets as their ranges.
func postgres(re string) (string, error) { return write(re, false) }

// postgresTag is postgres for tags. PuppetDB makes the pattern lower case as it stands, and \S of it \s,
// so nothing that this would change is written; tags are in lower case anyway.
func postgresTag(re string) (string, error) { return write(re, true) }

func write(re string, tag bool) (string, error) {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return "", err
	}
	w := &writer{tag: tag}
	err = w.pattern(tree)
	return w.String(), err
}

// writer writes a pattern for PostgreSQL.
type writer struct {
	strings.Builder

	tag bool
}

// nothing is what no tag holds.
const nothing = "\n"

// inTags are the ranges of what tags are made of, and more, without letters that have a lower case.
func inTags() []rune { return []rune{' ', '@', '[', '~'} }

func (w *writer) pattern(re *syntax.Regexp) error {
	switch re.Op {
	case syntax.OpEmptyMatch:
		w.WriteString("(?:)")
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			w.rune(r, re.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass:
		return w.set(re.Rune)
	case syntax.OpAnyCharNotNL:
		w.WriteString("[^\n]")
	case syntax.OpAnyChar:
		w.WriteString(".") // to PostgreSQL it is any
	case syntax.OpBeginText:
		w.WriteString("^")
	case syntax.OpEndText:
		w.WriteString("$")
	case syntax.OpCapture:
		return w.group(re.Sub[0], "")
	case syntax.OpStar:
		return w.group(re.Sub[0], "*")
	case syntax.OpPlus:
		return w.group(re.Sub[0], "+")
	case syntax.OpQuest:
		return w.group(re.Sub[0], "?")
	case syntax.OpRepeat:
		return w.repeat(re)
	case syntax.OpConcat, syntax.OpAlternate:
		return w.several(re)
	case syntax.OpNoMatch:
		return errors.New("this regular expression matches nothing; remove it")
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return fmt.Errorf(`PuppetDB does not read %s as servers do; write a set such as [a-z], or ^ and $`, re)
	}
	return nil
}

func (w *writer) group(re *syntax.Regexp, quantifier string) error {
	w.WriteString("(?:")
	err := w.pattern(re)
	w.WriteString(")" + quantifier)
	return err
}

func (w *writer) repeat(re *syntax.Regexp) error {
	if re.Min > maxRepeat || re.Max > maxRepeat {
		return fmt.Errorf("PuppetDB repeats at most %d times; write * or +", maxRepeat)
	}
	switch re.Max {
	case re.Min:
		return w.group(re.Sub[0], fmt.Sprintf("{%d}", re.Min))
	case -1:
		return w.group(re.Sub[0], fmt.Sprintf("{%d,}", re.Min))
	}
	return w.group(re.Sub[0], fmt.Sprintf("{%d,%d}", re.Min, re.Max))
}

func (w *writer) several(re *syntax.Regexp) error {
	w.WriteString("(?:")
	for i, sub := range re.Sub {
		if i > 0 && re.Op == syntax.OpAlternate {
			w.WriteString("|")
		}
		if err := w.pattern(sub); err != nil {
			return err
		}
	}
	w.WriteString(")")
	return nil
}

// rune writes a letter; with fold, as the set of all that are the same without case.
func (w *writer) rune(r rune, fold bool) {
	same := []rune{r}
	for next := unicode.SimpleFold(r); fold && next != r; next = unicode.SimpleFold(next) {
		same = append(same, next)
	}
	if w.tag {
		same = slices.DeleteFunc(same, func(r rune) bool { return len(intersect([]rune{r, r}, inTags())) == 0 })
	}
	switch len(same) {
	case 0:
		w.WriteString(nothing)
		return
	case 1:
		w.WriteString(quoted(same[0]))
		return
	}
	slices.Sort(same)
	w.WriteString("[")
	for _, s := range same {
		w.WriteString(quoted(s))
	}
	w.WriteString("]")
}

// quoted is a character that means itself, inside of brackets too.
func quoted(r rune) string {
	if r < unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r > ' ' && r != '_' {
		return `\` + string(r)
	}
	return string(r)
}

// set writes ranges, which come as pairs of first and last; a set that has the greatest character
// there is is written as what it has not.
func (w *writer) set(ranges []rune) error {
	open := "["
	if w.tag {
		if ranges = intersect(ranges, inTags()); len(ranges) == 0 {
			w.WriteString(nothing)
			return nil
		}
	}
	if n := len(ranges); n > 0 && ranges[n-1] == unicode.MaxRune {
		open, ranges = "[^", gaps(ranges)
	}
	var set strings.Builder
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := within(ranges[i], ranges[i+1])
		switch {
		case low < high:
			set.WriteString(quoted(low) + "-" + quoted(high))
		case low == high:
			set.WriteString(quoted(low))
		}
	}
	switch {
	case set.Len() > 0:
		w.WriteString(open + set.String() + "]")
	case open == "[^":
		w.WriteString(".")
	default:
		return errors.New("this regular expression matches nothing; remove it")
	}
	return nil
}

// intersect are the ranges of what is in both.
func intersect(a, b []rune) []rune {
	var out []rune
	for i := 0; i+1 < len(a); i += 2 {
		for j := 0; j+1 < len(b); j += 2 {
			if low, high := max(a[i], b[j]), min(a[i+1], b[j+1]); low <= high {
				out = append(out, low, high)
			}
		}
	}
	return out
}

// gaps are the ranges between ranges.
func gaps(ranges []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] > next {
			out = append(out, next, ranges[i]-1)
		}
		next = ranges[i+1] + 1
	}
	return out
}

// within leaves out what no text in a database has: NUL, and halves of characters.
func within(low, high rune) (rune, rune) {
	const firstHalf, lastHalf = 0xd800, 0xdfff
	if low >= firstHalf && low <= lastHalf {
		low = lastHalf + 1
	}
	if high >= firstHalf && high <= lastHalf {
		high = firstHalf - 1
	}
	return max(low, 1), high
}
