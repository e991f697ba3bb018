package booktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/playbooks"
)

const (
	maxSize   = 1 << 20 // bytes of a case file, as of a playbook
	maxValues = 100_000 // what its aliases may expand to
	maxDepth  = 64
)

// reader collects what is wrong in a case file.
type reader struct {
	file     string
	lines    []string
	problems []*playbooks.Problem
	values   int // read so far
}

// problem records what is wrong at a place, and what to write instead.
func (r *reader) problem(pos playbooks.Pos, remedy, format string, args ...any) {
	r.problems = append(r.problems, r.at(pos, remedy, format, args...))
}

// at makes a problem with its line.
func (r *reader) at(pos playbooks.Pos, remedy, format string, args ...any) *playbooks.Problem {
	p := &playbooks.Problem{File: r.file, Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy}
	if pos.Line > 0 && pos.Line <= len(r.lines) {
		p.Line = strings.TrimRight(r.lines[pos.Line-1], "\r")
	}
	return p
}

// root reads the one document of the file; false when there is none to read.
func (r *reader) root(data []byte) (value, bool) {
	top := playbooks.Pos{Line: 1, Column: 1}
	if len(data) > maxSize {
		r.problem(top, "split it", "the file has %d bytes; a case file has at most %d", len(data), maxSize)
		return value{}, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		r.problem(top, "begin with playbook: NAME", "the file is empty")
		return value{}, false
	case err != nil:
		r.problems = append(r.problems, playbooks.SyntaxProblem(r.file, data, err))
		return value{}, false
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		r.problem(playbooks.Pos{Line: max(next.Line, 1), Column: 1}, "put each into a file of its own", "the file holds more than one document")
		return value{}, false
	}
	return value{r, doc.Content[0]}, true
}

// suggest is the remedy for an unknown word: where it belongs, the nearest known one, or all of them.
func suggest(word string, known []string) string {
	switch {
	case slices.Contains(known, "expect") && slices.Contains(expectKeys(), word):
		return "write it under expect:"
	case slices.Contains(known, "outcome") && (word == "result" || word == "status"):
		return `did you mean "outcome"?`
	}
	if n := playbooks.Nearest(word, known); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return "known: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// sorted are the keys of a map in their order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
