package engine

import "testing"

// A run that cannot be read keeps everybody from nodes but those who belong to it: it waits for them.
func TestLeaseTable_aRunThatCannotBeReadDoesNotKeepItsOwnLine(t *testing.T) {
	t.Parallel()
	table := newLeaseTable()
	table.hide("above")
	line := lessee{Holder: Holder{Run: "below"}, above: []RunID{"top", "above"}}
	if h := table.try(line, []string{"n1"}); h != nil {
		t.Errorf("its child is told: %s", h)
	}
	if h := table.try(lessee{Holder: Holder{Run: "other"}}, []string{"n2"}); h == nil || !h.unread {
		t.Errorf("another run is told %v", h)
	}
	if h := table.try(lessee{Holder: Holder{Run: "other"}}, nil); h != nil {
		t.Errorf("a run that wants no node is told: %s", h)
	}
}
