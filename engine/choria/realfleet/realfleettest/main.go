package realfleettest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Main runs the tests of a package with the executable of the external agents built once. It returns
// the exit code.
func Main(m *testing.M, kit *realfleet.Kit) int {
	dir, err := os.MkdirTemp("", "realfleet")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		*kit, err = realfleet.BuildKit(context.Background(), dir)
	}
	if err == nil && os.Getenv("USER") == "" {
		err = os.Setenv("USER", "playbot") // go-choria's client does nothing with tokens for nobody
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
