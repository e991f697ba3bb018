package bot

import (
	"context"
	"encoding/json"
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
	ResponseURL string `json:"response_url"`
	Actions     []struct {
		ActionID string `json:"action_id"`
		ActionTS string `json:"action_ts"`
		Value    string `json:"value"`
	} `json:"actions"`
}

// interactive answers a click. The decision is on disk before the ack; the words follow it.
func (b *Bot) interactive(ctx context.Context, f frame, ack func(any)) {
	if b.logClicked(ctx, f, ack) {
		return
	}
	var p pressPayload
	err := json.Unmarshal(f.Payload, &p)
	if b.viewing(ctx, p.Type, f, ack) {
		return
	}
	if err != nil || p.User.ID == "" || len(p.Actions) == 0 {
		b.logger.WarnContext(ctx, "interaction cannot be read", "type", p.Type, "error", err)
		ack(nil)
		if p.ResponseURL != "" {
			b.respond(ctx, p.ResponseURL, webhookMessage{Type: "ephemeral", Text: "I could not read that click; nothing was done. Please try again."})
		}
		return
	}
	act := p.Actions[0]
	team := p.User.TeamID
	if team == "" {
		team = p.Team.ID
	}
	name, _, _ := strings.Cut(act.ActionID, "/")
	key := fmt.Sprintf("click/%s/%s/%s", p.User.ID, act.ActionTS, act.ActionID)
	if b.known(key) {
		return // the same envelope again; the first one is answered
	}
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
	reply, late := b.press(ctx, commands.Press{Key: key, Actor: actor, Action: commands.Action(name), Value: act.Value})
	if !late {
		ack(nil)
	}
	if reply.Run != "" && (reply.Code == engine.CodeConflict || reply.Code == engine.CodeNotFound) {
		b.thread.repair(reply.Run) // the button was over
	}
	if b.open(ctx, p.TriggerID, reply.Form, stand{Channel: p.Container.ChannelID, Thread: p.Container.ThreadTS, Home: p.ResponseURL == ""}) {
		return
	}
	b.answer(ctx, p, actor, withButton(reply))
}

// answer tells whoever pressed something what came of it: where they pressed it, which may be the Home tab.
func (b *Bot) answer(ctx context.Context, p pressPayload, actor engine.Actor, reply commands.Reply) {
	if p.ResponseURL != "" {
		b.respond(ctx, p.ResponseURL, hookMessage(reply))
		return
	}
	b.home(ctx, actor, render(reply))
}
