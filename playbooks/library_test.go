package playbooks_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// shelf is a directory of playbooks and the library that reads it.
type shelf struct {
	t   *testing.T
	dir string
	lib *playbooks.Library
}

func openShelf(t *testing.T, files map[string]string) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: filepath.Join(t.TempDir(), "playbooks")}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		s.write(name, data)
	}
	lib, err := playbooks.OpenLibrary(s.dir, starting{})
	if err != nil {
		t.Fatal(err)
	}
	s.lib = lib
	return s
}

func (s *shelf) write(name, data string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(data), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) remove(name string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) reload() playbooks.Changes {
	s.t.Helper()
	ch, err := s.lib.Reload()
	if err != nil {
		s.t.Fatal(err)
	}
	return ch
}

// version is the version of a playbook of that name; "" when there is none.
func (s *shelf) version(name string) string {
	b, err := s.lib.Get(name)
	if err != nil {
		return ""
	}
	return b.Version
}

func named(name, version string) string {
	return "name: " + name + "\nversion: " + version + "\nauthor: A\ndescription: D\n"
}

func TestLibrary_reads_a_directory(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{
		"b.yaml": named("bee", "1.0.0"), "a.yml": named("ant", "1.0.0"), ".hidden.yaml": "x", "README.md": "x", "c.yaml.bak": "x",
	})
	var names []string
	for _, b := range s.lib.List() {
		names = append(names, b.Name)
	}
	if !reflect.DeepEqual(names, []string{"ant", "bee"}) || len(s.lib.Broken()) != 0 {
		t.Errorf("got %v, broken %v, want ant and bee", names, s.lib.Broken())
	}
	_, err := s.lib.Get("be")
	if !playbooks.IsNotFound(err) || !strings.Contains(err.Error(), `did you mean "bee"?`) {
		t.Errorf("got %v, want a suggestion", err)
	}
	if _, err := s.lib.Get("zebra"); !playbooks.IsNotFound(err) || !strings.Contains(err.Error(), "`list`") {
		t.Errorf("got %v, want what to do", err)
	}
}

func TestLibrary_reload_says_what_changed(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0"), "b.yaml": named("bee", "1.0.0")})
	old, _ := s.lib.Get("ant")
	if ch := s.reload(); !reflect.DeepEqual(ch, playbooks.Changes{}) {
		t.Errorf("got %+v, want nothing", ch)
	}
	s.write("a.yaml", named("ant", "2.0.0"))
	s.write("c.yaml", named("cat", "1.0.0"))
	s.remove("b.yaml")
	ch := s.reload()
	if !reflect.DeepEqual(ch, playbooks.Changes{Loaded: []string{"ant", "cat"}, Gone: []string{"bee"}}) {
		t.Errorf("got %+v, want ant and cat loaded, bee gone", ch)
	}
	if s.version("ant") != "2.0.0" || s.version("bee") != "" || s.version("cat") != "1.0.0" {
		t.Error("got other versions than the files hold")
	}
	if b, ok := s.lib.ByDigest(old.Digest); !ok || b.Version != "1.0.0" {
		t.Error("the old version is not known by its digest")
	}
	if _, ok := s.lib.ByDigest("nonsense"); ok {
		t.Error("got a playbook for a digest that never was")
	}
}

