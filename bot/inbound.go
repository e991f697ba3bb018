package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// maxInFlight is how many requests are answered at a time.
const maxInFlight = 64

// frame is an envelope as it came, read by us and not by the client library: what that cannot
// decode would never be acked.
type frame struct {
	Type       string          `json:"type"`
	EnvelopeID string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
}

// listen takes envelopes until closing ends. The error is one that waiting cannot mend.
func (b *Bot) listen(ctx, closing context.Context) error {
	var options []socketmode.Option
	if b.opts.Dialer != nil {
		options = append(options, socketmode.OptionDialer(b.opts.Dialer))
	}
	client := socketmode.New(b.api, options...)
	var wg sync.WaitGroup
	defer wg.Wait()
	failed := make(chan error, 1)
	wg.Go(func() { failed <- client.RunContext(closing) })
	slots := make(chan struct{}, maxInFlight)
	for {
		select {
		case evt := <-client.Events:
			f, ok := b.frameOf(closing, evt)
			if !ok {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				b.handle(ctx, client, f)
			})
		case err := <-failed:
			if closing.Err() != nil {
				return nil // we were asked to stop
			}
			return fmt.Errorf("slack ended the connection for good: %w; check the app token and that Socket Mode is on", err)
		}
	}
}

// frameOf is the envelope of an event of the client, when it has one that wants an answer.
func (b *Bot) frameOf(ctx context.Context, evt socketmode.Event) (frame, bool) {
	switch evt.Type {
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
		if evt.Request == nil {
			return frame{}, false
		}
		return frame{Type: evt.Request.Type, EnvelopeID: evt.Request.EnvelopeID, Payload: evt.Request.Payload}, true
	case socketmode.EventTypeErrorBadMessage:
		bad, ok := evt.Data.(*socketmode.ErrorBadMessage)
		if !ok {
			return frame{}, false
		}
		var f frame
		err := json.Unmarshal(bad.Message, &f)
		b.logger.WarnContext(ctx, "envelope read by hand", "cause", bad.Cause, "error", err)
		return f, err == nil && f.EnvelopeID != ""
	case socketmode.EventTypeConnected:
		b.logger.InfoContext(ctx, "connected to slack")
	case socketmode.EventTypeConnectionError, socketmode.EventTypeIncomingError, socketmode.EventTypeErrorWriteFailed:
		b.logger.WarnContext(ctx, "slack connection", "event", evt.Type, "data", fmt.Sprint(evt.Data))
	default: // nothing to do, and too often to log
	}
	return frame{}, false
}

// acker acknowledges envelopes.
type acker interface {
	AckCtx(ctx context.Context, reqID string, payload any) error
}

// handle answers one envelope. A panic costs that answer and nothing else.
func (b *Bot) handle(ctx context.Context, client acker, f frame) {
	defer func() {
		if p := recover(); p != nil {
			b.logger.ErrorContext(ctx, "request panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	ack := func(payload any) {
		if err := client.AckCtx(ctx, f.EnvelopeID, payload); err != nil {
			b.logger.WarnContext(ctx, "ack not sent", "error", err)
		}
	}
	switch f.Type {
	case "slash_commands":
		b.slash(ctx, f, ack)
	case "interactive":
		b.interactive(ctx, f, ack)
	case "events_api":
		b.event(ctx, f.Payload, ack)
	default:
		ack(nil)
	}
}

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
	if err := json.Unmarshal(f.Payload, &p); err != nil || p.UserID == "" {
		b.logger.WarnContext(ctx, "slash command cannot be read", "error", err)
		ack(map[string]any{"response_type": "ephemeral", "text": "I could not read that command; nothing was done. Please type it again."})
		return
	}
	if p.TriggerID == "" {
		p.TriggerID = f.EnvelopeID
	}
	key := "slash/" + p.TriggerID
	if b.known(key) {
		return // the same envelope again; the first one is answered
	}
	reply, late := b.say(ctx, commands.Request{
		Key: key, Origin: engine.OriginTyped, Text: p.Text,
		Actor: engine.Actor{Team: p.TeamID, User: p.UserID, Name: p.UserName, Channel: p.ChannelID},
	})
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
func (b *Bot) respond(ctx context.Context, url string, m webhookMessage) {
	encoded, err := json.Marshal(m)
	if err != nil {
		b.logger.ErrorContext(ctx, "answer cannot be encoded", "error", err)
		return
	}
	err = call(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
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
		b.logger.WarnContext(ctx, "answer not delivered", "error", err)
	}
}

// known reports whether a request was handled before, and notes that it is now. Slack sends events
// again for an hour; the rest may come twice when connections change.
func (b *Bot) known(id string) bool {
	const keep = 24 * time.Hour
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for other, at := range b.seen {
		if now.Sub(at) > keep {
			delete(b.seen, other)
		}
	}
	_, again := b.seen[id]
	b.seen[id] = now
	return again
}

// forget lets a request come again.
func (b *Bot) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.seen, id)
}
