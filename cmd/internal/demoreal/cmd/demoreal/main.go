// Command demoreal plays the main job on this machine with real components; `make demo-real` builds and
// runs it. See package demoreal.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/playbot/playbot/cmd/internal/demoreal"
)

// playTime is how long the play itself may take; it takes less than a minute.
const playTime = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	keep := flag.Bool("keep", false, "leave the folder with configurations and logs")
	flag.Parse()
	err := run(ctx, os.Stdout, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo-real:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, keep bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := demoreal.Install(ctx, out); err != nil {
		return err
	}
	fmt.Fprintln(out, "Starting HAProxy, NRPE, PuppetDB, Choria and the application on loopback; PuppetDB takes half a minute.")
	world, err := demoreal.Start(ctx, demoreal.Options{Bin: filepath.Dir(self), Out: out, Keep: keep})
	if err != nil {
		return err
	}
	defer world.Stop()
	ctx, cancel := context.WithTimeoutCause(ctx, playTime, fmt.Errorf("the play took more than %v", playTime))
	defer cancel()
	report, err := world.Play(ctx, demoreal.Scenario{Tier: "bravo", Revision: demoreal.NextRevision})
	if err != nil {
		return err
	}
	report.Print(out)
	if err := report.Check(); err != nil {
		return fmt.Errorf("this does not hold:\n%w", err)
	}
	fmt.Fprintln(out, "\nDone: tier bravo runs the new revision, is back in HAProxy and under puppet; tier alfa was not touched; nobody noticed.")
	return nil
}