func TestLibrary_keeps_the_last_good_version_of_a_broken_file(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0"), "bee.yaml": "name: ["})
	if _, err := s.lib.Get("bee"); err == nil || playbooks.IsNotFound(err) || !strings.Contains(err.Error(), "does not load") {
		t.Errorf("got %v, want why it does not load", err)
	}
	s.write("a.yaml", named("ant", "2.0.0")+"foo: bar\n")
	for range 2 {
		ch := s.reload()
		if broken := s.lib.Broken(); s.version("ant") != "1.0.0" || len(broken) != 2 || broken[0].Name != "ant" || broken[1].Name != "" {
			t.Fatalf("got %q, broken %+v, want 1.0.0 kept and said", s.version("ant"), broken)
		}
		if len(ch.Gone) != 0 {
			t.Errorf("got %v gone, want none", ch.Gone)
		}
		s.write("a.yaml", named("ant", "3.0.0")+"foo: baz\n")
	}
	s.write("a.yaml", named("ant", "4.0.0"))
	if ch := s.reload(); s.version("ant") != "4.0.0" || !reflect.DeepEqual(ch.Loaded, []string{"ant"}) {
		t.Errorf("got %q, %+v, want the repaired version", s.version("ant"), ch)
	}
}

func TestLibrary_says_that_a_directory_vanished_and_keeps_what_it_has(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0")})
	if err := os.Rename(s.dir, s.dir+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.lib.Reload(); err == nil || !strings.Contains(err.Error(), s.dir) || !strings.Contains(err.Error(), "1 that were loaded stay") {
		t.Errorf("got %v, want the directory and what stays", err)
	}
	if s.version("ant") != "1.0.0" {
		t.Error("got no ant, want what was loaded")
	}
	if err := os.Rename(s.dir+".away", s.dir); err != nil {
		t.Fatal(err)
	}
	s.write("a.yaml", named("ant", "2.0.0"))
	if s.reload(); s.version("ant") != "2.0.0" {
		t.Errorf("got %q, want the new version once it is back", s.version("ant"))
	}
	if _, err := playbooks.OpenLibrary(filepath.Join(s.dir, "nowhere"), anything{}); err == nil {
		t.Error("got a library of a directory that is not there")
	}
}

func TestLibrary_gives_a_name_to_one_file(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0"), "b.yaml": named("ant", "2.0.0")})
	broken := s.lib.Broken()
	if s.version("ant") != "1.0.0" || len(broken) != 1 || broken[0].File != "b.yaml" || broken[0].Name != "" || !strings.Contains(broken[0].Problems.Error(), "taken by a.yaml") {
		t.Errorf("got %q, %+v, want the first file to have the name", s.version("ant"), broken)
	}
}

func TestLibrary_keeps_a_name_with_the_file_that_has_it(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"m.yaml": named("ant", "1.0.0")})
	s.write("a.yaml", named("ant", "9.0.0"))
	s.reload()
	if broken := s.lib.Broken(); s.version("ant") != "1.0.0" || len(broken) != 1 || broken[0].File != "a.yaml" {
		t.Errorf("got %q, %+v, want the newcomer refused", s.version("ant"), broken)
	}
	s.write("m.yaml", named("ant", "1.1.0")+"foo: bar\n")
	s.reload()
	if broken := s.lib.Broken(); s.version("ant") != "1.0.0" || len(broken) != 2 {
		t.Errorf("got %q, %+v, want the last good version of m.yaml", s.version("ant"), broken)
	}
	s.remove("m.yaml")
	if s.reload(); s.version("ant") != "9.0.0" || len(s.lib.Broken()) != 0 {
		t.Errorf("got %q, %+v, want the name to be free", s.version("ant"), s.lib.Broken())
	}
}

