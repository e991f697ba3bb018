package yaml_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/yaml"
	"github.com/playbot/playbot/playbooks"
)

const groups = `
uk: [node2.example.net, node1.example.net, node2.example.net, node3.example.net]
common: &web
  - web1
  - web2
linked: *web
none: []
void:
one: node1
holes: [a, ~, b]
deep: [[a]]
numbers: [1, 2]
`

// write puts the groups into a folder and returns it.
func write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nodes.yaml"), []byte(groups), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func in(group string) map[string]any { return map[string]any{"source": "nodes.yaml", "group": group} }

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		return nodestest.Case{
			Type: yaml.Type(write(t)), Some: in("uk"), Want: []string{"node2.example.net", "node1.example.net", "node3.example.net"},
			None: in("none"), Broken: map[string]any{"source": "gone.yaml", "group": "uk"}, Names: "gone.yaml",
		}
	})
}

func discover(t *testing.T, dir string, properties map[string]any) ([]string, error) {
	t.Helper()
	s, err := yaml.Type(dir).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_readsListsOfNames(t *testing.T) {
	t.Parallel()
	dir := write(t)
	for group, want := range map[string][]string{"linked": {"web1", "web2"}, "numbers": {"1", "2"}} {
		if got, err := discover(t, dir, in(group)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", group, got, err, want)
		}
	}
}

func TestSource_refusesWhatIsNoListOfNames(t *testing.T) {
	t.Parallel()
	dir := write(t)
	for group, want := range map[string]string{
		"nosuch": `has no group "nosuch"`, "void": "not a list", "one": "not a list", "holes": "not a list", "deep": "not a list",
	} {
		got, err := discover(t, dir, in(group))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(dir, "nodes.yaml")) {
			t.Errorf("%s: got %v, %v; want the file and %q", group, got, err, want)
		}
	}
}

func TestSource_refusesFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := "a: [x]\n#" + strings.Repeat("x", 4<<20)
	for name, content := range map[string]string{"list.yaml": "- a\n", "broken.yaml": "a: [\n", "large.yaml": large} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := discover(t, "/nowhere", map[string]any{"source": path, "group": "a"}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if got, err := discover(t, "", map[string]any{"source": dir, "group": "a"}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: got %v, %v", got, err)
	}
}
