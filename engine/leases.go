package engine

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lessee is a run that has nodes reserved, or asks for some. It shares those of its ancestors, which
// wait for it. They do not share those of a child that goes on: after a crash they may be faster than it.
type lessee struct {
	Holder

	above []RunID // its ancestors, the topmost first
}

// family is the topmost run: a run waits for all below it.
func (l lessee) family() RunID {
	if len(l.above) > 0 {
		return l.above[0]
	}
	return l.Run
}

func (l lessee) shares(with lessee) bool {
	return l.Run == with.Run || slices.Contains(l.above, with.Run)
}

// leaseTable says which nodes are reserved for whom. It is an index over the logs of the runs that
// have not ended: see docs/adr/0021. Safe for concurrent use.
type leaseTable struct {
	mu    sync.Mutex // guards what follows
	nodes map[string][]lessee
	runs  map[RunID][]string
	heads map[RunID]int // families, and how many nodes their runs have
	waits []*leaseWait  // the oldest first

	unread map[RunID]time.Time // runs that have not ended and cannot be read, since when
}

// leaseWait is a request that cannot be granted yet.
type leaseWait struct {
	by      lessee
	nodes   []string
	wants   map[string]bool // the same
	granted bool
	changed chan struct{} // capacity 1: somebody gave nodes back
}

// heldNodes are nodes that somebody else has.
type heldNodes struct {
	Nodes  []string
	By     Holder
	queued bool // it does not have them: it waits, and comes first
	unread bool // nobody knows whether it has them
	own    bool // that run belongs to the family of the one that asks
	circle bool // that run waits for nodes of the one that asks, directly or over others
}

func newLeaseTable() *leaseTable {
	return &leaseTable{nodes: make(map[string][]lessee), runs: make(map[RunID][]string), heads: make(map[RunID]int), unread: make(map[RunID]time.Time)}
}

// restore notes what a log says that a run holds, without asking anybody.
func (t *leaseTable) restore(by lessee, nodes []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grant(by, nodes)
}

// try reserves all the nodes, or none when it returns who has one of them.
func (t *leaseTable) try(by lessee, nodes []string) *heldNodes {
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.held(by, nodes, t.waits); held != nil {
		return held
	}
	t.grant(by, nodes)
	return nil
}

// wait reserves all the nodes as soon as nobody else has one of them, nor comes first. Nothing is reserved while it
// waits, and what closes a circle is refused at once. told is called with each holder that is waited
// for. When ctx ends, the holder is returned.
func (t *leaseTable) wait(ctx context.Context, by lessee, nodes []string, told func(heldNodes)) *heldNodes {
	w, held := t.enter(by, nodes)
	if w == nil {
		return held
	}
	for {
		told(*held)
		select {
		case <-ctx.Done():
			if t.leave(w) {
				return nil
			}
			return held
		case <-w.changed:
		}
		if held = t.look(w, held); held == nil {
			return nil
		}
	}
}

// enter begins to wait; without a wait the nodes are reserved, or refused when it returns who has them.
func (t *leaseTable) enter(by lessee, nodes []string) (*leaseWait, *heldNodes) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.held(by, nodes, t.waits)
	if held == nil {
		t.grant(by, nodes)
		return nil, nil
	}
	if held.circle {
		return nil, held
	}
	w := &leaseWait{by: by, nodes: nodes, wants: make(map[string]bool, len(nodes)), changed: make(chan struct{}, 1)}
	for _, n := range nodes {
		w.wants[n] = true
	}
	t.waits = append(t.waits, w)
	return w, held
}

// leave stops waiting, and reports whether the nodes were reserved meanwhile.
func (t *leaseTable) leave(w *leaseWait) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !w.granted {
		t.waits = slices.DeleteFunc(t.waits, func(o *leaseWait) bool { return o == w })
		t.settle() // somebody may have waited behind it
	}
	return w.granted
}

// look says who is waited for now; nil when the nodes are reserved.
func (t *leaseTable) look(w *leaseWait, before *heldNodes) *heldNodes {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.granted {
		return nil
	}
	if held := t.held(w.by, w.nodes, t.waits[:slices.Index(t.waits, w)]); held != nil {
		return held
	}
	return before
}

// free gives back everything that a run holds, and grants what was waiting for it, in the order of asking.
func (t *leaseTable) free(run RunID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held := t.runs[run]
	if len(held) == 0 {
		return
	}
	delete(t.runs, run)
	for _, n := range held {
		t.nodes[n] = slices.DeleteFunc(t.nodes[n], func(l lessee) bool {
			if l.Run == run {
				t.count(l.family(), -1)
			}
			return l.Run == run
		})
		if len(t.nodes[n]) == 0 {
			delete(t.nodes, n)
		}
	}
	t.settle()
}

// settle grants what can be granted, in the order of asking; the caller holds mu.
func (t *leaseTable) settle() {
	all, left := t.waits, make([]*leaseWait, 0, len(t.waits))
	for _, w := range all {
		if t.held(w.by, w.nodes, left) == nil {
			t.grant(w.by, w.nodes)
			w.granted = true
		} else {
			left = append(left, w)
		}
		select {
		case w.changed <- struct{}{}:
		default: // it has not looked since the last change
		}
	}
	t.waits = left
}

func (t *leaseTable) count(family RunID, n int) {
	if t.heads[family] += n; t.heads[family] == 0 {
		delete(t.heads, family)
	}
}

// grant reserves; the caller holds mu.
func (t *leaseTable) grant(by lessee, nodes []string) {
	for _, n := range nodes {
		if !t.has(by.Run, n) {
			t.nodes[n] = append(t.nodes[n], by)
			t.runs[by.Run] = append(t.runs[by.Run], n)
			t.count(by.family(), 1)
		}
	}
}

func (t *leaseTable) has(run RunID, node string) bool {
	return slices.ContainsFunc(t.nodes[node], func(l lessee) bool { return l.Run == run })
}

// held names one of those who have some of the nodes, and which, or who comes first of those ahead; nil when
// the run can have them all. The caller holds mu.
func (t *leaseTable) held(by lessee, nodes []string, ahead []*leaseWait) *heldNodes {
	if h := t.unknown(by, nodes); h != nil {
		return h
	}
	var first *heldNodes
	families := map[RunID]bool{}
	for _, n := range nodes {
		for _, l := range t.nodes[n] {
			if by.shares(l) {
				continue
			}
			families[l.family()] = true
			if first == nil {
				first = &heldNodes{By: l.Holder, own: l.family() == by.family()}
			}
			if l.Run == first.By.Run {
				first.Nodes = append(first.Nodes, n)
			}
		}
	}
	if first == nil {
		return t.behind(by, nodes, ahead)
	}
	delete(families, by.family())
	first.circle = t.waitFor(by.family(), families, map[RunID]bool{})
	return first
}

// unleased are those of some nodes that the log does not say the run holds.
func (r *Run) unleased(nodes []string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool {
		_, have := slices.BinarySearch(r.Leases, n)
		return have
	})
}

// lessee is the run as one that holds nodes since that time.
func (r *Run) lessee(since time.Time) lessee {
	l := lessee{Holder: Holder{Run: r.ID, Who: r.Requested.Actor.Label(), Since: since}}
	if p := r.Requested.Parent; p != nil {
		l.above = append(slices.Clone(p.Above), p.Run)
	}
	return l
}