func TestLibrary_follows_a_renamed_file_and_a_renamed_playbook(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0")})
	if err := os.Rename(filepath.Join(s.dir, "a.yaml"), filepath.Join(s.dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	if ch := s.reload(); len(ch.Gone) != 0 || s.version("ant") != "1.0.0" {
		t.Errorf("got %+v, want the playbook still there", ch)
	}
	s.write("b.yaml", named("bee", "1.0.0"))
	if ch := s.reload(); !reflect.DeepEqual(ch.Gone, []string{"ant"}) || !reflect.DeepEqual(ch.Loaded, []string{"bee"}) {
		t.Errorf("got %+v, want ant gone and bee loaded", ch)
	}
}

func TestLibrary_reads_regular_files_of_its_directory_only(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0"), "huge.yaml": strings.Repeat("#", 1<<20+1)})
	outside := filepath.Join(filepath.Dir(s.dir), "outside.yaml")
	if err := os.WriteFile(outside, []byte(named("secret", "1.0.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"out.yaml": outside, "in.yaml": "data/in.yaml", "gone.yaml": "nothing"} {
		if err := os.Symlink(target, filepath.Join(s.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"data", "dir.yaml"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.write("data/in.yaml", named("inner", "1.0.0"))
	s.reload()
	var broken []string
	for _, b := range s.lib.Broken() {
		broken = append(broken, b.File)
	}
	if !reflect.DeepEqual(broken, []string{"dir.yaml", "gone.yaml", "huge.yaml", "out.yaml"}) {
		t.Errorf("got broken %v", broken)
	}
	if s.version("secret") != "" || s.version("inner") != "1.0.0" || s.version("ant") != "1.0.0" {
		t.Error("got a file from outside, or missed one from inside")
	}
}

func TestLibrary_refuses_a_circle_where_it_came_in(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": starter("a", "1.0.0", "b"), "b.yaml": starter("b", "1.0.0", "c"), "c.yaml": starter("c", "1.0.0")})
	if broken := s.lib.Broken(); len(broken) != 0 {
		t.Fatalf("got broken %+v, want none", broken)
	}
	s.write("c.yaml", starter("c", "2.0.0", "a"))
	for range 2 { // the second time because something else changed
		ch := s.reload()
		broken := s.lib.Broken()
		if len(broken) != 1 || broken[0].File != "c.yaml" || broken[0].Name != "c" || !strings.Contains(broken[0].Problems.Error(), "c.yaml:6:22: the playbooks start each other without end: c → a → b → c") {
			t.Fatalf("got broken %+v, want the circle at the task of c", broken)
		}
		if s.version("c") != "1.0.0" || s.version("a") != "1.0.0" || len(ch.Gone) != 0 {
			t.Errorf("got c %q and a %q, %+v, want the last good versions", s.version("c"), s.version("a"), ch)
		}
		s.write("d.yaml", starter("d", "1.0.0"))
	}
	s.write("c.yaml", starter("c", "3.0.0", "d"))
	if s.reload(); s.version("c") != "3.0.0" || len(s.lib.Broken()) != 0 {
		t.Errorf("got %q, broken %+v, want the repaired version", s.version("c"), s.lib.Broken())
	}
}

func TestLibrary_refuses_one_playbook_of_a_circle_that_was_always_there(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": starter("a", "1.0.0", "b"), "b.yaml": starter("b", "1.0.0", "a"), "c.yaml": starter("c", "1.0.0", "a")})
	broken := s.lib.Broken()
	if len(broken) != 1 || broken[0].File != "a.yaml" || broken[0].Name != "" || s.version("b") == "" || s.version("c") == "" {
		t.Errorf("got broken %+v, want a alone refused", broken)
	}
	if _, err := s.lib.Get("a"); err == nil || !strings.Contains(err.Error(), "a → b → a") {
		t.Errorf("got %v, want the circle", err)
	}
}

func TestLibrary_refuses_a_playbook_that_starts_what_is_not_there(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": starter("a", "1.0.0", "handle"), "h.yaml": starter("handler", "1.0.0"), "broken.yaml": "name: bee\n", "d.yaml": starter("d", "1.0.0", "bee", "a")})
	broken := s.lib.Broken()
	if len(broken) != 2 || broken[0].File != "a.yaml" || !strings.Contains(broken[0].Problems.Error(), `a.yaml:6:22: there is no playbook "handle" to start; did you mean "handler"?`) {
		t.Fatalf("got broken %+v, want a, and broken.yaml", broken)
	}
	if s.version("a") != "" {
		t.Error("got a, want it refused")
	}
	if s.version("d") == "" {
		t.Error("got no d, want it loaded: what it starts is there and is told at its own file")
	}
	s.write("a.yaml", starter("a", "1.1.0", "handler"))
	s.reload()
	s.remove("h.yaml")
	for range 2 {
		s.reload()
		if broken := s.lib.Broken(); s.version("a") != "1.1.0" || len(broken) != 2 || broken[0].Name != "a" {
			t.Errorf("got %q, broken %+v, want a kept, and told that the handler went away", s.version("a"), broken)
		}
		s.write("x.yaml", starter("x", "1.0.0"))
	}
}

func TestLibrary_is_safe_for_concurrent_use(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"a.yaml": named("ant", "1.0.0")})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				if _, err := s.lib.Reload(); err != nil {
					t.Error(err)
				}
				if s.version("ant") == "" {
					t.Error("the playbook was away for a moment")
				}
				_, _ = s.lib.List(), s.lib.Broken()
			}
		})
	}
	for i := range 25 {
		version := "1.0." + string(rune('a'+i))
		next := filepath.Join(s.dir, "next")
		if err := os.WriteFile(next, []byte(named("ant", version)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(s.dir, "a.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if s.reload(); s.version("ant") != "1.0.y" {
		t.Errorf("got %q, want the last version written", s.version("ant"))
	}
}

func TestLibrary_passes_over_case_files(t *testing.T) {
	t.Parallel()
	for name, book := range map[string]bool{"a.yaml": true, "a.yml": true, "a_test.yaml": false, "a_test.yml": false, ".a.yaml": false, "a.txt": false, "test.yaml": true} {
		if got := playbooks.IsBookFile(name); got != book {
			t.Errorf("%s: got %t", name, got)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": strings.Replace(head, "name: b", "name: a", 1) + "tasks: [{any: {}}]\n", "a_test.yaml": "playbook: a\ncases: []\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lib, err := playbooks.OpenLibrary(dir, anything{})
	if err != nil || len(lib.List()) != 1 || len(lib.Broken()) != 0 {
		t.Errorf("got %d playbooks, broken %v (%v)", len(lib.List()), lib.Broken(), err)
	}
}
