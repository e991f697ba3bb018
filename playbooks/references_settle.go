package playbooks

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// settle decides which playbook has which name, and refuses what does not go with the others. Each
// refusal may put an older version in its place, so that it looks again until nothing changes.
func (l *Library) settle(shelf []readFile) map[string]*Playbook {
	refused := make(map[*Playbook]bool)
	for {
		next, declared := allot(shelf)
		all := links{books: next, refused: refused, fresh: func(b *Playbook) bool {
			old := l.byName[b.Name]
			return old == nil || old.Digest != b.Digest
		}}
		again := false
		for i := range shelf {
			f := &shelf[i]
			if f.wrong() != nil {
				continue
			}
			if bad := all.unknown(f.book, declared); bad != nil {
				f.err, again = &Problems{list: bad}, true
			}
		}
		if again {
			continue
		}
		b := all.circular()
		if b == nil {
			return next
		}
		for i := range shelf {
			if f := &shelf[i]; f.book == b && f.wrong() == nil {
				f.err = &Problems{list: all.cycles(b)}
			}
		}
		refused[b] = true
	}
}

// allot gives each name to the first file that has it. It returns the playbooks by name, and the
// names that files which do not load were meant for.
func allot(shelf []readFile) (next map[string]*Playbook, declared []string) {
	next = make(map[string]*Playbook, len(shelf))
	for i := range shelf {
		f := &shelf[i]
		f.clash = nil
		if f.err == nil && next[f.book.Name] != nil {
			f.clash = fmt.Errorf("%s: the name %q is taken by %s; give one of them another name", f.name, f.book.Name, next[f.book.Name].File)
		}
		switch {
		case f.wrong() == nil:
			next[f.book.Name] = f.book
			continue
		case f.had != nil && next[f.had.Name] == nil:
			next[f.had.Name] = f.had
		}
		declared = append(declared, DeclaredNames(f.name, f.data)...)
	}
	return next, declared
}

var nameLine = regexp.MustCompile(`(?m)^name:[ \t]*["']?([A-Za-z0-9][A-Za-z0-9_-]*)`)

// DeclaredNames are the names that a file which does not load may have been meant for.
func DeclaredNames(file string, data []byte) []string {
	base := filepath.Base(file)
	out := []string{strings.TrimSuffix(base, filepath.Ext(base))}
	if m := nameLine.FindSubmatch(data); m != nil {
		out = append(out, string(m[1]))
	}
	return out
}
