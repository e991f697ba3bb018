package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// promises are how many assertions each part of the reference's section 14 has.
func promises() map[string]int {
	return map[string]int{
		"14.1": 38, "14.2": 31, "14.3": 23, "14.4": 36, "14.5": 16, "14.6": 49, "14.7": 15, "14.8": 22, "14.9": 6, "14.10": 8, "14.11": 78,
		"14.12": 92, // found by running it, and section 9
	}
}

// promise is a row of docs/adr/0017.
type promise struct{ id, asserts, verdict, test, note string }

func TestCompat2017_everyPromiseHasItsTest(t *testing.T) {
	t.Parallel()
	rows := readPromises(t)
	have := make(map[string]bool)
	for _, p := range rows {
		if have[p.id] {
			t.Errorf("%s stands twice", p.id)
		}
		have[p.id] = true
	}
	want := 0
	for part, n := range promises() {
		want += n
		for i := 1; i <= n; i++ {
			if id := fmt.Sprintf("%s.%d", part, i); !have[id] {
				t.Errorf("%s is missing", id)
			}
		}
	}
	if len(rows) != want {
		t.Errorf("got %d rows, want %d", len(rows), want)
	}
	tests := newTestIndex(t)
	for _, p := range rows {
		if why := p.flaw(); why != "" {
			t.Errorf("%s: %s", p.id, why)
		}
		if why := tests.missing(p.test); why != "" {
			t.Errorf("%s: %s", p.id, why)
		}
	}
}

func readPromises(t *testing.T) []promise {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join("..", "..", "..", "docs", "adr", "*-what-2017-promised.md"))
	if err != nil || len(pages) != 1 {
		t.Fatalf("got the pages %v, %v; want one", pages, err)
	}
	raw, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	var out []promise
	for line := range strings.SplitSeq(string(raw), "\n") {
		if !strings.HasPrefix(line, "| 14.") {
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "| "), `\|`, "\x00"), "|")
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "\x00", "|")
		}
		if len(cells) == 4 {
			cells = append(cells, "") // without a note
		}
		if len(cells) != 5 {
			t.Fatalf("%s has %d cells, want 5", line, len(cells))
		}
		out = append(out, promise{cells[0], cells[1], cells[2], strings.Trim(cells[3], "`"), cells[4]})
	}
	return out
}

var rowNumbers = regexp.MustCompile(`^rows? (\d+(?:, \d+)*)(?:$|[:;])`)

// flaw says what a row lacks.
func (p promise) flaw() string {
	switch p.verdict {
	case "kept", "later":
	case "none":
		if p.note == "" {
			return "has no counterpart, and does not say what stands in its place"
		}
	case "changed":
		if strings.HasPrefix(p.note, "no row: ") || strings.HasPrefix(p.note, "no row (section ") {
			break
		}
		m := rowNumbers.FindStringSubmatch(p.note)
		if m == nil {
			return "is changed, and gives neither a row nor a reason"
		}
		for n := range strings.SplitSeq(m[1], ", ") {
			if i, err := strconv.Atoi(n); err != nil || i < 1 || i > 22 {
				return "names the row " + n + ", and there are 22"
			}
		}
	default:
		return fmt.Sprintf("has the verdict %q", p.verdict)
	}
	if p.asserts == "" {
		return "asserts nothing"
	}
	return ""
}

// testIndex knows the tests of the repository, and the texts from which names of subtests are made.
type testIndex struct {
	root  string
	tests map[string]bool // engine.TestRun_success
	texts map[string]bool // engine/a task fails
}

// suites is where the names stand of what every implementation of a contract is put to.
const suites = "engine/enginetest"

func newTestIndex(t *testing.T) *testIndex {
	t.Helper()
	x := &testIndex{root: filepath.Join("..", "..", ".."), tests: make(map[string]bool), texts: make(map[string]bool)}
	err := filepath.WalkDir(x.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != x.root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		return x.read(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *testIndex) read(path string) error {
	rel, err := filepath.Rel(x.root, path)
	if err != nil {
		return err
	}
	folder := filepath.ToSlash(filepath.Dir(rel))
	suite := folder == suites || strings.HasPrefix(folder, suites+"/")
	if !suite && !strings.HasSuffix(path, "_test.go") {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if suite {
		folder = suites
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") {
				x.tests[folder+"."+n.Name.Name] = true
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				x.texts[folder+"/"+text] = true
			}
		}
		return true
	})
	return nil
}

// missing says what there is not of a test that is written as folder.TestName, or folder.TestName/subtest.
func (x *testIndex) missing(test string) string {
	dot := strings.Index(test, ".Test")
	if dot < 0 {
		return fmt.Sprintf("%q names no test", test)
	}
	folder := test[:dot]
	name, sub, _ := strings.Cut(test[dot+1:], "/")
	if !x.tests[folder+"."+name] {
		return "there is no test " + folder + "." + name
	}
	if sub == "" || x.texts[folder+"/"+sub] || x.texts[suites+"/"+sub] {
		return ""
	}
	for _, pattern := range []string{"testdata/%s.*", "testdata/*/%s.*"} { // a case that is a file
		if found, _ := filepath.Glob(filepath.Join(x.root, folder, fmt.Sprintf(pattern, sub))); len(found) > 0 {
			return ""
		}
	}
	return fmt.Sprintf("%s.%s has no subtest %q", folder, name, sub)
}
