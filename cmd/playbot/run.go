package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/user"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

func newRun(s streams) *cobra.Command {
	o := runOptions{}
	c := &cobra.Command{
		Use: "run PLAYBOOK [INPUT=VALUE …]", Short: "Run one playbook from this terminal, with its gates asked here",
		Long: "Runs a playbook and shows every step as it happens. You are known to the policy by your local user name,\n" +
			"which a role must list; gates are asked here, and your own answer counts when policy.own_approval is true.\n" +
			"Secret inputs are asked for without showing what you type; playbot keeps them in memory only, so that they are\n" +
			"asked for again when a run is taken up.\n" +
			"Runs of the terminal are kept in a store file of their own. Ctrl-C cancels the run, and its `always` tasks\n" +
			"still run; a second Ctrl-C ends playbot, and the next `playbot run` takes up what was cut off.",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return runOnce(c.Context(), s, o, args) },
	}
	c.Flags().StringVar(&o.config, "config", "playbot.yaml", "the configuration file")
	c.Flags().StringVar(&o.store, "store", "", "file that keeps the runs of the terminal; default: terminal.db in data_dir")
	c.Flags().StringArrayVar(&o.secrets, "secret", nil, "where the value of a secret input is: NAME=@FILE, NAME=- (standard input) or NAME=env:VARIABLE; else it is asked for")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "log what happens")
	return c
}

type runOptions struct {
	config, store string
	verbose       bool
	secrets       []string // NAME=@FILE, NAME=- or NAME=env:VARIABLE
}

func runOnce(ctx context.Context, s streams, o runOptions, args []string) (err error) {
	if len(args) == 0 {
		return &usageError{"say what to run: playbot run PLAYBOOK [INPUT=VALUE …]"}
	}
	cfg, me, err := o.load()
	if err != nil {
		return err
	}
	// The first Ctrl-C ends ctx, which cancels the run; everything else goes on until the run has ended.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	given, err := givenSecrets(s, o.secrets)
	if err != nil {
		return err
	}
	t := newTerminal(s, me)
	level := slog.LevelError // a disk that is full shows nowhere else: the run only stands still
	if o.verbose {
		level = slog.LevelDebug
	}
	a, err := app.New(working, app.Options{Config: cfg, Store: o.store, Poster: t, Logger: newLogger(s.err, level)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Stop(working)) }()
	t.app = a
	old, err := a.Store.Unfinished(working)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(working) }()
	err = t.runAll(ctx, working, old, args, given)
	stop()
	return errors.Join(err, <-ended)
}

// runAll takes up what was cut off, and then runs the playbook. Everything secret is asked for first.
func (t *terminal) runAll(ctx, working context.Context, old []engine.RunID, args []string, given map[string]string) error {
	for name, value := range given {
		t.known[name] = []string{value}
	}
	if err := t.giveAgain(ctx, working, old); err != nil {
		return err
	}
	secrets, unanswered := t.askFor(ctx, args, given)
	if unanswered != nil && ctx.Err() != nil {
		return unanswered // interrupted
	}
	t.listen()
	if err := t.finishOld(ctx, working, old); err != nil {
		return err
	}
	if unanswered != nil { // told last: what was cut off goes on all the same
		return unanswered
	}
	return t.play(ctx, working, commands.Line(append([]string{"run"}, args...)), secrets)
}

// load reads the configuration, and says who the local user is to it.
func (o *runOptions) load() (app.Config, engine.Actor, error) {
	cfg, err := app.Load(o.config)
	if err != nil {
		return app.Config{}, engine.Actor{}, err
	}
	if o.store == "" {
		o.store = filepath.Join(cfg.DataDir, "terminal.db")
	}
	me, err := user.Current()
	if err != nil {
		return app.Config{}, engine.Actor{}, fmt.Errorf("find out who you are: %w", err)
	}
	rules, err := cfg.Rules()
	if err != nil {
		return app.Config{}, engine.Actor{}, err
	}
	if len(rules.Roles(policy.Subject{User: me.Username})) == 0 {
		return app.Config{}, engine.Actor{}, fmt.Errorf("no role of %s lists the local user %s, so there is nothing that you may run; add %s to the members of one",
			o.config, me.Username, me.Username)
	}
	return cfg, engine.Actor{User: me.Username, Name: me.Username}, nil
}
