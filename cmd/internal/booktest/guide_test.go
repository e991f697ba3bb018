package booktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine/builtin"
)

// The lines of docs/guide/thread.md between which the thread stands.
const (
	threadBegin = "<!-- thread: made by go test ./cmd/internal/booktest -update -->\n```text\n"
	threadEnd   = "```\n<!-- end of thread -->\n"
)

// TestGuide_showsTheThreadAsItIs plays a run of twelve steps, of which one fails, and holds what Slack shows
// against the guide.
func TestGuide_showsTheThreadAsItIs(t *testing.T) {
	t.Parallel()
	shelf, err := OpenShelf(filepath.Join("testdata", "guide"), builtin.Types(builtin.Deps{}))
	if err != nil {
		t.Fatal(err)
	}
	file, err := Read(filepath.Join("testdata", "guide", "tests", "shop_release.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, thread, _ := strings.Cut(threadOf(t, file, file.Cases[0], shelf), "\n\n") // without the name of the case
	path := filepath.Join("..", "..", "..", "docs", "guide", "thread.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(doc), threadBegin)
	_, after, closed := strings.Cut(rest, threadEnd)
	if !found || !closed {
		t.Fatalf("%s lacks the lines %q and %q", path, threadBegin, threadEnd)
	}
	want := before + threadBegin + strings.TrimRight(thread, "\n") + "\n" + threadEnd + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(doc), "\n")); diff != "" {
		t.Errorf("%s is not what Slack shows (-want +got); `make golden` writes it:\n%s", path, diff)
	}
}
