package builtin_test

import (
	"io/fs"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

func TestExamples_load(t *testing.T) {
	t.Parallel()
	files, err := playbooks.Examples()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) < 2 {
		t.Fatalf("got %v (%v), want at least two examples", names, err)
	}
	for _, name := range names {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		book, err := playbooks.Parse(name, source, builtin.Types(builtin.Deps{}))
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if len(book.Warnings) > 0 {
			t.Errorf("%s: got warnings %v, want none", name, book.Warnings)
		}
	}
}
