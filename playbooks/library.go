package playbooks

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Library is a directory of playbooks. Reading it again is atomic: a file that does not load keeps
// the last good version of its playbook. Every version that was ever loaded stays known by its
// content digest. Safe for concurrent use.
type Library struct {
	dir   string
	vocab Vocabulary

	reload sync.Mutex // one reload at a time, so that none puts back what another replaced

	mu       sync.RWMutex // guards what follows
	byName   map[string]*Playbook
	byDigest map[string]*Playbook
	broken   []BrokenFile
	print    string // fingerprint of the directory
}

// BrokenFile is a file that does not load.
type BrokenFile struct {
	File     string
	Name     string // of the playbook whose last good version is kept; empty when there is none
	Problems error
}

// Changes says what a reload found.
type Changes struct {
	Loaded []string // new or changed playbooks
	Gone   []string
	Broken []BrokenFile
}

// NotFoundError says that there is no playbook of that name.
type NotFoundError struct {
	Name    string
	Nearest string // "" when no name is near
}

// Error implements error.
func (e *NotFoundError) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("there is no playbook %q; did you mean %q?", e.Name, e.Nearest)
	}
	return fmt.Sprintf("there is no playbook %q; `list` shows what there is", e.Name)
}

// OpenLibrary reads a directory. Files that do not load are no error here: see [Library.Broken].
func OpenLibrary(dir string, v Vocabulary) (*Library, error) {
	l := &Library{dir: dir, vocab: v, byName: map[string]*Playbook{}, byDigest: map[string]*Playbook{}}
	_, err := l.Reload()
	return l, err
}

