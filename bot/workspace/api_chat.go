package workspace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// body reads text and blocks of a message and checks them. Every block gets an id, as at Slack.
func (c *apiCall) body(check func(string, []any) *blockkit.Refusal) (string, []any, *apiError) {
	decoded, ok := c.decoded("blocks")
	blocks, isList := decoded.([]any)
	if !ok || decoded != nil && !isList {
		return "", nil, c.wrong("invalid_blocks_format")
	}
	attachments, err := c.attachments()
	if err != nil {
		return "", nil, err
	}
	text := c.str("text")
	if text == "" && len(blocks) == 0 && len(attachments) > 0 {
		return "", nil, nil
	}
	if bad := check(text, blocks); bad != nil {
		return "", nil, c.wrong(bad.Name, bad.Messages...)
	}
	identify(blocks)
	return text, blocks, nil
}

// maxAttachments is how many a message may have: docs.slack.dev/reference/methods/chat.postMessage.
const maxAttachments = 100

// attachments are old-fashioned; of them, we draw only the colour of the first.
func (c *apiCall) attachments() ([]any, *apiError) {
	decoded, ok := c.decoded("attachments")
	list, isList := decoded.([]any)
	switch {
	case !ok || decoded != nil && !isList:
		return nil, c.wrong("invalid_attachments")
	case len(list) > maxAttachments:
		return nil, c.wrong("too_many_attachments")
	}
	return list, nil
}

// identify gives an id to every block that has none.
func identify(blocks []any) {
	used := map[any]bool{}
	for _, b := range blocks {
		if block, ok := b.(map[string]any); ok {
			used[block["block_id"]] = true
		}
	}
	for i, b := range blocks {
		block, ok := b.(map[string]any)
		if !ok || block["block_id"] != nil {
			continue
		}
		id := fmt.Sprintf("b%d", i)
		for used[id] {
			id += "x"
		}
		block["block_id"], used[id] = id, true
	}
}

// maxMetadata bounds the metadata of a message. Slack has a limit but does not publish it; a bot
// should stay far below whatever it is.
const maxMetadata = 4 << 10

// metadata reads what a bot attaches to its message: docs.slack.dev/messaging/message-metadata.
func (c *apiCall) metadata() (map[string]any, *apiError) {
	decoded, ok := c.decoded("metadata")
	if ok && decoded == nil {
		return nil, nil //nolint:nilnil // most messages have none
	}
	meta, isMap := decoded.(map[string]any)
	if !ok || !isMap {
		return nil, c.wrong("invalid_metadata_format")
	}
	if len(meta) == 0 {
		return meta, nil
	}
	kind, _ := meta["event_type"].(string)
	if _, hasPayload := meta["event_payload"].(map[string]any); kind == "" || !hasPayload {
		return nil, c.wrong("invalid_metadata_schema")
	}
	if raw, _ := json.Marshal(meta); len(raw) > maxMetadata {
		return nil, c.wrong("metadata_too_large")
	}
	return meta, nil
}

