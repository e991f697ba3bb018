package engine

import "time"

// turn is how long others may overtake who waits. From then on whoever has nothing yet waits behind it
// for the same nodes, so that a run over many nodes is not kept waiting by one after the other over few.
const turn = 30 * time.Second

// behind names one of those ahead who wants some of the nodes, and has waited for its turn. Who has nodes
// already is let past: the one ahead may be waiting for just them.
func (t *leaseTable) behind(by lessee, nodes []string, ahead []*leaseWait) *heldNodes {
	if t.heads[by.family()] > 0 {
		return nil
	}
	for _, w := range ahead {
		if time.Since(w.by.Since) < turn {
			continue
		}
		var both []string
		for _, n := range nodes {
			if w.wants[n] {
				both = append(both, n)
			}
		}
		if len(both) > 0 {
			return &heldNodes{Nodes: both, By: w.by.Holder, queued: true}
		}
	}
	return nil
}

// waitFor reports whether one of some families waits, directly or over others, for what a family has.
func (t *leaseTable) waitFor(family RunID, families, seen map[RunID]bool) bool {
	if families[family] {
		return true
	}
	for _, w := range t.waits {
		if !families[w.by.family()] || seen[w.by.Run] {
			continue
		}
		seen[w.by.Run] = true
		next := map[RunID]bool{}
		for _, n := range w.nodes {
			for _, l := range t.nodes[n] {
				if l.family() != w.by.family() {
					next[l.family()] = true
				}
			}
		}
		if t.waitFor(family, next, seen) {
			return true
		}
	}
	return false
}
