package refdoc_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/cmd/internal/refdoc"
)

func TestManifest_isTheOneInDocs(t *testing.T) {
	t.Parallel()
	m, err := bot.NewManifest(bot.ManifestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := refdoc.Manifest(m, false)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("guide", "slack-manifest.yaml"), text)
}

func TestScopes_areThoseInTheGuide(t *testing.T) {
	t.Parallel()
	name := filepath.Join("guide", "slack.md")
	doc, err := refdoc.Insert(string(read(t, filepath.Join(root, "docs", name))), "scopes", refdoc.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, name, []byte(doc))
	if n := strings.Count(refdoc.Scopes(), "\n"); n != 2+len(bot.Scopes()) {
		t.Errorf("the table has %d lines for %d scopes", n, len(bot.Scopes()))
	}
}

func TestInsert_wantsItsPlace(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"a\n<!-- x: made by go test ./cmd/internal/refdoc -update -->\nold\n<!-- end of x -->\nb\n": "a\n<!-- x: made by go test ./cmd/internal/refdoc -update -->\nnew\n<!-- end of x -->\nb\n",
		"a\n": "",
		"<!-- x: made by go test ./cmd/internal/refdoc -update -->\nold\n": "",
	} {
		got, err := refdoc.Insert(doc, "x", "new\n")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", doc, got, err)
		}
	}
}
