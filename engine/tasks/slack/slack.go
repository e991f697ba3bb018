// Package slack is the task type `slack`: it posts a message. With a token of its own it calls
// Slack itself; without one it speaks through the bot.
package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Poster posts through the bot.
type Poster interface {
	Post(ctx context.Context, m Message) error
}

// Message is what a playbook says. Text is the playbook's own markup; everything else is plain.
type Message struct {
	Run      engine.RunInfo
	Channel  string // a name such as "#ops", or an id
	Text     string
	Color    string // good, warning, danger or #rrggbb
	Username string
	Title    string // the description of the task
}

// Options are what the task type needs.
type Options struct {
	Poster Poster       // nil: tasks without a token fail and say what to configure
	APIURL string       // default https://slack.com/api/
	Client *http.Client // for tasks with a token; nil: one with a time-out
}

// The defaults of 2017.
const (
	defaultColor = "#ffa449"
	defaultUser  = "playbot"
	maxAnswer    = 64 << 10 // bytes of Slack's answer that are read
)

// Type is the task type.
func Type(o Options) engine.TaskType {
	if o.APIURL == "" {
		o.APIURL = "https://slack.com/api/"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 30 * time.Second}
	}
	return engine.TaskType{
		Name: "slack", Summary: "posts a message to a channel",
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			t := &task{
				options: o, channel: p.RequireText("channel"), text: p.RequireText("text"), token: p.Text("token", ""),
				color: p.Text("color", defaultColor), username: p.Text("username", defaultUser),
			}
			return t, p.Err()
		},
	}
}

type task struct {
	options                               Options
	channel, text, token, color, username string
}

// Effect implements [engine.Task].
func (*task) Effect() engine.Effect { return engine.Once }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	var err error
	switch {
	case t.token != "":
		err = t.call(ctx, c)
	case t.options.Poster != nil:
		err = t.options.Poster.Post(ctx, Message{
			Run: c.Run, Channel: t.channel, Text: t.text, Color: t.color, Username: t.username, Title: c.Describe,
		})
	default:
		err = engine.Errorf(engine.CodeNotSent, "no Slack is connected; give the task a token, or run the playbook from chat")
	}
	if err != nil {
		return engine.Result{Message: fmt.Sprintf("not posted to %s: %v", t.channel, err)}, err
	}
	return engine.Result{Message: "posted to " + t.channel}, nil
}

// call posts with the task's own token, which travels in the header.
func (t *task) call(ctx context.Context, c *engine.Call) error {
	body, err := json.Marshal(map[string]any{
		"channel": t.channel, "username": t.username, "unfurl_links": false, "unfurl_media": false,
		"attachments": []any{map[string]any{
			"fallback": t.text, "color": t.color, "text": t.text, "pretext": "Task: " + c.Describe, "footer": "playbot",
			"fields": []any{
				map[string]any{"title": "user", "value": c.Run.Actor.Label(), "short": true},
				map[string]any{"title": "playbook", "value": c.Run.Playbook.Name, "short": true},
			},
		}},
	})
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.options.APIURL+"chat.postMessage", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("build the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+t.token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := t.options.Client.Do(req)
	if err != nil {
		return fmt.Errorf("call Slack: %w", err)
	}
	defer resp.Body.Close()
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("read Slack's answer (HTTP %d): %w", resp.StatusCode, err)
	}
	if !answer.OK {
		return engine.Errorf(engine.CodeFailed, "Slack refused: %s", answer.Error)
	}
	return nil
}
