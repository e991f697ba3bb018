package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a damaged run names for people to look at by hand must not leave out the locks of its tasks.
func TestOpenLocks_areThoseOfTheRunAndOfItsTasks(t *testing.T) {
	t.Parallel()
	locks := func(names ...string) func(*TaskBegun) { return func(b *TaskBegun) { b.Locks = names } }
	run := fold(
		LocksRequested{Locks: []string{"s/run"}}, LocksTaken{Locks: []string{"s/run"}}, prepared,
		began("tasks.1", locks("s/back")), TaskLocksRequested{Path: "tasks.1"}, TaskLocksTaken{Path: "tasks.1"}, TaskLocksReleased{Path: "tasks.1"},
		began("tasks.2", locks("s/asked")), TaskLocksRequested{Path: "tasks.2"},
		began("tasks.3", locks("s/held")), TaskLocksRequested{Path: "tasks.3"}, TaskLocksTaken{Path: "tasks.3"},
		began("tasks.4", locks("s/later")),
	)
	if diff := cmp.Diff([]string{"s/run", "s/asked", "s/held"}, run.openLocks()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"s/run", "s/held"}, run.heldLocks()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	run.Apply(Event{Payload: LocksReleased{}})
	if diff := cmp.Diff([]string{"s/asked", "s/held"}, run.openLocks()); diff != "" {
		t.Errorf("after the release (-want +got):\n%s", diff)
	}
}
