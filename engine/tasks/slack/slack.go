// Package slack is the task type `slack`: it posts a message. With a token of its own it calls
// Slack itself; without one it speaks through the bot.
package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
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
	if !strings.HasSuffix(o.APIURL, "/") {
		o.APIURL += "/"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 30 * time.Second}
	}
	return engine.TaskType{
		Name: "slack", Summary: "posts a message to a channel", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			t := &task{
				options: o, channel: p.RequireText("channel"), text: p.RequireText("text"), token: p.Text("token", ""),
				color: p.Text("color", defaultColor), username: p.Text("username", defaultUser),
			}
			return t, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "channel", Kind: playbooks.KindText, Required: true, Doc: "Where to post: a name such as `#ops`, or an id."},
		{Name: "text", Kind: playbooks.KindText, Required: true, Doc: "The message, in Slack's own markup."},
		{
			Name: "token", Kind: playbooks.KindText,
			Doc: "A bot token to post with, which travels in a header. Without it the message goes through playbot's own connection.",
		},
		{Name: "color", Kind: playbooks.KindText, Default: defaultColor, Doc: "The bar beside the message: `good`, `warning`, `danger` or `#rrggbb`."},
		{Name: "username", Kind: playbooks.KindText, Default: defaultUser, Doc: "The name that a message with a `token` is posted under."},
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
	var result engine.Result
	var err error
	text := c.Masked(t.text)
	switch {
	case t.token != "":
		var answer map[string]any
		answer, err = t.call(ctx, c, text)
		if answer != nil {
			result.Data = []any{answer}
		}
	case t.options.Poster != nil:
		err = t.options.Poster.Post(ctx, Message{
			Run: c.Run, Channel: t.channel, Text: text, Color: t.color, Username: t.username, Title: c.Describe,
		})
	default:
		err = engine.Errorf(engine.CodeNotSent, "no Slack is connected; give the task a token, or run the playbook from chat")
	}
	if err != nil {
		result.Message = fmt.Sprintf("not posted to %s: %v", t.channel, err)
		return result, err
	}
	result.Message = "posted to " + t.channel
	return result, nil
}

// call posts with the task's own token, which travels in the header, and returns what Slack answered.
func (t *task) call(ctx context.Context, c *engine.Call, text string) (map[string]any, error) {
	req, err := t.request(ctx, c, text)
	if err != nil {
		return nil, err
	}
	resp, err := t.options.Client.Do(req)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, unreachable(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, engine.Errorf(engine.CodeFailed, "Slack's answer (%s) cannot be read: %v", resp.Status, err)
	}
	if ok, isBool := answer["ok"].(bool); !isBool || !ok {
		return answer, engine.Errorf(engine.CodeFailed, "Slack refused: %v", answer["error"])
	}
	return answer, nil
}

func (t *task) request(ctx context.Context, c *engine.Call, text string) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{
		"channel": t.channel, "username": t.username, "unfurl_links": false, "unfurl_media": false,
		"attachments": []any{map[string]any{
			"fallback": text, "color": t.color, "text": text, "pretext": "Task: " + plain(c.Describe), "footer": "playbot",
			"fields": []any{
				map[string]any{"title": "user", "value": plain(c.Run.Actor.Label()), "short": true},
				map[string]any{"title": "playbook", "value": c.Run.Playbook.Name, "short": true},
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.options.APIURL+"chat.postMessage", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+t.token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return req, nil
}

// plain keeps what is no text of the playbook from being read as markup.
func plain(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// unreachable says whether anything left this machine.
func unreachable(err error) error {
	code := engine.CodeFailed
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		code = engine.CodeNotSent
	}
	return engine.Errorf(code, "call Slack: %v", err)
}