// Reload reads the directory again when anything in it has changed. A directory that cannot be
// read is an error, and everything that was loaded stays.
func (l *Library) Reload() (Changes, error) {
	l.reload.Lock()
	defer l.reload.Unlock()
	files, print, err := l.scan()
	if err != nil {
		if n := len(l.List()); n > 0 {
			return Changes{}, fmt.Errorf("read playbooks: %w; the %d that were loaded stay", err, n)
		}
		return Changes{}, fmt.Errorf("read playbooks: %w; name the folder that holds them, and let playbot read it", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if print == l.print {
		return Changes{}, nil
	}
	return l.replace(files, print, false), nil
}

// Recheck checks every file again although none has changed, because the vocabulary knows more than it did. A
// playbook that it refuses now is taken away: unlike after a bad edit, no version of it is good.
func (l *Library) Recheck() (Changes, error) {
	edits, err := l.Reload()
	if err != nil {
		return edits, err
	}
	l.reload.Lock()
	defer l.reload.Unlock()
	files, print, err := l.scan()
	if err != nil {
		return edits, fmt.Errorf("read playbooks: %w; those that were loaded stay", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := l.replace(files, print, true)
	ch.Loaded, ch.Gone = append(edits.Loaded, ch.Loaded...), append(edits.Gone, ch.Gone...)
	return ch, nil
}

// replace puts what was read in place of what was there; again checks also what was checked before. The
// caller holds the lock.
func (l *Library) replace(files []readFile, print string, again bool) Changes {
	var ch Changes
	shelf := l.sort(files, again)
	next := l.settle(shelf)
	for _, f := range shelf {
		if err := f.wrong(); err != nil {
			b := BrokenFile{File: f.name, Problems: err}
			if f.had != nil && next[f.had.Name] == f.had {
				b.Name = f.had.Name
			}
			ch.Broken = append(ch.Broken, b)
			continue
		}
		if old := l.byName[f.book.Name]; old == nil || old.Digest != f.book.Digest {
			ch.Loaded = append(ch.Loaded, f.book.Name)
		}
		l.byDigest[f.book.Digest] = f.book
	}
	for name := range l.byName {
		if next[name] == nil {
			ch.Gone = append(ch.Gone, name)
		}
	}
	slices.SortFunc(ch.Broken, func(a, b BrokenFile) int { return strings.Compare(a.File, b.File) })
	slices.Sort(ch.Loaded)
	slices.Sort(ch.Gone)
	l.byName, l.broken, l.print = next, ch.Broken, print
	return ch
}

// sort parses the files and puts those first that had their playbook before, so that no newcomer
// takes its name.
func (l *Library) sort(files []readFile, again bool) []readFile {
	had := make(map[string]*Playbook, len(l.byName))
	for _, b := range l.byName {
		had[b.File] = b
	}
	var first, then []readFile
	for _, f := range files {
		f.had = had[f.name]
		f.book, f.err = l.parse(f, again)
		known := f.had != nil && (f.err != nil || f.book.Name == f.had.Name)
		if known && again && f.err != nil && f.had.Digest == digestOf(f.data) {
			f.had = nil
		}
		if known {
			first = append(first, f)
		} else {
			then = append(then, f)
		}
	}
	return append(first, then...)
}

func (l *Library) parse(f readFile, again bool) (*Playbook, error) {
	if f.err != nil {
		return nil, f.err
	}
	if again {
		return Parse(f.name, f.data, l.vocab)
	}
	if b := l.byDigest[digestOf(f.data)]; b != nil && b.File == f.name {
		return b, nil
	}
	return Parse(f.name, f.data, l.vocab)
}

type readFile struct {
	name  string
	data  []byte
	err   error
	clash error     // another file has its name
	book  *Playbook // nil when it could not be read
	had   *Playbook // the playbook that this file gave before
}

// wrong says why the playbook of a file does not count; nil when it does.
func (f *readFile) wrong() error { return cmp.Or(f.err, f.clash) }

// scan reads the regular files of the directory through a root that symbolic links cannot leave.
func (l *Library) scan() ([]readFile, string, error) {
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, "", err
	}
	var files []readFile
	var print strings.Builder
	for _, e := range entries {
		if !IsBookFile(e.Name()) {
			continue
		}
		f := readOne(root, e.Name())
		files = append(files, f)
		fmt.Fprintf(&print, "%s %s %v\n", f.name, digestOf(f.data), f.err)
	}
	return files, print.String(), nil
}

// IsBookFile reports whether a file of that name holds a playbook: a YAML file that is not hidden and
// holds no cases, see [IsCaseFile].
func IsBookFile(name string) bool { return isYAML(name) && !IsCaseFile(name) }

// IsCaseFile reports whether a file beside playbooks holds cases that test them, as in web_upgrade_test.yaml.
func IsCaseFile(name string) bool {
	return isYAML(name) && strings.HasSuffix(strings.TrimSuffix(name, filepath.Ext(name)), "_test")
}

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(filepath.Base(name), ".")
}

func readOne(root *os.Root, name string) readFile {
	info, err := root.Stat(name)
	if err != nil {
		return readFile{name: name, err: err}
	}
	if !info.Mode().IsRegular() {
		return readFile{name: name, err: fmt.Errorf("%s is not a regular file; put the file itself here", name)}
	}
	if info.Size() > maxSize {
		return readFile{name: name, err: fmt.Errorf("%s has %d bytes; a playbook has at most %d", name, info.Size(), maxSize)}
	}
	data, err := root.ReadFile(name)
	return readFile{name: name, data: data, err: err}
}

// Get returns a playbook by its name. The error is a *NotFoundError, or says why the file does not load.
func (l *Library) Get(name string) (*Playbook, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if b, ok := l.byName[name]; ok {
		return b, nil
	}
	for _, b := range l.broken {
		if strings.TrimSuffix(b.File, filepath.Ext(b.File)) == name {
			return nil, fmt.Errorf("playbook %q does not load: %w", name, b.Problems)
		}
	}
	return nil, &NotFoundError{Name: name, Nearest: Nearest(name, sortedKeys(l.byName))}
}

// List returns every playbook, sorted by name.
func (l *Library) List() []*Playbook {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]*Playbook, 0, len(l.byName))
	for _, name := range sortedKeys(l.byName) {
		out = append(out, l.byName[name])
	}
	return out
}

// Broken returns the files that do not load.
func (l *Library) Broken() []BrokenFile {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.broken)
}

// ByDigest returns a version of a playbook that this library has loaded.
func (l *Library) ByDigest(digest string) (*Playbook, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b, ok := l.byDigest[digest]
	return b, ok
}

// IsNotFound reports whether an error says that there is no such playbook.
func IsNotFound(err error) bool {
	_, ok := errors.AsType[*NotFoundError](err)
	return ok
}
