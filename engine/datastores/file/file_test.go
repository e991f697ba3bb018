package file_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/file"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
	"github.com/playbot/playbot/playbooks"
)

func properties(path, format string) map[string]any {
	return map[string]any{"file": path, "format": format, "create": true}
}

func open(t *testing.T, path, format string) engine.DataStore {
	t.Helper()
	return datastoretest.Open(t, file.Type(""), properties(path, format))
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStore_passesTheSuite(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"yaml", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			datastoretest.Run(t, datastoretest.Case{Type: file.Type(""), Properties: func(t *testing.T) map[string]any {
				t.Helper()
				return properties(filepath.Join(t.TempDir(), "store"), format)
			}})
		})
	}
}

func TestStore_readsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		format, content, key string
		want                 any
	}{
		{"yaml", "batch: 3\n", "batch", 3},
		{"yaml", "when: 2026-01-02\n", "when", "2026-01-02"},
		{"yaml", "at: 2026-01-02T03:04:05Z\n", "at", "2026-01-02T03:04:05Z"},
		{"yaml", "ports:\n  80: http\n  443: https\n", "ports", map[string]any{"80": "http", "443": "https"}},
		{"yaml", "list:\n  - {1: a}\n", "list", []any{map[string]any{"1": "a"}}},
		{"yaml", "base: &b {a: 1}\nmore: *b\n", "more", map[string]any{"a": 1}},
		{"yaml", "a/b: deep\n", "a/b", "deep"},
		{"json", `{"batch": 3, "share": 0.5, "big": 9007199254740993}`, "big", 9007199254740993},
		{"json", `{"batch": 3, "share": 0.5}`, "share", 0.5},
	} {
		s := open(t, write(t, "s", row.content), row.format)
		if got, err := s.Get(t.Context(), row.key); err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s\ngot %T %#v, %v; want %T %#v", row.content, got, got, err, row.want, row.want)
		}
	}
}

func TestStore_emptyFileIsAnEmptyMapping(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"yaml", "json"} {
		s := open(t, write(t, "s", ""), format)
		if _, err := s.Get(t.Context(), "k"); !errors.Is(err, engine.ErrNoKey) {
			t.Errorf("%s: got %v", format, err)
		}
	}
}

func TestStore_createMakesTheFileAtTheFirstWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.yaml")
	s := open(t, path, "yaml")
	if err := s.Put(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "k: v\n" {
		t.Errorf("got %q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v; want a file for its owner alone", info.Mode(), err)
	}
}

func TestStore_errorsNameTheFileAndSayWhatToDo(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone.yaml")
	for name, row := range map[string]struct {
		path, format string
		create       bool
		want         string
	}{
		"missing":        {gone, "yaml", false, "create: true"},
		"missing folder": {filepath.Join(gone, "s.yaml"), "yaml", true, "create the folder"},
		"broken YAML":    {write(t, "s.yaml", "a: [1\n"), "yaml", false, "yaml mapping"},
		"a list":         {write(t, "s.yaml", "- a\n"), "yaml", false, "yaml mapping"},
		"broken JSON":    {write(t, "s.json", `{"a": `), "json", false, "json mapping"},
		"a JSON list":    {write(t, "s.json", `[1]`), "json", false, "json mapping"},
		"two documents":  {write(t, "s.json", `{"a": 1} {"b": 2}`), "json", false, "json mapping"},
		"a folder":       {t.TempDir(), "yaml", false, "is a directory"},
	} {
		s := datastoretest.Open(t, file.Type(""), map[string]any{"file": row.path, "format": row.format, "create": row.create})
		_, getErr := s.Get(t.Context(), "k")
		for what, err := range map[string]error{"get": getErr, "put": s.Put(t.Context(), "k", "v"), "delete": s.Delete(t.Context(), "k")} {
			if what == "get" && row.create && errors.Is(err, engine.ErrNoKey) {
				continue // what can be created is empty
			}
			if err == nil || !strings.Contains(err.Error(), row.path) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: %s: got %v, want %s and %q", name, what, err, row.path, row.want)
			}
		}
	}
	if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was created without create: true: %v", err)
	}
}

func TestStore_brokenFileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	path := write(t, "s.yaml", "a: [1\n")
	if err := open(t, path, "yaml").Put(t.Context(), "k", "v"); err == nil {
		t.Error("a broken file was written to")
	}
	if data, _ := os.ReadFile(path); string(data) != "a: [1\n" {
		t.Errorf("got %q", data)
	}
}

func TestStore_writingKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	path := write(t, "real.yaml", "a: 1\n")
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := open(t, link, "yaml").Put(t.Context(), "b", 2); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became a file: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(path); string(data) != "a: 1\nb: 2\n" {
		t.Errorf("got %q", data)
	}
}

func TestStore_writingIsAtomic(t *testing.T) {
	t.Parallel()
	path := write(t, "s.yaml", "a: 1\n")
	before, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := open(t, path, "yaml").Put(t.Context(), "a", 2); err != nil {
		t.Fatal(err)
	}
	old := make([]byte, 16)
	if n, _ := before.Read(old); string(old[:n]) != "a: 1\n" {
		t.Errorf("whoever reads the file meanwhile sees %q, want the whole of what was there", old[:n])
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".s.yaml-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestType_checksItsProperties(t *testing.T) {
	t.Parallel()
	for want, props := range map[string]map[string]any{
		"file is missing":            {"format": "yaml"},
		"format is missing":          {"file": "x"},
		`format cannot be "toml"`:    {"file": "x", "format": "toml"},
		"create must be true or":     {"file": "x", "format": "yaml", "create": "maybe"},
		"timeout must be a duration": {"file": "x", "format": "yaml", "timeout": "soon"},
	} {
		if _, err := file.Type("").Decode(playbooks.FromMap(props)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", props, err, want)
		}
	}
}

func TestType_relativePathsStartAtTheDataFolderAndTildeAtHome(t *testing.T) {
	data, home := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	for path, want := range map[string]string{"s.yaml": data, "~/s.yaml": home} {
		s := datastoretest.Open(t, file.Type(data), properties(path, "yaml"))
		if err := s.Put(t.Context(), "k", path); err != nil {
			t.Fatal(err)
		}
		if raw, err := os.ReadFile(filepath.Join(want, "s.yaml")); err != nil || !strings.Contains(string(raw), path) {
			t.Errorf("%s: got %q, %v", path, raw, err)
		}
	}
}
