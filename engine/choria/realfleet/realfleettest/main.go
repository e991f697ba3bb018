package realfleettest

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
)

// atOnce is how many tests run side by side: most of them wait for servers that say nothing.
const atOnce = "6"

// Main runs the tests of a package with the executable of the external agents built once. Without it
// there is nothing to test, so that a failure to build it is a panic.
func Main(m *testing.M, kit *realfleet.Kit) {
	dir, err := os.MkdirTemp("", "realfleet")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		*kit, err = realfleet.BuildKit(context.Background(), dir)
	}
	if err == nil && os.Getenv("USER") == "" {
		err = os.Setenv("USER", "playbot") // go-choria's client does nothing with tokens for nobody
	}
	if err == nil {
		err = sideBySide()
	}
	if err != nil {
		panic(err)
	}
	m.Run()
}

// sideBySide runs tests side by side unless the command line says how many.
func sideBySide() error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", atOnce)
}
