package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// forged says why a press is not one of a button that this bot has shown where it was pressed; empty when it is.
// Slack sends us no other; that a press was copied, or that Slack was wrong, must open no gate all the same. What
// it needs to know is in the payload and on our disk: nothing is looked up.
func (b *Bot) forged(ctx context.Context, p pressPayload) string {
	switch {
	case p.Type != "block_actions":
		return "it is no press of a button"
	case b.appID() != "" && p.AppID != b.appID():
		return "the button belongs to another app"
	case p.Enterprise.ID == "" && p.User.TeamID == b.team && p.Team.ID != b.team:
		return "it comes from another workspace" // people of other companies are refused where they are looked up
	case p.Container.Ephemeral && p.Message.TS != "", p.Message.TS != "" && p.Message.TS != p.Container.MessageTS,
		p.Channel.ID != "" && p.Channel.ID != p.Container.ChannelID:
		return "it contradicts itself about the message that it was pressed in"
	case p.Message.User != "" && b.self != "" && p.Message.User != b.self:
		return "the message with the button is not ours"
	}
	return b.misplaced(ctx, p)
}

// misplaced says that the button of a gate was pressed in another message than the one that asks. What only one
// person sees, an answer, a direct message or the Home tab, is no other message: the token in it counts.
func (b *Bot) misplaced(ctx context.Context, p pressPayload) string {
	name, _, _ := strings.Cut(p.Actions[0].ActionID, "/")
	if !decides(commands.Action(name)) || p.Container.Ephemeral || p.Container.Type == "view" || strings.HasPrefix(p.Container.ChannelID, "D") {
		return ""
	}
	id, token, _ := strings.Cut(p.Actions[0].Value, "/")
	run, err := b.opts.Runs.Load(ctx, engine.RunID(id))
	if err != nil {
		return "" // the answer says so
	}
	a, _ := run.Pressed(token)
	if a == nil {
		return "" // the answer says so
	}
	at, posted := run.Posts[a.Ref()]
	if !posted || at.Channel == p.Container.ChannelID && at.TS == p.Container.MessageTS {
		return ""
	}
	return "the question is asked in another message, and only the buttons there count"
}

// unknown reports whether a question is about a run that the history does not have: it was restored from a copy that
// is older than the question.
func (b *Bot) unknown(ctx context.Context, p pressPayload) bool {
	name, _, _ := strings.Cut(p.Actions[0].ActionID, "/")
	id, _, _ := strings.Cut(p.Actions[0].Value, "/")
	if !decides(commands.Action(name)) || p.Message.TS == "" || p.ResponseURL == "" || len(id) != runIDLength {
		return false
	}
	_, err := b.opts.Runs.Load(ctx, engine.RunID(id))
	return err != nil && engine.CodeOf(err) == engine.CodeNotFound
}

// runIDLength is the length of a whole run id.
const runIDLength = 26

// foreign takes the place of a question that the history does not know.
func foreign() webhookMessage {
	return webhookMessage{Replace: true, Text: "🚫 This question is not in playbot's history, which was perhaps restored from an older copy. " +
		"Nothing was decided, and nothing rests on it; `/playbook approvals` shows what waits."}
}

func decides(a commands.Action) bool {
	return slices.Contains([]commands.Action{commands.ActionApprove, commands.ActionRest, commands.ActionFirst, commands.ActionLess, commands.ActionDeny}, a)
}

// appID is the id of our app, which stands in its app-level token: "xapp-1-A0123-…"; empty when it does not.
func (b *Bot) appID() string {
	parts := strings.Split(b.opts.AppToken, "-")
	if len(parts) < 4 || !strings.HasPrefix(parts[2], "A") {
		return ""
	}
	return parts[2]
}

// notAuthentic is what somebody is told whose press counts for nothing.
func notAuthentic(why string) commands.Reply {
	return commands.Refusal(engine.CodeDenied, "nothing was done: %s; `/playbook approvals` shows what waits for you", why)
}
