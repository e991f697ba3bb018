package playbooks

import (
	"bytes"
	"fmt"
	"strings"
)

// ProblemAt makes a problem at a place of the playbook's file.
func (p *Playbook) ProblemAt(pos Pos, remedy, format string, args ...any) *Problem {
	return &Problem{File: p.File, Pos: pos, Line: lineOf(p.Source, pos.Line), Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

// lineOf is a line of a file, counted from one; "" when there is none.
func lineOf(source []byte, n int) string {
	if n < 1 {
		return ""
	}
	at := 0
	for line := range bytes.Lines(source) {
		if at++; at == n {
			return strings.TrimPrefix(strings.TrimRight(string(line), "\r\n"), "\ufeff")
		}
	}
	return ""
}

// Suggestion is the known word that the remedy names; "" when it names none.
func (p *Problem) Suggestion() string {
	var word string
	_, after, found := strings.Cut(p.Remedy, "did you mean ")
	if !found {
		return ""
	}
	if _, err := fmt.Sscanf(after, "%q", &word); err != nil {
		return ""
	}
	return word
}

// InFile adds the name of the playbook's file to problems that name a place in it, as those of a run do
// not by themselves.
func (p *Playbook) InFile(err error) error {
	placed := func(one *Problem) *Problem {
		c := *one
		if c.File == "" && c.Pos.Line > 0 {
			c.File = p.File
		}
		return &c
	}
	if all, ok := err.(*Problems); ok { //nolint:errorlint // what wraps problems says more than they do
		out := &Problems{}
		for _, one := range all.list {
			out.list = append(out.list, placed(one))
		}
		return out
	}
	if one, ok := err.(*Problem); ok { //nolint:errorlint // as above
		return placed(one)
	}
	return err
}
