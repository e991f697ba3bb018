package booktest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// Shelf is the playbooks of a folder.
type Shelf struct {
	dir    string
	books  map[string]*playbooks.Playbook
	broken map[string]error // by the file's name without its ending
}

// OpenShelf reads every playbook of a folder. Case files among them, *_test.yaml, are passed over. One that
// does not load fails the cases that need it.
func OpenShelf(dir string, v playbooks.Vocabulary) (*Shelf, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read playbooks: %w", err)
	}
	s := &Shelf{dir: dir, books: make(map[string]*playbooks.Playbook), broken: make(map[string]error)}
	for _, e := range entries {
		if !playbooks.IsBookFile(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read playbooks: %w", err)
		}
		book, err := playbooks.Parse(path, data, v)
		if err != nil {
			s.broken[strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))] = err
			continue
		}
		s.books[book.Name] = book
	}
	return s, nil
}

// missing says why there is no playbook of that name, and what to do; nil when there is one.
func (s *Shelf) missing(name string) (remedy string, err error) {
	if s.books[name] != nil {
		return "", nil
	}
	if err, ok := s.broken[name]; ok {
		return "correct the playbook", fmt.Errorf("playbook %q does not load: %w", name, err)
	}
	if len(s.books) == 0 {
		return "correct the name", fmt.Errorf("there is no playbook %q in %s", name, s.dir)
	}
	return suggest(strings.TrimSuffix(name, filepath.Ext(name)), sorted(s.books)), fmt.Errorf("there is no playbook %q in %s", name, s.dir)
}

// shelf is the playbooks as the engine of a case sees them: each data store is of a type of its own, which
// stands in for the real one.
type shelf struct {
	books  []*playbooks.Playbook
	broken map[string]error
	agents map[string]string
}

func (s *Shelf) forCase() *shelf {
	out := &shelf{broken: s.broken, agents: map[string]string{"rpcutil": "0.29.4"}}
	for _, name := range sorted(s.books) {
		out.books = append(out.books, s.books[name])
		for _, u := range s.books[name].Uses {
			out.agents[u.Agent] = fit(u.Range.Source())
		}
	}
	return out
}

// stores lists the data stores of all playbooks.
func (s *shelf) stores() []string {
	var out []string
	for _, b := range s.books {
		for _, part := range b.DataStores {
			out = append(out, part.Name)
		}
	}
	return out
}

// Get implements [engine.Books].
func (s *shelf) Get(name string) (*playbooks.Playbook, error) {
	if b, ok := s.find(func(b *playbooks.Playbook) bool { return b.Name == name }); ok {
		return b, nil
	}
	if err, ok := s.broken[name]; ok {
		return nil, fmt.Errorf("playbook %q does not load: %w", name, err)
	}
	return nil, &playbooks.NotFoundError{Name: name}
}

// ByDigest implements [engine.Books].
func (s *shelf) ByDigest(digest string) (*playbooks.Playbook, bool) {
	return s.find(func(b *playbooks.Playbook) bool { return b.Digest == digest })
}

func (s *shelf) find(is func(*playbooks.Playbook) bool) (*playbooks.Playbook, bool) {
	i := slices.IndexFunc(s.books, is)
	if i < 0 {
		return nil, false
	}
	b := *s.books[i]
	b.DataStores = slices.Clone(b.DataStores)
	for k, part := range b.DataStores {
		b.DataStores[k].Type = double(s.books[i], part)
	}
	return &b, true
}

// fitting is every agent that the playbooks use, in a version that fits.
func (s *shelf) fitting() map[string]string { return s.agents }

var versionWord = regexp.MustCompile(`(\d+)(?:\.(\d+))?(?:\.(\d+))?`)

// fit finds a version that satisfies a range: one that it names, or a little more.
func fit(constraint string) string {
	const anything = "1.0.0"
	r, err := playbooks.ParseVersionRange(constraint)
	if err != nil {
		return anything
	}
	for _, word := range versionWord.FindAllStringSubmatch(constraint, -1) {
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(word[i+1]) // what is left out is 0
		}
		for _, v := range [][3]int{n, {n[0], n[1], n[2] + 1}, {n[0], n[1] + 1, 0}, {n[0] + 1, 0, 0}} {
			candidate := fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
			if ok, err := r.Contains(candidate); ok && err == nil {
				return candidate
			}
		}
	}
	return anything
}

// Found is a case file with the folder of the playbooks that it tests.
type Found struct{ File, Books string }

// Find lists the case files of a folder of playbooks: those in its folder tests, and those beside the
// playbooks that end in _test.yaml. The path of a folder tests, or of one file, is taken for that alone.
func Find(path string) ([]Found, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look for cases: %w", err)
	}
	if !info.IsDir() {
		return []Found{{File: path, Books: booksOf(filepath.Dir(path))}}, nil
	}
	if booksOf(path) != path {
		return list(path, eitherFile)
	}
	out, err := list(path, playbooks.IsCaseFile)
	if err != nil {
		return nil, err
	}
	more, err := list(filepath.Join(path, tests), eitherFile)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return append(out, more...), err
}

// eitherFile reports whether a file of the folder tests holds cases: every YAML file there does.
func eitherFile(name string) bool { return playbooks.IsBookFile(name) || playbooks.IsCaseFile(name) }

// tests is the folder of case files beside the playbooks.
const tests = "tests"

// booksOf is the folder of the playbooks that the case files of a folder test.
func booksOf(dir string) string {
	abs, err := filepath.Abs(dir)
	if err == nil && filepath.Base(abs) == tests {
		return filepath.Join(dir, "..")
	}
	return dir
}

func list(dir string, is func(string) bool) ([]Found, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for cases: %w", err)
	}
	var out []Found
	for _, e := range entries {
		if is(e.Name()) && !e.IsDir() {
			out = append(out, Found{File: filepath.Join(dir, e.Name()), Books: booksOf(dir)})
		}
	}
	return out, nil
}
