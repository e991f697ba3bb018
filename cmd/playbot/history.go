package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

func newHistory(s streams) *cobra.Command {
	o := &historyOptions{}
	c := &cobra.Command{
		Use: "history [PLAYBOOK]", Short: "List past runs, show one in full, or verify the file",
		Args: onePlaybook,
		RunE: func(c *cobra.Command, args []string) error { return history(c.Context(), s, o, args) },
	}
	c.PersistentFlags().StringVar(&o.config, "config", "playbot.yaml", "the configuration file")
	c.PersistentFlags().StringVar(&o.store, "store", "", "a store file; default: the one of the configuration")
	c.Flags().StringVar(&o.user, "user", "", "only runs that this user id asked for")
	c.Flags().StringVar(&o.status, "status", "", "only runs that stand so: success, failed, cancelled, running, waiting")
	c.Flags().StringVar(&o.since, "since", "", "only runs requested at most so long ago: 90s, 5m, 2h, 7d")
	c.Flags().IntVar(&o.limit, "limit", 20, "at most this many")
	c.AddCommand(
		&cobra.Command{
			Use: "show RUN", Short: "Print the report of a run as JSON", Args: oneRun,
			RunE: func(c *cobra.Command, args []string) error {
				return o.with(func(st *store.Store) error { return showRun(c.Context(), s, st, args[0]) })
			},
		},
		&cobra.Command{
			Use: "export", Short: "Print the report of every run as a line of JSON, the oldest first", Args: noArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return o.with(func(st *store.Store) error { return export(c.Context(), s, st) })
			},
		},
		&cobra.Command{
			Use: "verify", Short: "Read the whole file and compare everything that can be compared", Args: noArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return o.with(func(st *store.Store) error { return verify(c.Context(), s, st) })
			},
		},
		&cobra.Command{
			Use: "restored", Short: "Void the approvals in a file that was restored from a backup, before the bot starts on it", Args: noArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return o.with(func(st *store.Store) error { return restored(c.Context(), s, st) })
			},
		},
	)
	return c
}

type historyOptions struct {
	config, store, user, status, since string
	limit                              int
}

func onePlaybook(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return &usageError{fmt.Sprintf("%s takes one playbook, not %d words; `%s --help` says how it is written", c.CommandPath(), len(args), c.CommandPath())}
	}
	return nil
}

func oneRun(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return &usageError{fmt.Sprintf("say which run: %s RUN; `playbot history` lists them", c.CommandPath())}
	}
	return nil
}

// with opens the store, which must exist, does something with it and closes it. One that a bot holds is refused with
// the name of the holder.
func (o *historyOptions) with(do func(*store.Store) error) (err error) {
	path := o.store
	if path == "" {
		cfg, err := app.Load(o.config)
		if err != nil {
			return err
		}
		path = cfg.StorePath()
	}
	// Opening would create it: a misspelt name must not look like an empty history.
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no store at %s; `playbot serve` keeps playbot.db in data_dir, `playbot run` terminal.db", path)
	}
	st, err := store.Open(path, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return do(st)
}

func history(ctx context.Context, s streams, o *historyOptions, args []string) error {
	q := engine.HistoryQuery{User: o.user, Status: engine.RunStatus(o.status), Limit: o.limit}
	if len(args) == 1 {
		q.Playbook = args[0]
	}
	if o.since != "" {
		d, err := commands.ParseSpan(o.since)
		if err != nil {
			return &usageError{"--since: " + err.Error()}
		}
		q.Since = time.Now().Add(-d)
	}
	return o.with(func(st *store.Store) error { //nolint:contextcheck // opening is bounded by the lock's time-out
		runs, err := st.Find(ctx, q)
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			fmt.Fprintln(s.out, "No run matches.")
		}
		for _, r := range runs {
			fmt.Fprintln(s.out, historyLine(r))
		}
		return nil
	})
}

func historyLine(r engine.Summary) string {
	line := []string{fmt.Sprintf("%s %s %-9s %-20s %s  %s", commands.RunMark(r.Status), r.Run.Short(), r.Status, r.Playbook.Name,
		r.Requested.UTC().Format("2006-01-02 15:04:05Z"), r.Actor.Label())}
	if !r.Ended.IsZero() {
		line = append(line, "took "+commands.Took(r.Ended.Sub(r.Requested)))
	}
	if r.Parent != nil {
		line = append(line, "started by "+r.Parent.Run.Short())
	}
	for _, child := range r.Children {
		line = append(line, "started "+child.Short())
	}
	return strings.Join(line, "  ")
}

func showRun(ctx context.Context, s streams, st *store.Store, typed string) error {
	ids, err := st.Lookup(ctx, typed)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return fmt.Errorf("%q stands for %d runs; `playbot history` lists them", typed, len(ids))
	}
	run, err := engine.LoadRun(ctx, st, ids[0])
	if err != nil {
		return err
	}
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	return enc.Encode(run.Report())
}

// exportPage is how many runs are listed at a time.
const exportPage = 100

func export(ctx context.Context, s streams, st *store.Store) error {
	var ids []engine.RunID // newest first
	for q := (engine.HistoryQuery{Limit: exportPage}); ; q.Before = ids[len(ids)-1] {
		page, err := st.Find(ctx, q)
		if err != nil {
			return err
		}
		for _, sum := range page {
			ids = append(ids, sum.Run)
		}
		if len(page) < exportPage {
			break
		}
	}
	enc := json.NewEncoder(s.out)
	for _, id := range slices.Backward(ids) {
		run, err := engine.LoadRun(ctx, st, id)
		if err != nil {
			return err
		}
		if err := enc.Encode(run.Report()); err != nil {
			return err
		}
	}
	return nil
}

func verify(ctx context.Context, s streams, st *store.Store) error {
	found, err := st.Check(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "sound: %d runs, %d events\n", found.Runs, found.Events)
	return nil
}
