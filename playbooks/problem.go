package playbooks

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
)

// ErrUnknownType says that a vocabulary does not know a type. Vocabularies wrap it.
var ErrUnknownType = errors.New("unknown type")

// Problem is one thing that is wrong in a file.
type Problem struct { //nolint:errname // problem is the word of the field, in files, chat and docs
	File    string
	Pos     Pos
	Line    string // the line of the file, as it is
	Message string // what is wrong
	Remedy  string // what to write instead
	Input   string // the input that was given wrong or is missing, when [Playbook.Bind] says so
	Warning bool   // it loads all the same
	cause   error  // what a template met when it was evaluated
}

// Unwrap returns what a template met when it was evaluated; nil for what is wrong in the file itself.
func (p *Problem) Unwrap() error { return p.cause }

// Error is the problem in one line: file:line:col: message; remedy.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Pos.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Pos.Line, p.Pos.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// window is how many characters of a line are shown before and after the place.
const window = 100

// Render is the problem with its line and a caret below the place.
func (p *Problem) Render() string {
	if p.Line == "" || p.Pos.Line == 0 {
		return p.Error() + "\n"
	}
	number := fmt.Sprintf("%5d", p.Pos.Line)
	line := []rune(p.Line)
	at := min(max(p.Pos.Column-1, 0), len(line))
	first, last := max(at-window, 0), min(at+window, len(line))
	indent := make([]rune, 0, window)
	for i, r := range line {
		if !unicode.IsPrint(r) && r != '\t' {
			line[i] = unicode.ReplacementChar
		}
		if i >= first && i < at {
			if r != '\t' {
				r = ' '
			}
			indent = append(indent, r)
		}
	}
	return fmt.Sprintf("%s\n%s | %s\n%s | %s^\n", p.Error(), number, string(line[first:last]), strings.Repeat(" ", len(number)), string(indent))
}

// Problems is every problem of a file, in the order of their places.
type Problems struct { //nolint:errname // the plural of Problem
	list []*Problem
}

// All returns the problems.
func (p *Problems) All() []*Problem { return p.list }

// Error lists the problems, a line each.
func (p *Problems) Error() string {
	lines := make([]string, len(p.list))
	for i, one := range p.list {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as errors.
func (p *Problems) Unwrap() []error {
	out := make([]error, len(p.list))
	for i, one := range p.list {
		out[i] = one
	}
	return out
}

// Render shows every problem with its line and caret.
func (p *Problems) Render() string {
	var b strings.Builder
	for _, one := range p.list {
		b.WriteString(one.Render())
	}
	return b.String()
}

// Short lists at most n problems, for chat.
func (p *Problems) Short(n int) string {
	if len(p.list) <= n {
		return p.Error()
	}
	return fmt.Sprintf("%s\n… and %d more", (&Problems{list: p.list[:n]}).Error(), len(p.list)-n)
}

// tidy sorts by place and drops repetitions: what an anchor holds is read wherever it is merged.
func (p *Problems) tidy() {
	sort.SliceStable(p.list, func(i, j int) bool {
		a, b := p.list[i].Pos, p.list[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	type told struct {
		pos     Pos
		message string
	}
	seen := make(map[told]bool, len(p.list))
	p.list = slices.DeleteFunc(p.list, func(one *Problem) bool {
		key := told{one.Pos, one.Message}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// maxDistance is how far a word may be from the one that is suggested for it.
const maxDistance = 2

// Nearest returns the known word nearest to word, or "" when none is near.
func Nearest(word string, known []string) string {
	best, distance := "", maxDistance+1
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k)); d < distance && d < len([]rune(word)) {
			best, distance = k, d
		}
	}
	return best
}

func didYouMean(word string) string { return fmt.Sprintf("did you mean %q?", word) }

// suggest is the remedy for an unknown word: the nearest known one, or all of them.
func suggest(word string, known []string) string {
	if n := Nearest(word, known); n != "" {
		return didYouMean(n)
	}
	if len(known) == 0 {
		return "none is declared"
	}
	return "known: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}
