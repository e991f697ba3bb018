package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// markType is the type of the metadata of our messages. Every app of the workspace can read metadata:
// it holds ids only.
const markType = "playbot_run"

// tag is what a message of ours carries, so that it can be found when Slack did not say that it has it.
type tag struct {
	Run     engine.RunID
	Key     string     // of the message; the same for every try to post it
	Through engine.Pos // the last event that it tells of; 0: none

	place engine.Place
}

func (m tag) option() slack.MsgOption {
	payload := map[string]any{"key": m.Key}
	if m.Run != "" {
		payload["run"] = string(m.Run)
	}
	if m.Through > 0 {
		payload["through"] = uint64(m.Through)
	}
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: markType, EventPayload: payload})
}

func markOf(channel string, m slack.Message) (tag, bool) {
	if m.Metadata.EventType != markType {
		return tag{}, false
	}
	key, _ := m.Metadata.EventPayload["key"].(string)
	run, _ := m.Metadata.EventPayload["run"].(string)
	through, _ := m.Metadata.EventPayload["through"].(float64)
	return tag{
		Run: engine.RunID(run), Key: key, Through: engine.Pos(max(through, 0)), place: engine.Place{Channel: channel, TS: m.Timestamp},
	}, key != ""
}

const (
	// standingPage and standingPages bound how many messages are looked at.
	standingPage, standingPages = 200, 5
	// clockSkew is how far Slack's clock may be from ours.
	clockSkew = 2 * time.Minute
)

// standing lists the marks of our messages that were posted since a time, in the thread below a message
// or, when the place has no ts, in a channel. Where the bot may not look it finds none: then a message
// whose posting Slack did not confirm may stand there twice.
func (b *Bot) standing(ctx context.Context, at engine.Place, since time.Time) ([]tag, error) {
	if !isChannelID(at.Channel) || b.blind.Load() {
		return nil, nil
	}
	oldest := since.Add(-clockSkew)
	from := fmt.Sprintf("%d.%06d", oldest.Unix(), oldest.Nanosecond()/1000)
	var out []tag
	cursor := ""
	for range standingPages {
		var page []slack.Message
		err := once(ctx, func(ctx context.Context) (err error) {
			page, cursor, err = b.look(ctx, at, from, cursor)
			return err
		})
		if name := refused(err); name != "" && !away(err) {
			b.logger.WarnContext(ctx, "cannot look whether a message is there already; it may be posted twice", "channel", at.Channel, "error", err)
			b.blind.CompareAndSwap(false, name == "missing_scope")
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			if found, ok := markOf(at.Channel, m); ok && m.User == b.self {
				out = append(out, found)
			}
		}
		if cursor == "" {
			break
		}
	}
	return out, nil
}

func (b *Bot) look(ctx context.Context, at engine.Place, from, cursor string) ([]slack.Message, string, error) {
	if at.TS != "" {
		page, _, next, err := b.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: at.Channel, Timestamp: at.TS, Oldest: from, Cursor: cursor, Limit: standingPage, IncludeAllMetadata: true,
		})
		return page, next, err
	}
	page, err := b.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: at.Channel, Oldest: from, Cursor: cursor, Limit: standingPage, IncludeAllMetadata: true,
	})
	if err != nil {
		return nil, "", err
	}
	return page.Messages, page.ResponseMetaData.NextCursor, nil
}
