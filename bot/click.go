package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

type pressPayload struct {
	Type  string `json:"type"`
	AppID string `json:"api_app_id"`
	Team  struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Container struct {
		Type      string `json:"type"`
		ChannelID string `json:"channel_id"`
		MessageTS string `json:"message_ts"`
		ThreadTS  string `json:"thread_ts"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	TriggerID  string `json:"trigger_id"`
	Enterprise struct {
		ID string `json:"id"`
	} `json:"enterprise"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Message struct {
		TS   string `json:"ts"`
		User string `json:"user"`
	} `json:"message"`
	ResponseURL string        `json:"response_url"`
	Actions     []pressAction `json:"actions"`
}

type pressAction struct {
	ActionID string `json:"action_id"`
	ActionTS string `json:"action_ts"`
	Value    string `json:"value"`
}

// atHome reports whether the button stands in the Home tab.
func (p pressPayload) atHome() bool { return p.ResponseURL == "" && p.Container.ChannelID == "" }

// interactive answers a click. The decision is on disk before the ack; the words follow it.
func (b *Bot) interactive(ctx context.Context, f frame, ack func(any)) {
	if b.logClicked(ctx, f, ack) || b.viewing(ctx, f, ack) {
		return
	}
	p, ok := readPress(f.Payload)
	if !ok {
		b.logger.WarnContext(ctx, "interaction cannot be read", "type", p.Type)
		ack(nil)
		b.puzzled(ctx, p)
		return
	}
	act := p.Actions[0]
	team := p.User.TeamID
	if team == "" {
		team = p.Team.ID
	}
	key := fmt.Sprintf("click/%s/%s/%s", p.User.ID, act.ActionTS, act.ActionID)
	first, again := b.seen.begin(key)
	if again {
		first.repeat(ctx, ack) // another copy of the same click; the first one is answered
		return
	}
	defer first.end()
	ack = first.keep(ack)
	actor := engine.Actor{Team: team, User: p.User.ID, Name: p.User.Username, Channel: p.Container.ChannelID}
	if why := b.forged(ctx, p); why != "" {
		b.logger.WarnContext(ctx, "press refused", "actor", p.User.ID, "action", act.ActionID, "why", why)
		ack(nil)
		b.answer(ctx, p, actor, notAuthentic(why))
		return
	}
	if b.unknown(ctx, p) {
		b.logger.WarnContext(ctx, "question of another history", "actor", p.User.ID, "value", act.Value)
		ack(nil)
		b.respond(ctx, p.ResponseURL, foreign())
		return
	}
	reply, late := b.pressed(ctx, key, actor, act)
	if !late {
		ack(nil)
	} else {
		b.forget(key)
	}
	if reply.Run != "" && (reply.Code == engine.CodeConflict || reply.Code == engine.CodeNotFound) {
		b.thread.repair(reply.Run) // the button was over
	}
	if b.open(ctx, p.TriggerID, reply.Form, stand{Channel: p.Container.ChannelID, Thread: p.Container.ThreadTS, Home: p.atHome()}) {
		return
	}
	b.answer(ctx, p, actor, withButton(reply))
}

// answer tells whoever pressed something what came of it: where they pressed it, which may be the Home tab.
func (b *Bot) answer(ctx context.Context, p pressPayload, actor engine.Actor, reply commands.Reply) {
	switch {
	case p.ResponseURL != "":
		b.respond(ctx, p.ResponseURL, hookMessage(reply))
	case p.atHome():
		b.home(ctx, actor, render(reply)) // which is where it is answered
	default: // Slack does not say how to answer at the message
		b.post(ctx, p.User.ID, "", render(reply))
	}
}

// pressed does what a button is for.
func (b *Bot) pressed(ctx context.Context, key string, who engine.Actor, act pressAction) (commands.Reply, bool) {
	name, _, _ := strings.Cut(act.ActionID, "/")
	if commands.Action(name) == actionAgain {
		return b.say(ctx, commands.Request{Key: key, Actor: who, Origin: engine.OriginButton, Text: act.Value})
	}
	return b.press(ctx, commands.Press{Key: key, Actor: who, Action: commands.Action(name), Value: act.Value})
}

// puzzled tells whoever pressed something that it was not understood, on whatever way leads to them.
func (b *Bot) puzzled(ctx context.Context, p pressPayload) {
	switch {
	case p.ResponseURL != "":
		b.respond(ctx, p.ResponseURL, notUnderstood())
	case p.User.ID != "":
		b.post(ctx, p.User.ID, "", p.confused())
	}
}
