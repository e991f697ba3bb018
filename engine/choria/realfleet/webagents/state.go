package webagents

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// State is what a server is like. The zero value is a server on which nothing was ever done.
type State struct {
	PuppetOff    bool     `json:"puppet_off"`
	PuppetReason string   `json:"puppet_reason"`
	PuppetBusy   int      `json:"puppet_busy"` // for so many looks at it, a catalog is being applied
	PuppetRuns   int      `json:"puppet_runs"` // how often a run was started
	Drained      []string `json:"drained"`     // backend/server, sorted
	Revision     string   `json:"revision"`    // what appmgr runs; empty means [FirstRevision]
	Upgrades     int      `json:"upgrades"`    // how often appmgr was told to upgrade, and did
	RedChecks    int      `json:"red_checks"`  // for so many checks, the load is critical
	Checks       int      `json:"checks"`      // how often the load was checked
}

// FirstRevision is what appmgr runs before any upgrade.
const FirstRevision = "1.0.0"

// Running is the revision that appmgr runs.
func (s *State) Running() string {
	if s.Revision == "" {
		return FirstRevision
	}
	return s.Revision
}

// Update changes the state in a file. Calls for one file follow each other, in all processes.
func Update(file string, change func(*State)) error { return update(file, change) }

// update reads JSON from a file, lets it be changed and writes it back, under a lock that other
// processes respect.
func update[T any](file string, change func(*T)) error {
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // which unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", file, err)
	}
	var value T
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(before) > 0 {
		if err := json.Unmarshal(before, &value); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
	}
	change(&value)
	after, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if string(after) == string(before) {
		return nil
	}
	return os.WriteFile(file, after, 0o600)
}
