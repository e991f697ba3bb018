package webagents_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

// Agents of one server run side by side, each in a process of its own.
func TestUpdate_losesNothingWhenManyWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	const many = 50
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			if err := webagents.Update(file, func(s *webagents.State) { s.Upgrades++ }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var got webagents.State
	if err := webagents.Update(file, func(s *webagents.State) { got = *s }); err != nil || got.Upgrades != many {
		t.Errorf("got %d, %v; want %d", got.Upgrades, err, many)
	}
	if got.Running() != webagents.FirstRevision {
		t.Errorf("it runs %s, want %s", got.Running(), webagents.FirstRevision)
	}
}

func TestUpdate_namesTheFileThatItCannotRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := webagents.Update(file, func(*webagents.State) {}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error with %s", err, file)
	}
}
