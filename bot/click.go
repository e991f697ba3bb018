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
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Container struct {
		ChannelID string `json:"channel_id"`
		MessageTS string `json:"message_ts"`
		ThreadTS  string `json:"thread_ts"`
	} `json:"container"`
	TriggerID   string `json:"trigger_id"`
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
	reply = withButton(reply)
	if p.ResponseURL != "" {
		b.respond(ctx, p.ResponseURL, hookMessage(reply))
		return
	}
	b.home(ctx, actor, render(reply)) // from the Home tab, which is where it is answered
}
