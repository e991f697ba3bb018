// Package process runs programs on playbot's machine for task types, node sets and data stores: in
// a group of their own that ends with them, with a small and known environment, and with bounds on
// what is kept of their output.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine"
)

// grace is how long a program has to end after it was told to. 2017 gave two seconds; a task here
// returns within one when it is cut off.
const grace = 500 * time.Millisecond

// ErrHeld says that a program ended with 0, and that something it started had kept its output open
// and was stopped.
var ErrHeld = errors.New("something it started kept its output open and was stopped")

// ExitError says that a program ended with anything but 0.
type ExitError struct {
	Code   int    // -1 when a signal ended it
	How    string // "exit 3" or "signal: killed"
	Stderr string // the beginning and the end of what it said; only [Command.Capture] knows
	Last   string // the last line of that, after a colon, as [Output.Ending]
}

// Error implements error.
func (e *ExitError) Error() string { return e.How + e.Last }

// Command is a program to run.
type Command struct {
	Argv   []string  // the program and its arguments; no shell reads them
	Dir    string    // where it runs; empty: where playbot does
	Env    []string  // as [Environment] makes it; a later one of the same name counts
	Stdout io.Writer // nil: nowhere
	Stderr io.Writer // equal to Stdout: one stream, in the order in which it was written
}

// Run runs the program and returns when it and everything in its group is gone. When ctx ends, the
// group is told to end, then killed, and the error is ctx's cause. Other errors are [*ExitError],
// [ErrHeld], one with the code [engine.CodeNotSent] when nothing was started, and that of a writer.
func (c Command) Run(ctx context.Context) error {
	if info, err := os.Stat(c.Dir); c.Dir != "" && (err != nil || !info.IsDir()) {
		return engine.Errorf(engine.CodeNotSent, "not started: the folder %s does not exist; create it, or correct cwd", c.Dir)
	}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...) //nolint:gosec // running what a reviewed playbook names is the purpose
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, c.Stdout, c.Stderr
	// A group of its own, so that what the program started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // whoever is left; no such process is the normal case
	}
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ended && exit.ExitCode() < 0:
		return &ExitError{Code: -1, How: exit.String()}
	case ended:
		return &ExitError{Code: exit.ExitCode(), How: fmt.Sprintf("exit %d", exit.ExitCode())}
	case errors.Is(err, exec.ErrWaitDelay):
		return ErrHeld
	case cmd.Process == nil:
		return engine.Errorf(engine.CodeNotSent, "not started: %v", err)
	}
	return fmt.Errorf("run %s: %w", c.Argv[0], err)
}

// Capture runs the program and returns its standard output, of which there must not be more than
// limit bytes. An [*ExitError] tells what it said on the other stream. Stdout and Stderr are not used.
func (c Command) Capture(ctx context.Context, limit int) ([]byte, error) {
	out, said := &bounded{limit: limit}, &Output{}
	c.Stdout, c.Stderr = out, said
	err := c.Run(ctx)
	said.Flush()
	switch exit, failed := errors.AsType[*ExitError](err); {
	case out.over:
		return nil, engine.Errorf(engine.CodeInvalid, "it printed more than %d bytes", limit)
	case failed:
		exit.Stderr, exit.Last = said.Text(), said.Ending()
		return nil, exit
	case err != nil && !errors.Is(err, ErrHeld):
		return nil, err
	}
	return out.data, nil
}
