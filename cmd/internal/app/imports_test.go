package app

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/playbot/playbot"

// rule says what a part of the house may import of ours, and which libraries it alone may use.
type rule struct {
	area string   // the longest prefix of a package's folder decides
	may  []string // prefixes of our own folders; "*" is everything
	owns []string // libraries
}

// rules is the table of docs/adr/0001 and of the README. A folder that no row covers fails the test.
func rules() []rule {
	return []rule{
		{"playbooks", nil, []string{"gopkg.in/yaml.v3", "github.com/expr-lang/expr"}},
		{"playbooks/lint", []string{"playbooks"}, nil},
		{"engine/policy", nil, nil},
		{"engine/schedule", nil, nil},
		{"engine", []string{"playbooks", "engine/policy", "engine/schedule"}, nil},
		{"engine/enginetest", []string{"engine", "playbooks", "engine/policy"}, nil},
		{"engine/internal", []string{"engine", "playbooks"}, nil},
		{"engine/tasks", []string{"engine", "playbooks", "engine/choria", "engine/puppetdb", "engine/internal"}, nil},
		{"engine/tasks/mcollective_assert", []string{"engine", "playbooks", "engine/choria", "engine/tasks/mcollective"}, nil},
		{"engine/tasks/mcollective", []string{"engine", "playbooks", "engine/choria", "engine/tasks/mcollective"}, nil},
		{"engine/nodes", []string{"engine", "playbooks", "engine/choria", "engine/puppetdb", "engine/internal"}, nil},
		{"engine/internal/document", []string{"engine"}, []string{"gopkg.in/yaml.v3"}},
		{"engine/nodes/mcollective", []string{"engine", "playbooks", "engine/choria", "engine/internal", "engine/nodes/mcollective", "engine/puppetdb"}, []string{"github.com/tidwall/gjson"}},
		{"engine/nodes/yaml", []string{"engine", "playbooks", "engine/internal"}, []string{"gopkg.in/yaml.v3"}},
		{"engine/datastores", []string{"engine", "playbooks", "engine/internal"}, nil},
		{"engine/datastores/file", []string{"engine", "playbooks"}, []string{"gopkg.in/yaml.v3"}},
		{"engine/plugin", []string{"engine", "playbooks"}, nil},
		{"engine/choria", []string{"engine", "playbooks", "engine/choria"}, []string{"github.com/nats-io"}},
		{"engine/choria/filter", []string{"engine/choria"}, []string{"github.com/expr-lang/expr", "github.com/tidwall/gjson", "github.com/Masterminds/semver"}},
		{"engine/puppetdb", []string{"engine", "playbooks", "engine/puppetdb"}, nil},
		{"engine/builtin", []string{"engine", "playbooks"}, nil},
		{"store", []string{"engine"}, []string{"go.etcd.io/bbolt"}},
		{"commands", []string{"engine", "playbooks"}, []string{"github.com/google/shlex"}},
		{"bot", []string{"commands", "engine", "playbooks"}, []string{"github.com/slack-go/slack"}},
		{"bot/workspace", []string{"bot/workspace"}, nil},
		{"cmd", []string{"*"}, []string{"gopkg.in/yaml.v3"}},
	}
}

func TestImports_followTheRule(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || nested(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		checkFile(t, root, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("only %d files were read; the walk is broken", files)
	}
}

// nested reports whether a folder is a module of its own.
func nested(path string) bool {
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

func checkFile(t *testing.T, root, path string) {
	t.Helper()
	rel, err := filepath.Rel(root, path)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.ToSlash(filepath.Dir(rel))
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", rel, err)
		return
	}
	r, ok := ruleFor(folder)
	if !ok {
		t.Errorf("%s lies in %s, which no row of the import rule covers", rel, folder)
		return
	}
	for _, imp := range file.Imports {
		name := strings.Trim(imp.Path.Value, `"`)
		if why := r.refuses(folder, name, strings.HasSuffix(path, "_test.go")); why != "" {
			t.Errorf("%s imports %s, but %s", rel, name, why)
		}
	}
}

func ruleFor(folder string) (rule, bool) {
	var best rule
	for _, r := range rules() {
		if (folder == r.area || strings.HasPrefix(folder, r.area+"/")) && len(r.area) > len(best.area) {
			best = r
		}
	}
	return best, best.area != ""
}

// refuses says why a file may not import something; tests may use any library and the doubles.
func (r rule) refuses(folder, imported string, test bool) string {
	own, isOurs := strings.CutPrefix(imported, module+"/")
	if !isOurs {
		if owner := ownerOf(imported); owner != nil && !test && !slices.ContainsFunc(owner, func(o string) bool { return o == r.area }) {
			return imported + " belongs to " + strings.Join(owner, ", ")
		}
		return ""
	}
	if own == folder || strings.HasPrefix(own, folder+"/internal/") || test {
		return ""
	}
	for _, m := range r.may {
		if m == "*" || own == m || m != "engine" && strings.HasPrefix(own, m+"/") ||
			m == "engine" && (own == "engine/policy" || r.area == "engine/builtin" && strings.HasPrefix(own, "engine/")) {
			return ""
		}
	}
	return r.area + " may import only " + strings.Join(r.may, ", ") + " of ours"
}

// ownerOf lists the areas that own a library; nil when anybody may use it.
func ownerOf(imported string) []string {
	var areas []string
	for _, r := range rules() {
		if slices.ContainsFunc(r.owns, func(o string) bool { return imported == o || strings.HasPrefix(imported, o+"/") }) {
			areas = append(areas, r.area)
		}
	}
	return areas
}
