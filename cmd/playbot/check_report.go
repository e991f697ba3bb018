package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/playbooks/lint"
)

// loading is the rule of what the language itself says.
const loading = "load"

// problem is something to say about a file.
type problem struct {
	*playbooks.Problem

	severity lint.Severity
	rule     string
}

// checked is a file, and everything to say about it.
type checked struct {
	name     string
	book     *playbooks.Playbook // nil when it does not load by itself
	broken   bool
	problems []problem
}

// report is every file, in the order in which it was named.
type report []*checked

// fail records why a file does not load.
func (c *checked) fail(err error) {
	c.broken = true
	list := []*playbooks.Problem{{File: c.name, Message: err.Error()}}
	if all, ok := errors.AsType[*playbooks.Problems](err); ok {
		list = all.All()
	}
	for _, p := range list {
		severity := lint.Error
		if p.Warning {
			severity = lint.Warning
		}
		c.problems = append(c.problems, problem{Problem: p, severity: severity, rule: loading})
	}
	c.sort()
}

func (c *checked) sort() {
	slices.SortStableFunc(c.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

// render is the problem with its line and a caret. What looks like a secret is not shown.
func (p problem) render() string {
	if p.rule == loading {
		return lint.Mask(p.Render())
	}
	f := lint.Finding{Problem: *p.Problem, Rule: p.rule, Severity: p.severity}
	return lint.Mask(f.Render())
}

// write says everything for people: what is wrong on standard error, which files load on standard output.
func (r report) write(s streams) {
	for _, f := range r {
		for _, p := range f.problems {
			fmt.Fprint(s.err, p.render())
		}
		if !f.broken {
			fmt.Fprintf(s.out, "%s: ok (%s %s, %s)\n", f.name, f.book.Name, f.book.Version, counted(len(f.book.Tasks), "task"))
		}
	}
	if sum := r.sum(); sum.Warnings+sum.Advice > 0 {
		fmt.Fprintf(s.err, "%s; docs/guide/lint.md explains the words in brackets\n", sum.rest())
	}
}

// rest says what there is besides errors.
func (s sum) rest() string {
	return counted(s.Warnings, "warning") + " and " + counted(s.Advice, "piece") + " of advice"
}

// sum counts what there is to say.
type sum struct {
	Files     int `json:"files"`
	Playbooks int `json:"playbooks"` // that load
	Errors    int `json:"errors"`
	Warnings  int `json:"warnings"`
	Advice    int `json:"advice"`
	broken    int // files that do not load
}

func (r report) sum() sum {
	out := sum{Files: len(r)}
	for _, f := range r {
		if f.broken {
			out.broken++
		}
		for _, p := range f.problems {
			switch p.severity {
			case lint.Error:
				out.Errors++
			case lint.Warning:
				out.Warnings++
			case lint.Advice:
				out.Advice++
			}
		}
	}
	out.Playbooks = out.Files - out.broken
	return out
}

// deprecations tells lint which types are deprecated.
type deprecations engine.Types

// Deprecated implements [lint.Types].
func (d deprecations) Deprecated(kind, typ string) string {
	if kind != "task" {
		return ""
	}
	for _, t := range d.Tasks {
		if t.Name == typ || slices.Contains(t.Aliases, typ) {
			return strings.TrimSuffix(t.Deprecated, ".")
		}
	}
	return ""
}
