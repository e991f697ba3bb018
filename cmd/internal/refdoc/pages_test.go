package refdoc_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/cmd/internal/refdoc"
)

func TestPages_areThoseInDocs(t *testing.T) {
	t.Parallel()
	pages, err := refdoc.Pages(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 18 {
		t.Errorf("got %d pages, want one for each type", len(pages))
	}
	for name, text := range pages {
		golden(t, filepath.Join("guide", "reference", name), []byte(text))
	}
	folder := filepath.Join(root, "docs", "guide", "reference")
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if _, ok := pages[filepath.ToSlash(rel)]; ok {
			return nil
		}
		if *update {
			return os.Remove(path)
		}
		t.Errorf("%s is about a type that is not there; run go test ./cmd/internal/refdoc -update", path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPages_linkToWhatIsThere(t *testing.T) {
	t.Parallel()
	pages, err := refdoc.Pages(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		for _, part := range strings.Split(text, "](")[1:] {
			link, _, _ := strings.Cut(part, ")")
			file, anchor, _ := strings.Cut(link, "#")
			if strings.Contains(link, "://") {
				continue
			}
			path := filepath.Join("guide", "reference", filepath.Dir(name), file)
			if _, err := os.Stat(filepath.Join(root, "docs", path)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, link)
			}
			target := pages[strings.TrimPrefix(filepath.ToSlash(path), "guide/reference/")]
			if anchor != "" && !strings.Contains(strings.ReplaceAll(strings.ToLower(target), " ", "-"), "\n##-"+anchor+"\n") {
				t.Errorf("%s links to the heading %s, which is not there", name, link)
			}
		}
	}
}
