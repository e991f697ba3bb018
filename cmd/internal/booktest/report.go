package booktest

import (
	"fmt"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Passed reports whether everything came as the case expects.
func (r Result) Passed() bool { return len(r.Failures) == 0 }

// Failed is what went wrong in a case, with the places in the file and the steps as they were.
func (r Result) Failed() string {
	var b strings.Builder
	for _, p := range r.Failures {
		b.WriteString(p.Render())
	}
	b.WriteString(r.Thread())
	for _, l := range r.Lists {
		fmt.Fprintf(&b, "    %s were:\n", l.What)
		for _, e := range l.Entries {
			fmt.Fprintf(&b, "      - %s\n", indent(e))
		}
		if len(l.Entries) == 0 {
			b.WriteString("      none\n")
		}
	}
	return b.String()
}

// Thread is the steps of the run, a line each, with the virtual time since it was requested.
func (r Result) Thread() string {
	if r.Outcome == "" {
		return "" // there was none
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    the run was %s", r.Outcome)
	if r.Message != "" {
		fmt.Fprintf(&b, ": %s", indent(r.Message))
	}
	b.WriteByte('\n')
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "    %8s  %s%s %s %q: %s", "+"+commands.Took(s.At), strings.Repeat("  ", s.Depth),
			commands.TaskMark(engine.TaskStatus(s.Status)), s.Path, s.Description, s.Status)
		if s.Attempts > 1 {
			fmt.Fprintf(&b, " after %d attempts", s.Attempts)
		}
		if s.Message != "" {
			fmt.Fprintf(&b, ": %s", indent(clip(s.Message, 200)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// indent keeps the further lines of a message below its first.
func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n              ") }

// Failure is a failure for machines.
type Failure struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// Failures are problems for machines.
func Failures(list []*playbooks.Problem) []Failure {
	out := make([]Failure, len(list))
	for i, p := range list {
		out[i] = Failure{File: p.File, Line: p.Pos.Line, Column: p.Pos.Column, Message: p.Message, Remedy: p.Remedy}
	}
	return out
}
