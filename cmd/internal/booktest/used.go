package booktest

import (
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// own marks what a case declares itself, which stands before what its file declares for all cases.
func (w *surroundings) own(shared surroundings) {
	for i := range len(w.replies) - len(shared.replies) {
		w.replies[i].own = true
	}
	for section, answers := range w.outside {
		for i := range len(answers) - len(shared.outside[section]) {
			answers[i].own = true
		}
	}
}

// use records that a declaration came to pass.
func (w *world) use(pos playbooks.Pos) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used[pos] = true
}

// unused judges what a case declares itself, and what its run never met: a misspelt word there would
// let the case pass for another reason than it says.
func (j *judge) unused(w *world) {
	for _, r := range w.replies {
		if r.own && !w.used[r.pos] {
			whom := "any node"
			if len(r.nodes) > 0 {
				whom = strings.Join(r.nodes, ", ")
			}
			j.fail(r.pos, "correct its action, nodes and call, or remove it", "the reply was never given: %s of %s was not asked, or another reply came first", r.action, whom)
		}
	}
	for _, l := range w.held { // that no run asks for a lock may be what the case shows
		if stores := w.shelf.stores(); !slices.Contains(stores, l.store) {
			j.fail(l.pos, suggest(l.store, stores), "no playbook here has a data store %q", l.store)
		}
	}
	for _, section := range slices.Sorted(slices.Values(sections())) {
		for _, a := range w.outside[section] {
			if a.own && !w.used[a.pos] {
				j.fail(a.pos, "correct it, or remove it", "the answer was never given: nothing under %s asked for it", section)
			}
		}
	}
}
