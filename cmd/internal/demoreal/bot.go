package demoreal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/playbooks"
)

// botConfig is what an administrator would write. The time-outs are for a busy machine.
const botConfig = `label: real
data_dir: data
playbooks: playbooks
slack:
  bot_token: file:bot_token
  app_token: file:app_token
  api_url: %s
  ops_channel: "#ops"
nats:
  servers: [%s]
  identity: %s
  ca: %s
  cert: %s
  key: %s
  timeout: 1m
choria:
  ddls: [ddls]
puppetdb:
  url: %s
policy:
  roles:
    deployers: {members: [U0ANA], may: [run, approve, cancel], playbooks: ["*"]}
    approvers: {members: [U0BEN], may: [approve, cancel], playbooks: ["*"]}
`

// bot is a playbot with its own workspace.
type bot struct {
	workspace *workspace.Server
	app       *app.App
	cancel    context.CancelFunc
	ended     chan error
}

// startBot starts one, with its files in a folder. The playbook web_upgrade is the one of the examples,
// edited by edits.
func (w *World) startBot(ctx context.Context, dir string, edits ...string) (*bot, error) {
	ws := workspace.New(workspace.Options{})
	if err := ws.Listen(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	b := &bot{workspace: ws}
	if err := w.startApp(ctx, b, dir, edits); err != nil {
		ws.Stop()
		return nil, fmt.Errorf("start the bot: %w", err)
	}
	return b, nil
}

func (w *World) startApp(ctx context.Context, b *bot, dir string, edits []string) error {
	if err := copyPlaybooks(filepath.Join(dir, "playbooks"), edits); err != nil {
		return err
	}
	if err := writeDDLs(filepath.Join(dir, "ddls")); err != nil {
		return err
	}
	c := w.choria.certs
	for name, text := range map[string]string{
		"bot_token": b.workspace.BotToken(), "app_token": b.workspace.AppToken(),
		"playbot.yaml":       fmt.Sprintf(botConfig, b.workspace.APIURL(), w.choria.URL, identity, c.CA, c.ClientCert, c.ClientKey, w.db.URL),
		"data/settings.yaml": fmt.Sprintf("check_interval: 1\npuppet_interval: 1\nbatch_pause: 1\nlambda_url: %s/deploys\n", w.hooksURL),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	cfg, err := app.Load(filepath.Join(dir, "playbot.yaml"))
	if err != nil {
		return err
	}
	b.app, err = app.New(ctx, app.Options{Config: cfg, Slack: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for _, name := range []string{"web_upgrade", "deploy_failure_handler"} {
		if _, err := b.app.Library.Get(name); err != nil {
			return errors.Join(err, b.app.Stop(ctx))
		}
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.cancel, b.ended = cancel, make(chan error, 1)
	go func() { b.ended <- b.app.Run(running) }()
	return nil
}

// stop ends the bot and its workspace.
func (b *bot) stop(ctx context.Context) error {
	b.cancel()
	err := errors.Join(<-b.ended, b.app.Stop(context.WithoutCancel(ctx)))
	b.workspace.Stop()
	return err
}

// theCheck has the playbook look at the application and not at the load of a machine that is busy with
// twelve other machines. It is the one difference to the example.
func theCheck() []string {
	return []string{
		"description: 5 Load average must be GREEN", "description: 5 The application must be GREEN",
		"command: check_load", "command: " + checkApp,
	}
}

// copyPlaybooks writes the examples, with web_upgrade edited: pairs of a text, which must be there once,
// and what takes its place.
func copyPlaybooks(dir string, edits []string) error {
	examples, err := playbooks.Examples()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := fs.Glob(examples, "*.yaml")
	if err != nil {
		return err
	}
	for _, name := range files {
		data, err := fs.ReadFile(examples, name)
		if err != nil {
			return err
		}
		text := string(data)
		if name == "web_upgrade.yaml" {
			if text, err = edit(text, append(theCheck(), edits...)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func edit(text string, edits []string) (string, error) {
	for i := 0; i+1 < len(edits); i += 2 {
		if n := strings.Count(text, edits[i]); n != 1 {
			return "", fmt.Errorf("%q is there %d times and not once", edits[i], n)
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	return text, nil
}
