package booktest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the threads in playbooks/examples/tests/threads")

// threads is the folder of the golden transcripts: what Slack shows of an example.
func threads() string { return filepath.Join(examples(), tests, "threads") }

// TestThreads_ofTheExamplesAreAsGolden plays the telling cases of each example with a real bot that draws them
// into a workspace.
func TestThreads_ofTheExamplesAreAsGolden(t *testing.T) {
	t.Parallel()
	shelf, found := openExamples(t)
	for _, f := range found {
		file, err := Read(f.File)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(file.Playbook, func(t *testing.T) {
			t.Parallel()
			var parts []string
			cases := telling(file.Cases)
			if len(cases) != 2 {
				t.Error("there is no case that succeeds, or none that fails")
			}
			for _, c := range cases {
				parts = append(parts, threadOf(t, file, c, shelf))
			}
			golden(t, file.Playbook+".txt", strings.Join(parts, "\n\n"))
		})
	}
}

// TestThreads_haveAnExampleEach finds transcripts of what is no more.
func TestThreads_haveAnExampleEach(t *testing.T) {
	t.Parallel()
	shelf, _ := openExamples(t)
	files, err := filepath.Glob(filepath.Join(threads(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if shelf.books[strings.TrimSuffix(filepath.Base(f), ".txt")] == nil {
			t.Errorf("%s is the thread of no example; delete it", f)
		}
	}
}

// telling picks the first case that succeeds, and the first that fails although somebody approved it; where
// there is none, the first that fails after its first step.
func telling(cases []Case) []Case {
	good := slices.IndexFunc(cases, func(c Case) bool { return c.expect.outcome == "success" })
	bad := slices.IndexFunc(cases, func(c Case) bool { return c.expect.outcome == "failed" && len(c.clicks) > 0 })
	if bad < 0 {
		bad = slices.IndexFunc(cases, func(c Case) bool {
			return c.expect.outcome != "success" && c.expect.steps != nil && len(c.expect.steps.list) > 0
		})
	}
	var out []Case
	for _, i := range []int{good, bad} {
		if i >= 0 {
			out = append(out, cases[i])
		}
	}
	return out
}

// thinking is how long people take who answer at once in their case: in a thread, a question comes before its answer.
const thinking = 2 * time.Minute

// threadOf plays a case and returns what a person sees of it.
func threadOf(t *testing.T, file *File, c Case, shelf *Shelf) string {
	t.Helper()
	c.expect = expectation{pos: c.expect.pos, outcome: c.expect.outcome} // the rest is judged elsewhere, of people who do not think
	c.clicks = slices.Clone(c.clicks)
	for i, k := range c.clicks {
		if k.do != "cancel" && k.after == 0 {
			c.clicks[i].after = thinking
		}
	}
	a := &audience{t: t}
	if r := file.Run(t.Context(), &c, shelf, Options{company: a}); !r.Passed() {
		t.Errorf("%s: %s\n%s", file.Path, r.Case, r.Failed())
	}
	if dir := os.Getenv("PLAYBOT_PAYLOADS"); dir != "" { // see the package bot/typestest
		if err := a.ws.SavePayloads(dir); err != nil {
			t.Error(err)
		}
	}
	for _, v := range a.ws.Violations() {
		t.Errorf("%s: %s: Slack would have refused: %+v", file.Path, c.Name, v)
	}
	return a.transcript(&c)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(threads(), name)
	if *update {
		if err := os.MkdirAll(threads(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; `make golden` writes it", err)
		return
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not as it was (-want +got); if that is meant, `make golden` writes it:\n%s", path, diff)
	}
}
