package main

import (
	"encoding/json"
	"io"

	"github.com/playbot/playbot/playbooks/lint"
)

// The JSON document of check. docs/guide/lint.md promises it: keys are added and never changed.
type (
	jsonReport struct {
		Files   []jsonFile `json:"files"`
		Summary sum        `json:"summary"`
	}
	jsonFile struct {
		File     string        `json:"file"`
		Playbook string        `json:"playbook,omitempty"` // its name; absent when it does not load
		Problems []jsonProblem `json:"problems"`
	}
	jsonProblem struct {
		Line       int           `json:"line"`   // from 1; 0: the file as a whole
		Column     int           `json:"column"` // from 1, in characters
		Severity   lint.Severity `json:"severity"`
		Rule       string        `json:"rule"`
		Message    string        `json:"message"`
		Remedy     string        `json:"remedy"`
		Suggestion string        `json:"suggestion,omitempty"` // the word that was probably meant
	}
)

func (r report) writeJSON(w io.Writer) error {
	doc := jsonReport{Files: []jsonFile{}, Summary: r.sum()}
	for _, f := range r {
		file := jsonFile{File: f.name, Problems: []jsonProblem{}}
		if !f.broken {
			file.Playbook = f.book.Name
		}
		for _, p := range f.problems {
			file.Problems = append(file.Problems, jsonProblem{
				Line: p.Pos.Line, Column: p.Pos.Column, Severity: p.severity, Rule: p.rule,
				Message: lint.Mask(p.Message), Remedy: p.Remedy, Suggestion: p.Suggestion(),
			})
		}
		doc.Files = append(doc.Files, file)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
