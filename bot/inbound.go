package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

type slashPayload struct {
	TeamID      string `json:"team_id"`
	ChannelID   string `json:"channel_id"`
	UserID      string `json:"user_id"`
	UserName    string `json:"user_name"`
	Text        string `json:"text"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
}

// slash answers a command: what was asked is on disk before the ack says so.
func (b *Bot) slash(ctx context.Context, f frame, ack func(any)) {
	var p slashPayload
	if err := lenient(f.Payload, &p); err != nil || p.UserID == "" {
		b.logger.WarnContext(ctx, "slash command cannot be read", "error", err)
		ack(map[string]any{"response_type": "ephemeral", "text": "I could not read that command; nothing was done. Please type it again."})
		return
	}
	if p.TriggerID == "" {
		p.TriggerID = f.EnvelopeID
	}
	key := "slash/" + p.TriggerID
	first, again := b.seen.begin(key)
	if again {
		first.repeat(ctx, ack)
		return
	}
	defer first.end()
	ack = first.keep(ack)
	if age := f.age(); age > b.opts.StaleAfter {
		ack(hookMessage(staleReply(p.Text, age)))
		return
	}
	reply, late := b.say(ctx, commands.Request{
		Key: key, Origin: engine.OriginTyped, Text: p.Text,
		Actor: engine.Actor{Team: p.TeamID, User: p.UserID, Name: p.UserName, Channel: p.ChannelID},
	})
	if late {
		b.forget(key)
	}
	b.answerSlash(ctx, p, reply, late, ack)
	b.sure(ctx, reply.Waiting)
}

func (b *Bot) answerSlash(ctx context.Context, p slashPayload, reply commands.Reply, late bool, ack func(any)) {
	m := hookMessage(withButton(reply))
	if late {
		b.respond(ctx, p.ResponseURL, m)
		return
	}
	if reply.Form != nil {
		ack(nil)
		if !b.open(ctx, p.TriggerID, reply.Form, stand{Channel: p.ChannelID}) {
			b.respond(ctx, p.ResponseURL, m)
		}
		return
	}
	if encoded, err := json.Marshal(m); err == nil && len(encoded) <= maxAck {
		ack(json.RawMessage(encoded))
		return
	}
	ack(nil)
	b.respond(ctx, p.ResponseURL, m)
}

// say answers a line. late reports that it was dropped: it was in no transaction when its time was
// over, nothing has happened, and it must not be acknowledged.
func (b *Bot) say(ctx context.Context, q commands.Request) (reply commands.Reply, late bool) {
	boxed, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	reply = b.opts.Commands.Say(boxed, q)
	return reply, b.dropped(boxed, q.Key, reply)
}

// press is say for a button.
func (b *Bot) press(ctx context.Context, p commands.Press) (reply commands.Reply, late bool) {
	boxed, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	reply = b.opts.Commands.Press(boxed, p)
	return reply, b.dropped(boxed, p.Key, reply)
}

func (b *Bot) dropped(boxed context.Context, key string, r commands.Reply) bool {
	if boxed.Err() == nil || r.Code != engine.CodeBusy {
		return false
	}
	b.logger.WarnContext(boxed, "request dropped; the store takes too long", "request", key)
	return true
}

// webhookMessage is a message for an ack or a response_url.
type webhookMessage struct {
	Type    string        `json:"response_type"`
	Replace bool          `json:"replace_original"`
	Text    string        `json:"text"`
	Blocks  []slack.Block `json:"blocks,omitempty"`
}

func hookMessage(r commands.Reply) webhookMessage {
	m := render(r)
	out := webhookMessage{Type: "in_channel", Text: m.text, Blocks: m.blocks}
	if r.Private {
		out.Type = "ephemeral"
	}
	return out
}

// respond posts to a response_url, which needs no membership and no token.
func (b *Bot) respond(ctx context.Context, to string, m webhookMessage) {
	encoded, err := json.Marshal(m)
	if err != nil {
		b.logger.ErrorContext(ctx, "answer cannot be encoded", "error", err)
		return
	}
	err = call(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(encoded))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		resp, err := b.opts.HTTP.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close() // there is nothing in it that we need
		switch {
		case resp.StatusCode >= http.StatusInternalServerError:
			return errors.New(resp.Status)
		case resp.StatusCode != http.StatusOK:
			return slack.SlackErrorResponse{Err: resp.Status}
		}
		return nil
	})
	if err != nil {
		b.logger.WarnContext(ctx, "answer not delivered", "error", withoutURL(err))
	}
}

// withoutURL is an error of a request without its address: who knows a response_url may post there.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// forget lets a request come again.
func (b *Bot) forget(key string) { b.seen.forget(key) }