// place resolves where a message goes.
func (c *apiCall) place() (*Channel, *apiError) {
	key := c.str("channel")
	ch := c.channel(key)
	if ch == nil {
		if u, ok := c.user(key); ok && u.ID == key {
			ch = c.direct(key)
		}
	}
	switch {
	case ch == nil || ch.Private && !ch.has(c.opts.BotUser.ID):
		return nil, refuse("channel_not_found")
	case ch.Archived:
		return nil, refuse("is_archived")
	case !ch.has(c.opts.BotUser.ID) && !slices.Contains(c.opts.Scopes, "chat:write.public"):
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

// parent resolves thread_ts. A parent that is gone leaves the reply in the channel, as at Slack; the
// ts of a reply is refused, although Slack only warns of it: the message would be seen by nobody.
func (c *apiCall) parent(ch *Channel) (string, *apiError) {
	ts := c.str("thread_ts")
	if ts == "" {
		return "", nil
	}
	if !isTS(ts) {
		return "", c.wrong("invalid_thread_ts")
	}
	m := c.find(ch.ID, ts)
	switch {
	case m == nil:
		return "", nil
	case m.ThreadTS != "":
		return "", c.wrong("invalid_thread_ts", ts+" is a reply; use the ts of its parent")
	}
	return ts, nil
}

// isTS reports whether a text has the form of a message's ts.
func isTS(s string) bool {
	seconds, micro, found := strings.Cut(s, ".")
	if !found || seconds == "" || len(micro) != 6 {
		return false
	}
	return strings.Trim(seconds+micro, "0123456789") == ""
}

func (c *apiCall) postMessage() (map[string]any, *apiError) {
	ch, err := c.place()
	if err != nil {
		return nil, err
	}
	parent, err := c.parent(ch)
	if err != nil {
		return nil, err
	}
	text, blocks, err := c.body(blockkit.Post)
	if err != nil {
		return nil, err
	}
	meta, err := c.metadata()
	if err != nil {
		return nil, err
	}
	m := c.store(&Message{
		Channel: ch.ID, User: c.opts.BotUser.ID, Username: c.str("username"), Text: text, Blocks: blocks, ThreadTS: parent,
		Metadata: meta, Broadcast: c.flag("reply_broadcast"), Color: c.color(),
	})
	return map[string]any{"channel": ch.ID, "ts": m.TS, "message": c.wire(m)}, nil
}

// color is the bar beside the text of the first attachment, which is all that we draw of attachments.
func (c *apiCall) color() string {
	list, err := c.attachments()
	if err != nil || len(list) == 0 {
		return ""
	}
	first, _ := list[0].(map[string]any)
	color, _ := first["color"].(string)
	return color
}

func (c *apiCall) postEphemeral() (map[string]any, *apiError) {
	ch, err := c.place()
	if err != nil {
		return nil, err
	}
	u, ok := c.user(c.str("user"))
	if !ok || !ch.has(u.ID) {
		return nil, refuse("user_not_in_channel")
	}
	parent, err := c.parent(ch)
	if err != nil {
		return nil, err
	}
	text, blocks, err := c.body(blockkit.Post)
	if err != nil {
		return nil, err
	}
	m := c.store(&Message{
		Channel: ch.ID, User: c.opts.BotUser.ID, Text: text, Blocks: blocks, Ephemeral: u.ID, ThreadTS: parent,
	})
	return map[string]any{"message_ts": m.TS}, nil
}

// own finds a message that the bot may change; else the answer is the given error.
func (c *apiCall) own(otherwise string) (*Message, *apiError) {
	ch, err := c.place()
	if err != nil && err.name == "is_archived" {
		return nil, refuse("is_inactive") // what chat.update calls it
	}
	if err != nil {
		return nil, err
	}
	if !isTS(c.str("ts")) {
		return nil, c.wrong("message_not_found", c.str("ts")+" is no ts")
	}
	m := c.find(ch.ID, c.str("ts"))
	if m == nil || m.Ephemeral != "" {
		return nil, refuse("message_not_found")
	}
	if m.User != c.opts.BotUser.ID {
		return nil, refuse(otherwise)
	}
	return m, nil
}

// update replaces what is passed, and nothing else.
func (c *apiCall) update() (map[string]any, *apiError) {
	m, err := c.own("cant_update_message")
	if err != nil {
		return nil, err
	}
	text, blocks, err := c.body(blockkit.Update)
	if err != nil {
		return nil, err
	}
	meta, err := c.metadata()
	if err != nil {
		return nil, err
	}
	if _, given := c.params["blocks"]; !given {
		blocks = m.Blocks
	}
	if _, given := c.params["text"]; !given {
		text = m.Text
	}
	if meta != nil {
		m.Metadata = meta
	}
	if len(m.Metadata) == 0 {
		m.Metadata = nil // an empty object removes it
	}
	c.edit(m, text, blocks)
	return map[string]any{"channel": m.Channel, "ts": m.TS, "text": text, "message": c.wire(m)}, nil
}

func (c *apiCall) deleteMessage() (map[string]any, *apiError) {
	m, err := c.own("cant_delete_message")
	if err != nil {
		return nil, err
	}
	m.Deleted = true
	c.notify(change{Kind: "message", Channel: m.Channel, TS: m.TS, ThreadTS: m.ThreadTS})
	return map[string]any{"channel": m.Channel, "ts": m.TS}, nil
}

func (c *apiCall) permalink() (map[string]any, *apiError) {
	ch, err := c.known()
	if err != nil {
		return nil, err
	}
	ts := c.str("message_ts")
	if c.find(ch.ID, ts) == nil {
		return nil, refuse("message_not_found")
	}
	link := c.base + "/archives/" + ch.ID + "/p" + strings.ReplaceAll(ts, ".", "")
	return map[string]any{"channel": ch.ID, "permalink": link}, nil
}
