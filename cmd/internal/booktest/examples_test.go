package booktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

// examples is the folder of the playbooks that come with the program.
func examples() string { return filepath.Join("..", "..", "..", "playbooks", "examples") }

func openExamples(t *testing.T) (*Shelf, []Found) {
	t.Helper()
	found, err := Find(examples())
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := OpenShelf(examples(), builtin.Types(builtin.Deps{}))
	if err != nil {
		t.Fatal(err)
	}
	return shelf, found
}

func TestExamples_passTheirCases(t *testing.T) {
	t.Parallel()
	shelf, found := openExamples(t)
	tested := make(map[string]bool)
	for _, f := range found {
		file, err := Read(f.File)
		if err != nil {
			t.Fatal(err)
		}
		tested[file.Playbook] = true
		for i := range file.Cases {
			if r := file.Run(t.Context(), &file.Cases[i], shelf, Options{}); !r.Passed() {
				t.Errorf("%s: %s\n%s", f.File, r.Case, r.Failed())
			}
		}
	}
	for name := range shelf.books {
		if !tested[name] {
			t.Errorf("the example %s has no cases in %s/tests", name, examples())
		}
	}
}

// TestExamples_failWhereAnExpectedStepIsChanged changes the status of one expected step of each case.
func TestExamples_failWhereAnExpectedStepIsChanged(t *testing.T) {
	t.Parallel()
	shelf, found := openExamples(t)
	for _, f := range found {
		t.Run(filepath.Base(f.File), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(f.File)
			if err != nil {
				t.Fatal(err)
			}
			file, err := Parse(f.File, source)
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for i, c := range file.Cases {
				if step, ok := c.aStep(i); ok {
					changed++
					failsWhereChanged(t, shelf, source, i, step)
				}
			}
			if changed == 0 {
				t.Error("no case expects a step")
			}
		})
	}
}

// aStep is one of the expected steps of a case that have a status.
func (c Case) aStep(i int) (wantedStep, bool) {
	if c.expect.steps == nil {
		return wantedStep{}, false
	}
	var some []wantedStep
	for _, s := range c.expect.steps.list {
		if s.status != "" {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return wantedStep{}, false
	}
	return some[i%len(some)], true
}

// failsWhereChanged runs a case of a file in which the status of one step is another.
func failsWhereChanged(t *testing.T, shelf *Shelf, source []byte, i int, s wantedStep) {
	t.Helper()
	other := "failed"
	if s.status == other {
		other = "skipped"
	}
	mutant, err := Parse("mutant.yaml", replaceAt(source, s.at, s.status, other))
	if err != nil {
		t.Fatal(err)
	}
	r := mutant.Run(t.Context(), &mutant.Cases[i], shelf, Options{})
	if !failsAt(r, s.at, other) {
		t.Errorf("line %d: step %q is expected to be %s, and case %q does not say there that it is not:\n%s", s.at.Line, s.key, other, r.Case, r.Failed())
	}
}

func replaceAt(source []byte, at playbooks.Pos, old, other string) []byte {
	lines := strings.Split(string(source), "\n")
	line := []rune(lines[at.Line-1])
	head, tail := string(line[:at.Column-1]), string(line[at.Column-1:])
	lines[at.Line-1] = head + strings.Replace(tail, old, other, 1)
	return []byte(strings.Join(lines, "\n"))
}

func failsAt(r Result, at playbooks.Pos, word string) bool {
	for _, p := range r.Failures {
		if p.Pos == at && strings.Contains(p.Message, "should be "+word) && strings.Contains(p.Render(), word) {
			return true
		}
	}
	return false
}
