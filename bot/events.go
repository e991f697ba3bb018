package bot

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

type eventPayload struct {
	TeamID  string    `json:"team_id"`
	EventID string    `json:"event_id"`
	Time    int64     `json:"event_time"` // when it happened, in seconds
	Event   eventBody `json:"event"`
}

type eventBody struct {
	Type        string `json:"type"`
	User        string `json:"user"`
	BotID       string `json:"bot_id"`
	Subtype     string `json:"subtype"`
	Text        string `json:"text"`
	Channel     string `json:"channel"`
	ChannelType string `json:"channel_type"`
	TS          string `json:"ts"`
	ThreadTS    string `json:"thread_ts"`
	Tab         string `json:"tab"`
	View        struct {
		Hash string `json:"hash"`
	} `json:"view"` // the Home tab, when there is one
}

// event handles an event of the Events API, once. Events are sent again until they are acked; what
// they start carries their id as its key.
func (b *Bot) event(ctx context.Context, raw json.RawMessage, ack func(any)) {
	var p eventPayload
	err := lenient(raw, &p)
	e := p.Event
	if err != nil {
		b.logger.WarnContext(ctx, "event cannot be read", "error", err)
		ack(nil)
		return
	}
	first, again := b.seen.begin("event/" + p.EventID)
	if again && p.EventID != "" {
		first.repeat(ctx, ack)
		return
	}
	if !again {
		defer first.end()
	}
	ack = first.keep(ack)
	switch {
	case e.BotID != "" || e.Subtype != "" || e.User == "" || e.User == b.self:
		ack(nil)
	case e.Type == "app_home_opened" && e.Tab == "home":
		ack(nil)
		b.homes.look(engine.Actor{Team: p.TeamID, User: e.User}, e.View.Hash)
	case e.Type == "app_mention", e.Type == "message" && e.ChannelType == "im":
		b.mention(ctx, p, ack)
	default:
		ack(nil)
	}
}

// mention answers a line that was said to the bot, where it was said.
func (b *Bot) mention(ctx context.Context, p eventPayload, ack func(any)) {
	e := p.Event
	text := strings.TrimSpace(strings.Replace(e.Text, "<@"+b.self+">", "", 1))
	if age := time.Since(time.Unix(p.Time, 0)); p.Time > 0 && age > b.opts.StaleAfter {
		ack(nil)
		b.reply(ctx, e, staleReply(text, age))
		return
	}
	hint := b.runAt(ctx, engine.Place{Team: p.TeamID, Channel: e.Channel, TS: e.ThreadTS})
	reply, late := b.say(ctx, commands.Request{
		Key: "event/" + p.EventID, Origin: engine.OriginTyped, Text: text, RunHint: hint,
		Actor: engine.Actor{Team: p.TeamID, User: e.User, Name: b.people.remembered(e.User), Channel: e.Channel},
	})
	if late {
		b.forget("event/" + p.EventID) // without an ack Slack sends it again
		return
	}
	ack(nil)
	b.reply(ctx, e, reply)
}

// reply answers where something was said.
func (b *Bot) reply(ctx context.Context, e eventBody, reply commands.Reply) {
	m := render(withButton(reply)) // nothing opens a form for who was not at a button
	thread := e.ThreadTS
	if e.ChannelType == "im" || !reply.Private {
		if thread == "" && e.ChannelType != "im" {
			thread = e.TS
		}
		b.post(ctx, e.Channel, thread, m)
		return
	}
	err := call(ctx, func(ctx context.Context) error {
		_, err := b.api.PostEphemeralContext(ctx, e.Channel, e.User, options(m, inThread(thread)...)...)
		return err
	})
	if err != nil {
		b.logger.WarnContext(ctx, "answer not delivered", "channel", e.Channel, "error", err)
	}
}
