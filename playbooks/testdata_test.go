package playbooks_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestRefusals_say_what_to_write_instead(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(names) < 25 {
		t.Fatalf("got %d refusals (%v), want 25 or more", len(names), err)
	}
	vocab := builtin.Types(builtin.Deps{})
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			t.Parallel()
			data := readFile(t, name)
			_, err := playbooks.Parse(filepath.Base(name), data, vocab)
			problems, ok := errors.AsType[*playbooks.Problems](err)
			if !ok {
				t.Fatalf("got %v, want problems", err)
			}
			for _, p := range problems.All() {
				checkProblem(t, data, p)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", problems.Render())
		})
	}
}

// checkProblem holds a problem to what every problem promises.
func checkProblem(t *testing.T, data []byte, p *playbooks.Problem) {
	t.Helper()
	lines := strings.Split(string(data), "\n")
	switch {
	case p.Pos.Line < 1 || p.Pos.Line > len(lines) || p.Pos.Column < 1:
		t.Errorf("%q has the place %v, want one in the file", p.Message, p.Pos)
	case p.Message == "":
		t.Errorf("the problem at %v has no message", p.Pos)
	case p.Remedy == "":
		t.Errorf("%q has no remedy", p.Message)
	}
}

func TestBooks_of_2017_load(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("got no books (%v)", err)
	}
	vocab := builtin.Types(builtin.Deps{})
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			t.Parallel()
			book, err := playbooks.Parse(filepath.Base(name), readFile(t, name), vocab)
			if err != nil {
				t.Fatalf("got problems, want none:\n%v", err)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", outline(t, book))
		})
	}
}

func TestExamples_load_without_warnings(t *testing.T) {
	t.Parallel()
	files, err := playbooks.Examples()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		book, err := playbooks.Parse(name, data, builtin.Types(builtin.Deps{}))
		if err != nil {
			t.Fatalf("got problems, want none:\n%v", err)
		}
		for _, w := range book.Warnings {
			t.Errorf("got warning %v, want none", w.Error())
		}
		got[book.Name] = true
	}
	if !got["web_upgrade"] || !got["deploy_failure_handler"] {
		t.Errorf("got %v, want web_upgrade and deploy_failure_handler", got)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden compares with a file, or rewrites it when the tests run with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; run go test ./playbooks -update, and look at what it writes", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}
