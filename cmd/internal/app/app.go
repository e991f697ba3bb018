package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/registry"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// Options say how a configuration is brought to life.
type Options struct {
	Config  Config
	Store   string        // the file that keeps the runs; default: that of the configuration
	Slack   bool          // connect to Slack; else only a terminal asks
	Poster  Poster        // of the slack task when Slack is not connected; nil: such tasks fail and say so
	Patient bool          // a Choria network that is out of reach is waited for; else it is an error at once
	Grace   time.Duration // how long tasks that are under way, and Slack, have when Run is to end; default 10 s
	Logger  *slog.Logger
}

// App is a whole playbot. New builds it, Run works until its context ends, Stop ends it; nothing
// else in the house knows every package.
type App struct {
	Store    *store.Store
	Library  *playbooks.Library
	Engine   *engine.Engine
	Commands *commands.Commands

	bot      *bot.Bot
	books    string             // the folder of playbooks
	registry *registry.Registry // nil: not used
	grace    time.Duration
	logger   *slog.Logger
	ends     cleanup
	once     sync.Once
}

// New opens and connects everything that the configuration names. What was opened is closed again
// when something fails.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	a := &App{logger: o.Logger, grace: o.Grace, books: o.Config.Playbooks}
	if err := a.build(ctx, o); err != nil {
		return nil, errors.Join(err, a.ends.run(ctx))
	}
	return a, nil
}

func (a *App) build(ctx context.Context, o Options) error {
	rules, err := o.Config.Rules()
	if err != nil {
		return err
	}
	tokens, err := o.tokens()
	if err != nil {
		return err
	}
	if o.Store == "" {
		o.Store = o.Config.StorePath()
	}
	if a.Store, err = store.Open(o.Store, store.Options{Logger: o.Logger}); err != nil { //nolint:contextcheck // opening is bounded by the lock's time-out
		return err
	}
	a.ends.add("store", func(context.Context) error { return a.Store.Close() })
	key, err := secretKey(secretKeyPath(o.Store))
	if err != nil {
		return err
	}
	w := wiring{options: o, rules: rules, app: a}
	types, fleet, err := w.types(ctx)
	if err != nil {
		return err
	}
	if a.Library, err = playbooks.OpenLibrary(o.Config.Playbooks, types); err != nil { //nolint:contextcheck // literals are folded, nothing is waited for
		return err
	}
	a.Engine, err = engine.New(engine.Options{
		Log: a.Store, Books: a.Library, Types: types, Policy: rules, Fleet: fleet, Vouch: a.vouch, Directory: lateDirectory{a},
		Posts: o.Slack, Secrets: tokens.list(), SecretKey: key, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	a.ends.add("engine", a.Engine.Stop)
	a.Commands, err = commands.New(commands.Deps{Engine: a.Engine, History: a.Store, Books: a.Library, Logger: o.Logger})
	if err != nil || !o.Slack {
		return err
	}
	return a.buildBot(o, tokens, rules)
}

func (a *App) buildBot(o Options, t tokens, rules *policy.Policy) error {
	var err error
	a.bot, err = bot.New(bot.Options{
		BotToken: t.bot, AppToken: t.app, APIURL: o.Config.Slack.APIURL, Commands: a.Commands, Runs: a.Engine, Feed: a.Store,
		Previous: a.Commands.Previous, Approvers: a.approvers(rules), Groups: rules.Groups(), Progress: a.Engine.Progress,
		OwnApproval: rules.OwnApproval(), Label: o.Config.Label, OpsChannel: o.Config.Slack.OpsChannel, StaleAfter: o.Config.Slack.StaleAfter, Logger: o.Logger,
	})
	return err
}

// vouch asks the bot who somebody is; without Slack there is nobody to ask about.
func (a *App) vouch(ctx context.Context, who engine.Actor) error {
	if a.bot == nil {
		return nil
	}
	return a.bot.Vouch(ctx, who)
}

// Run takes up the runs that have not ended and works until ctx ends. The error is one that waiting
// cannot mend, such as a token that Slack refuses.
func (a *App) Run(ctx context.Context) error {
	if err := a.Engine.Resume(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { a.watch(ctx) })
	if a.registry != nil {
		wg.Go(func() { a.registry.Run(ctx) })
	}
	if a.bot == nil {
		<-ctx.Done()
		cancel()
		return nil
	}
	// The bot outlives ctx: it is stopped after the engine, so that it draws what the engine did last.
	failed := make(chan error, 1)
	wg.Go(func() { failed <- a.bot.Run(context.WithoutCancel(ctx)) })
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	cancel()
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), a.grace)
	defer done()
	engineErr := a.Engine.Stop(stop)
	a.bot.Stop(stop)
	return errors.Join(err, engineErr)
}

// defaultGrace is enough for most tasks. What is cut off is asked about in the thread after the next start.
const defaultGrace = 10 * time.Second

// Stop closes everything, in the reverse order of opening. It may be called twice.
func (a *App) Stop(ctx context.Context) error {
	var err error
	a.once.Do(func() { err = a.ends.run(ctx) })
	return err
}

// watchEvery is how often the playbooks are looked at.
const watchEvery = 2 * time.Second

// watch reads the playbooks again when they change, and checks them again when more is known of agents.
func (a *App) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	missing := false
	for {
		reload := a.Library.Reload
		select {
		case <-tick.C:
		case <-a.described():
			reload = a.Library.Recheck
		case <-ctx.Done():
			return
		}
		var changes playbooks.Changes
		err := guardedBooks(a.books)
		if err == nil {
			changes, err = reload()
		}
		if err != nil && !missing {
			a.logger.ErrorContext(ctx, "playbooks cannot be read; those that were loaded stay", "error", err)
		}
		missing = err != nil
		for _, b := range changes.Broken {
			a.logger.WarnContext(ctx, "playbook does not load", "file", b.File, "problem", b.Problems)
		}
		if len(changes.Loaded)+len(changes.Gone) > 0 {
			a.logger.InfoContext(ctx, "playbooks changed", "loaded", changes.Loaded, "gone", changes.Gone)
		}
	}
}

// cleanup is a stack of named ends.
type cleanup struct{ ends []namedEnd }

type namedEnd struct {
	name string
	end  func(context.Context) error
}

func (c *cleanup) add(name string, end func(context.Context) error) {
	c.ends = append(c.ends, namedEnd{name, end})
}

// run ends everything, the last first, and reports everything that went wrong.
func (c *cleanup) run(ctx context.Context) error {
	var errs []error
	for _, e := range slices.Backward(c.ends) {
		if err := e.end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", e.name, err))
		}
	}
	c.ends = nil
	return errors.Join(errs...)
}
