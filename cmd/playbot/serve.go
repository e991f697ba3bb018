package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
)

func newServe(s streams) *cobra.Command {
	var file string
	var verbose bool
	c := &cobra.Command{
		Use: "serve", Short: "Run the bot: Slack, Choria and the history, until it is stopped", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), s, file, verbose) },
	}
	c.Flags().StringVar(&file, "config", "playbot.yaml", "the configuration file")
	c.Flags().BoolVar(&verbose, "verbose", false, "log more")
	return c
}

func serve(ctx context.Context, s streams, file string, verbose bool) (err error) {
	cfg, err := app.Load(file)
	if err != nil {
		return err
	}
	if err := cfg.Guarded(); err != nil {
		return err
	}
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	a, err := app.New(ctx, app.Options{Config: cfg, Slack: true, Patient: true, Logger: newLogger(s.err, level)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop(context.WithoutCancel(ctx))) }()
	for _, b := range a.Library.Broken() {
		fmt.Fprintf(s.err, "playbot: %s does not load: %v\n", b.File, b.Problems)
	}
	return a.Run(ctx)
}
