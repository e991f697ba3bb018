package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func newDemo(s streams) *cobra.Command {
	o := demoOptions{}
	c := &cobra.Command{
		Use: "demo", Short: "Play a deployment to its end in the terminal; no accounts", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return demo(c.Context(), s, o) },
	}
	c.Flags().StringVar(&o.fail, "fail", "", "what goes wrong: upgrade (one node fails to upgrade)")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "log what happens")
	return c
}

type demoOptions struct {
	fail    string
	verbose bool
}

// demoTime is how long the demo may take; it takes some 15 s.
const demoTime = 2 * time.Minute

func demo(ctx context.Context, s streams, o demoOptions) (err error) {
	if o.fail != "" && o.fail != "upgrade" {
		return &usageError{fmt.Sprintf("--fail %q is not known; use --fail upgrade", o.fail)}
	}
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "playbot-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logger := quietLogger(s, o.verbose)
	local, err := app.StartLocal(ctx, app.LocalOptions{Dir: dir, RedChecks: demoReds, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Stop(context.WithoutCancel(ctx))) }()
	if o.fail == "upgrade" {
		local.Fleet.Fault(fleetsim.Fault{Node: "web9.example.net", Action: "appmgr.upgrade", Kind: fleetsim.Fail, Message: "package repository refused the connection"})
	}
	a, err := app.New(ctx, app.Options{Config: local.Config, Slack: true, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop(context.WithoutCancel(ctx))) }()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(running) }()
	p := &play{local: local, out: s.out, failing: o.fail != ""}
	err = p.perform(ctx)
	stop()
	return errors.Join(err, <-ended)
}
