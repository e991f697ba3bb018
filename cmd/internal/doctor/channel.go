package doctor

import (
	"cmp"
	"context"
	"errors"

	"github.com/playbot/playbot/bot"
)

// channel looks for the channel where cards go that cannot be posted where a run was asked for.
func (s site) channel(ctx context.Context, n *notes) {
	name := s.cfg.Slack.OpsChannel
	p, token, _ := s.probe()
	switch {
	case s.cfg.Slack.BotToken == "":
		n.skip("Slack is not configured")
		return
	case name == "":
		n.warn("set slack.ops_channel to a channel where the bot is", "there is none: where the bot may not post, a run has no card")
		return
	case token == "":
		n.skip("there is no bot token to ask with")
		return
	}
	ch, err := p.Channel(ctx, name)
	e, asked := errors.AsType[*bot.ProbeError](err)
	switch {
	case errors.Is(err, bot.ErrManyChannels):
		n.warn("write its id into slack.ops_channel; the channel's details show it", "it is not known whether the bot is in %s: %v", name, err)
	case asked && e.Code == "missing_scope":
		n.warn(scopeRemedy, "it is not known whether the bot is in %s: the token lacks the scope %s", name, cmp.Or(e.Needed, "channels:read"))
	case asked && e.Refused():
		n.skip("Slack refuses the bot token")
	case err != nil:
		slackError(n, err, "the bot token", installRemedy)
	case ch == nil:
		n.broken("correct slack.ops_channel, or invite the bot where the channel is private: /invite @playbot there",
			"there is no channel %s that the bot can see", name)
	case ch.Archived:
		n.broken("name another channel in slack.ops_channel", "#%s is archived", ch.Name)
	case !ch.Member:
		n.broken("type /invite @playbot in that channel", "the bot is not in #%s, and cannot post there", ch.Name)
	case ch.Shared:
		n.warn("name a channel of your own in slack.ops_channel", "#%s is shared with another company, which reads along", ch.Name)
	default:
		n.ok("#%s (%s), and the bot is in it", ch.Name, ch.ID)
	}
}
