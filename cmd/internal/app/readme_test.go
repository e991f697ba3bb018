package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadme_drawsTheHouse holds the table of the README against the tree and the import rule.
func TestReadme_drawsTheHouse(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]string{} // folder -> what it may import
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, "|")
		if len(cells) == 5 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			drawn[strings.Trim(cells[1], " `")] = strings.NewReplacer("`", "", " ", "").Replace(cells[3])
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "bin" && drawn[e.Name()] == "" {
			t.Errorf("the README's table lacks the folder %s", e.Name())
		}
	}
	for folder, may := range drawn {
		r, ok := ruleFor(folder)
		if !ok {
			continue // docs holds no code
		}
		want := strings.Join(outer(r.may), ",")
		if want == "" {
			want = "–"
		}
		if r.area == "cmd" {
			want = "all"
		}
		if may != want {
			t.Errorf("the README says that %s may import %s; the rule says %s", folder, may, want)
		}
	}
}

// outer are the top-level folders of a list, without those below another of the list.
func outer(areas []string) []string {
	var out []string
	for _, a := range areas {
		if top, _, inside := strings.Cut(a, "/"); !inside && !slices.Contains(out, top) {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return out
}
