package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/playbooks"
)

// Poster posts for the slack task.
type Poster = slack.Poster

// wiring connects packages that do not know each other.
type wiring struct {
	options Options
	rules   *policy.Policy
	app     *App
}

// types is what playbooks may use, with everything behind it connected.
func (w wiring) types(ctx context.Context) (engine.Types, engine.Fleet, error) {
	ddls, err := w.options.Config.DDLs()
	if err != nil {
		return engine.Types{}, nil, err
	}
	for _, text := range ddls.Warnings() {
		w.options.Logger.WarnContext(ctx, "a DDL is used in part", "why", text)
	}
	deps := builtin.Deps{
		Books: lateBooks{w.app}, ReadOnly: w.rules.ReadOnly, DataDir: w.options.Config.DataDir, Logger: w.options.Logger,
		Slack: slack.Options{Poster: w.poster(), APIURL: w.options.Config.Slack.APIURL},
	}
	var fleet engine.Fleet
	if w.options.Config.NATS.Used() {
		client, err := w.network(ctx)
		if err != nil {
			return engine.Types{}, nil, err
		}
		w.app.ends.add("choria", func(context.Context) error { client.Close(); return nil })
		deps.Network, fleet = client, client
		w.app.registry, err = w.options.Config.registry(ddls, client, w.options.Logger)
		if err != nil {
			return engine.Types{}, nil, err
		}
	}
	deps.DDLs = descriptions(ddls, w.app.registry)
	if w.options.Config.PuppetDB.URL != "" {
		client, err := puppetdb.New(w.options.Config.PuppetDBOptions())
		if err != nil {
			return engine.Types{}, nil, err
		}
		w.app.ends.add("puppetdb", func(context.Context) error { client.Close(); return nil })
		deps.PuppetDB, deps.Collective = client, w.options.Config.NATS.Collective
	}
	return builtin.Types(deps), fleet, nil
}

func (w wiring) network(ctx context.Context) (*choria.Client, error) {
	o := w.options.Config.ChoriaOptions()
	o.Patient, o.Logger = w.options.Patient, w.options.Logger
	client, err := choria.Connect(ctx, o)
	if err == nil {
		w.options.Logger.InfoContext(ctx, "in whose name the Choria network is asked", "callers", client.Callers().String())
	}
	return client, err
}

// Vocabulary is what playbooks may use, with nothing connected: enough to check them.
func Vocabulary(dataDir string) engine.Types {
	return builtin.Types(builtin.Deps{DataDir: dataDir})
}

// Vocabulary is the same with what the configuration knows of agents.
func (c *Config) Vocabulary() (engine.Types, error) {
	ddls, err := c.DDLs()
	if err != nil {
		return engine.Types{}, err
	}
	kept, err := c.registry(ddls, nil, nil)
	if err != nil {
		return engine.Types{}, err
	}
	return builtin.Types(builtin.Deps{DataDir: c.DataDir, DDLs: descriptions(ddls, kept)}), nil
}

func (w wiring) poster() slack.Poster {
	if w.options.Slack {
		return botPoster{w.app}
	}
	return w.options.Poster
}

// lateBooks is the library, which is opened after the types that need it.
type lateBooks struct{ app *App }

// Get implements the playbook task's Books.
func (b lateBooks) Get(name string) (*playbooks.Playbook, error) {
	if b.app.Library == nil {
		return nil, &playbooks.NotFoundError{Name: name}
	}
	return b.app.Library.Get(name)
}

// botPoster hands the bot to the slack task, which is made before it.
type botPoster struct{ app *App }

// Post implements the slack task's Poster.
func (p botPoster) Post(ctx context.Context, m slack.Message) error {
	return p.app.bot.Post(ctx, bot.Announcement{Channel: m.Channel, Text: m.Text, Color: m.Color, Run: m.Run.ID, Task: m.Title})
}

// tokens are Slack's, read from where the configuration says.
type tokens struct{ bot, app string }

func (o Options) tokens() (tokens, error) {
	if !o.Slack {
		return tokens{}, nil
	}
	b, err := o.Config.Slack.BotToken.Read("slack.bot_token")
	if err != nil {
		return tokens{}, err
	}
	a, err := o.Config.Slack.AppToken.Read("slack.app_token")
	if err != nil {
		return tokens{}, err
	}
	if u := o.Config.Slack.APIURL; u != "" && !strings.HasSuffix(u, "/") {
		return tokens{}, fmt.Errorf("slack.api_url must end with a slash, as in https://slack.com/api/, not %q", u)
	}
	return tokens{bot: b, app: a}, nil
}

func (t tokens) list() []string {
	var out []string
	for _, s := range []string{t.bot, t.app} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
