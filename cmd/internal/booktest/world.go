package booktest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// world is everything outside a run, as a case declares it. Safe for concurrent use.
type world struct {
	surroundings
	shelf *shelf
	began time.Time

	mu         sync.Mutex // guards what follows
	counts     map[string]int
	calls      []asked                // what nodes were asked, a request each
	did        map[string][]acted     // what was done outside, by section
	undeclared []string               // what nobody declared, each once
	opened     map[string]*shared     // data stores, by name
	used       map[playbooks.Pos]bool // declarations that came to pass
}

// asked is one request to nodes.
type asked struct {
	action string
	nodes  []string
	data   map[string]any
}

// acted is something that was done outside.
type acted struct {
	text string
	data any
}

func newWorld(s *surroundings, shelf *shelf) *world {
	return &world{
		surroundings: *s, shelf: shelf, began: time.Now(), counts: make(map[string]int), did: make(map[string][]acted),
		opened: make(map[string]*shared), used: make(map[playbooks.Pos]bool),
	}
}

// lack records that something was not declared, and is the error that the task fails with.
func (w *world) lack(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.undeclared, text) {
		w.undeclared = append(w.undeclared, text)
	}
	return engine.Errorf(engine.CodeInvalid, "%s", text)
}

// count counts how often something happened, this time included.
func (w *world) count(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
	return w.counts[what]
}

// act records what is done outside, and finds the answer that is declared for it.
func (w *world) act(section string, done acted, fits func(answer) bool) (answer, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did[section] = append(w.did[section], done)
	w.counts[section+" "+done.text]++
	for _, a := range w.outside[section] {
		if fits(a) && a.call.hold(w.counts[section+" "+done.text]) {
			w.used[a.pos] = true
			return a, true
		}
	}
	return answer{}, false
}

// present lists the nodes that are there now, by name.
func (w *world) present() []node {
	var out []node
	for _, n := range w.nodes {
		if time.Since(w.began) >= n.joins {
			out = append(out, n)
		}
	}
	return out
}

func (w *world) node(name string) (node, bool) {
	for _, n := range w.present() {
		if n.name == name {
			return n, true
		}
	}
	return node{}, false
}
