package playbooks

import (
	"cmp"
	"slices"
	"strings"
)

// Start is a task that starts another playbook.
type Start struct {
	Name string
	Pos  Pos // of the name
}

// Starts returns which playbooks a playbook starts, as far as their names stand in the file.
func (p *Playbook) Starts() []Start {
	var out []Start
	for _, t := range p.AllTasks() {
		name := t.Properties.Lookup("name")
		if t.Type == "playbook" && name.kind == scalar && name.raw != "" {
			out = append(out, Start{Name: name.raw, Pos: name.pos})
		}
	}
	return out
}

// Together checks what the playbooks of one directory say about each other: each has a name of its
// own, starts playbooks that are there, and never starts itself over others. declared are the names
// in files that do not load. The result is by file; a file without problems is not in it.
func Together(books []*Playbook, declared []string) map[string]*Problems {
	out := make(map[string]*Problems)
	add := func(b *Playbook, list []*Problem) {
		if len(list) == 0 {
			return
		}
		if out[b.File] == nil {
			out[b.File] = &Problems{}
		}
		out[b.File].list = append(out[b.File].list, list...)
		out[b.File].tidy()
	}
	l := links{books: make(map[string]*Playbook, len(books)), refused: make(map[*Playbook]bool)}
	for _, b := range books {
		if first := l.books[b.Name]; first != nil {
			add(b, []*Problem{b.ProblemAt(b.namePos(), "give one of them another name", "the name %q is taken by %s", b.Name, first.File)})
			continue
		}
		l.books[b.Name] = b
	}
	for _, b := range books {
		add(b, l.unknown(b, declared))
	}
	for b := l.circular(); b != nil; b = l.circular() {
		add(b, l.cycles(b))
		l.refused[b] = true
	}
	return out
}

// namePos is where a playbook says its name.
func (p *Playbook) namePos() Pos {
	m := nameLine.FindSubmatchIndex(p.Source)
	if m == nil {
		return Pos{Line: 1, Column: 1}
	}
	return Pos{Line: 1 + strings.Count(string(p.Source[:m[0]]), "\n"), Column: 1 + m[2] - m[0]}
}

// links are playbooks by name, and what they start.
type links struct {
	books   map[string]*Playbook
	fresh   func(*Playbook) bool // came with the last change; nil: all did
	refused map[*Playbook]bool   // told already: what they start does not count
	starts  map[*Playbook][]Start
	sorted  []string // the names; books does not change
}

// of returns what a playbook starts, each name once, of what is there.
func (l *links) of(b *Playbook) []Start {
	if l.refused[b] {
		return nil
	}
	if known, ok := l.starts[b]; ok {
		return known
	}
	var out []Start
	for _, s := range b.Starts() {
		if l.books[s.Name] != nil && !slices.ContainsFunc(out, func(o Start) bool { return o.Name == s.Name }) {
			out = append(out, s)
		}
	}
	if l.starts == nil {
		l.starts = make(map[*Playbook][]Start)
	}
	l.starts[b] = out
	return out
}

// unknown tells the tasks that start a playbook which is not there. One that is there and does not
// load is told at its own file.
func (l *links) unknown(b *Playbook, declared []string) []*Problem {
	var out []*Problem
	for _, s := range b.Starts() {
		if l.books[s.Name] != nil || slices.Contains(declared, s.Name) {
			continue
		}
		remedy := "add a playbook of that name to the folder, or correct the name"
		if near := Nearest(s.Name, sortedKeys(l.books)); near != "" {
			remedy = suggest(s.Name, []string{near})
		}
		out = append(out, b.ProblemAt(s.Pos, remedy, "there is no playbook %q to start", s.Name))
	}
	return out
}

// circular returns a playbook to refuse because it starts itself over others; nil when none does.
// Of those in a circle it is one that came with the last change, the first by name.
func (l *links) circular() *Playbook {
	const (
		open = 1 + iota
		done
	)
	state := make(map[string]int, len(l.books))
	var path []*Playbook
	var visit func(b *Playbook) *Playbook
	visit = func(b *Playbook) *Playbook {
		state[b.Name] = open
		path = append(path, b)
		for _, s := range l.of(b) {
			next := l.books[s.Name]
			if state[s.Name] == open {
				return l.blame(path[slices.Index(path, next):])
			}
			if state[s.Name] == 0 {
				if found := visit(next); found != nil {
					return found
				}
			}
		}
		path = path[:len(path)-1]
		state[b.Name] = done
		return nil
	}
	if l.sorted == nil {
		l.sorted = sortedKeys(l.books)
	}
	for _, name := range l.sorted {
		if state[name] == 0 {
			if found := visit(l.books[name]); found != nil {
				return found
			}
		}
	}
	return nil
}

func (l *links) blame(circle []*Playbook) *Playbook {
	rank := func(b *Playbook) int {
		if l.fresh == nil || l.fresh(b) {
			return 0
		}
		return 1
	}
	return slices.MinFunc(circle, func(a, b *Playbook) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Name, b.Name))
	})
}

// cycles tells each task of a playbook that leads back to it, once for each name.
func (l *links) cycles(b *Playbook) []*Problem {
	var out []*Problem
	for _, s := range l.of(b) {
		if way := l.way(s.Name, b.Name); way != nil {
			out = append(out, b.ProblemAt(s.Pos, "take out one of these playbook tasks",
				"the playbooks start each other without end: %s", strings.Join(append([]string{b.Name}, way...), " → ")))
		}
	}
	return out
}

// way is the shortest way from one playbook to another, both ends included; nil when there is none.
func (l *links) way(from, to string) []string {
	came := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			var out []string
			for name := at; name != ""; name = came[name] {
				out = append(out, name)
			}
			slices.Reverse(out)
			return out
		}
		for _, s := range l.of(l.books[at]) {
			if _, seen := came[s.Name]; !seen {
				came[s.Name] = at
				queue = append(queue, s.Name)
			}
		}
	}
	return nil
}
