package demoreal

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// holdReadme holds what the README shows of `make demo-real` against what was printed: each of its lines
// must be there, with any numbers of requests and any times. "…" stands for any lines.
func holdReadme(t *testing.T, printed string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(data), "```console demo-real\n$ make demo-real\n")
	block, _, closed := strings.Cut(block, "\n```")
	if !found || !closed {
		t.Fatal("the README shows nothing of make demo-real")
	}
	lines := strings.Split(alike(printed), "\n")
	for want := range strings.SplitSeq(alike(block), "\n") {
		if want != "…" && !slices.Contains(lines, want) {
			t.Errorf("the README shows this line, which was not printed:\n%s", want)
		}
	}
}

// alike makes texts of two runs the same: revisions and names keep their numbers, all else is as good.
func alike(text string) string {
	text = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d`).ReplaceAllString(text, "TIME")
	text = regexp.MustCompile(`\b(\d+m)?\d+(\.\d+)?(ms|s)\b(, attempt \d+ of \d+)?`).ReplaceAllString(text, "TOOK")
	return regexp.MustCompile(`\d+ (as|sent)`).ReplaceAllString(text, "N $1")
}
