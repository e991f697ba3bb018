// Command playbot runs playbooks against a fleet, from chat and from the terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes: scripts may rely on them.
const (
	exitOK     = 0
	exitFailed = 1 // a run failed, a playbook does not load, something could not be done
	exitUsage  = 2 // the command line is wrong
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with everything from outside as arguments, for tests.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)                          // the second signal ends the process at once
	root := newRoot(streams{in: in, out: out, err: errs}) //nolint:contextcheck // the commands take the context of ExecuteContext
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(errs, "playbot: "+text)
	}
	if _, usage := errors.AsType[*usageError](err); usage {
		return exitUsage
	}
	return exitFailed
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// usageError says that the command line is wrong.
type usageError struct{ message string }

// Error implements error.
func (e *usageError) Error() string { return e.message }

// errSilent ends with a failure of which everything has been said.
var errSilent = errors.New("")

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "playbot",
		Short: "Run playbooks from chat, with approvals, on a Choria network",
		Long: "playbot runs YAML playbooks against a fleet over the Choria network. People start them in Slack,\n" +
			"approve what is destructive with a button, and find every run again in its history.\n\n" +
			"Try it without any account: playbot demo, or playbot dev.",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              noArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Sprintf("%v; `%s --help` lists what there is", err, c.CommandPath())}
	})
	root.AddCommand(newServe(s), newDev(s), newDemo(s), newRun(s), newCheck(s), newTest(s), newShow(s), newSchema(s), newHistory(s), newDoctor(s), newSlack(s), newPolicy(s))
	return root
}

// noArgs refuses words that a command has no use for.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		near := c.SuggestionsFor(args[0])
		if len(near) > 0 {
			return &usageError{fmt.Sprintf("there is no command %q; did you mean %q?", args[0], near[0])}
		}
		return &usageError{fmt.Sprintf("there is no command %q; `%s --help` lists them", args[0], c.CommandPath())}
	}
	return &usageError{fmt.Sprintf("%s takes no %q; `%s --help` says how it is written", c.CommandPath(), strings.Join(args, " "), c.CommandPath())}
}

// newLogger writes for people when they look at it, and JSON else.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05"}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
