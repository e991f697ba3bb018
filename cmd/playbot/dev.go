package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
)

func newDev(s streams) *cobra.Command {
	o := devOptions{}
	c := &cobra.Command{
		Use: "dev", Short: "Open a local workspace and a simulated fleet in the browser; no accounts", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return dev(c.Context(), s, o) },
	}
	c.Flags().StringVar(&o.listen, "listen", "127.0.0.1:0", "address of the page; loopback only")
	c.Flags().StringVar(&o.playbooks, "playbooks", "", "folder of your own playbooks; default: the examples")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "log what happens")
	return c
}

type devOptions struct {
	listen, playbooks string
	verbose           bool
}

func dev(ctx context.Context, s streams, o devOptions) (err error) {
	dir, err := os.MkdirTemp("", "playbot-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger := quietLogger(s, o.verbose)
	if o.playbooks != "" { // the bot works in a folder of its own
		if o.playbooks, err = filepath.Abs(o.playbooks); err != nil {
			return fmt.Errorf("find the playbooks: %w", err)
		}
	}
	local, err := app.StartLocal(ctx, app.LocalOptions{Dir: dir, RedChecks: demoReds, Playbooks: o.playbooks, Page: o.listen, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Stop(context.WithoutCancel(ctx))) }()
	a, err := app.New(ctx, app.Options{Config: local.Config, Slack: true, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop(context.WithoutCancel(ctx))) }()
	fmt.Fprintf(s.out, "A workspace of your own is open at\n\n  %s\n\n", local.Workspace.PageURL())
	try := "Type  /playbook run web_upgrade tier=bravo rev=abc  as ana, and approve it as ben."
	if o.playbooks != "" {
		try = "Type  /playbook list  to see your playbooks; ana runs them, and ben approves."
	}
	fmt.Fprint(s.out, try+"\nNothing real is touched. Ctrl-C ends it.\n")
	return a.Run(ctx)
}
