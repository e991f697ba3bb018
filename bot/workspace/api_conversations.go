package workspace

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) wireChannel(ch *Channel) map[string]any {
	return map[string]any{
		"id": ch.ID, "name": ch.Name, "is_channel": ch.IM == "", "is_im": ch.IM != "", "is_private": ch.Private, "is_archived": ch.Archived,
		"is_ext_shared": ch.Shared, "is_shared": ch.Shared,
		"is_member": ch.has(s.opts.BotUser.ID), "user": ch.IM, "num_members": len(ch.Members),
		"topic": map[string]any{"value": ch.Topic}, "purpose": map[string]any{"value": ""},
	}
}

// known resolves a channel that is read, or written to in passing.
func (c *apiCall) known() (*Channel, *apiError) {
	ch := c.channel(c.str("channel"))
	if ch == nil || ch.Private && !ch.has(c.opts.BotUser.ID) {
		return nil, refuse("channel_not_found")
	}
	return ch, nil
}

// visible resolves a channel that is looked at, for which each kind of channel has a scope of its own.
func (c *apiCall) visible() (*Channel, *apiError) {
	ch, err := c.known()
	if err == nil && !c.granted(kindScope(ch.kind())) {
		return nil, c.missing(kindScope(ch.kind()))
	}
	return ch, err
}

// kind is the kind of a conversation, in the words of conversations.list.
func (ch *Channel) kind() string {
	switch {
	case ch.IM != "":
		return "im"
	case ch.Private:
		return "private_channel"
	}
	return "public_channel"
}

// kindScope is the scope that lets a bot see conversations of a kind; "" when there is no such kind.
func kindScope(kind string) string {
	return map[string]string{"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}[kind]
}

func (c *apiCall) conversationsInfo() (map[string]any, *apiError) {
	ch, err := c.visible()
	if err != nil {
		return nil, err
	}
	return map[string]any{"channel": c.wireChannel(ch)}, nil
}

func (c *apiCall) conversationsList() (map[string]any, *apiError) {
	types := c.str("types")
	if types == "" {
		types = "public_channel"
	}
	kinds := strings.Split(types, ",")
	for _, kind := range kinds {
		switch scope := kindScope(kind); {
		case scope == "":
			return nil, c.wrong("invalid_types")
		case !c.granted(scope):
			return nil, c.missing(scope)
		}
	}
	var out []any
	for _, ch := range c.channels {
		if ch.Private && !ch.has(c.opts.BotUser.ID) || ch.Archived && c.flag("exclude_archived") {
			continue
		}
		if slices.Contains(kinds, ch.kind()) {
			out = append(out, c.wireChannel(ch))
		}
	}
	return c.page("channels", out)
}

func (c *apiCall) conversationsMembers() (map[string]any, *apiError) {
	ch, err := c.visible()
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(ch.Members))
	for _, id := range ch.Members {
		out = append(out, id)
	}
	return c.page("members", out)
}

// conversationsOpen opens the conversation with one person.
func (c *apiCall) conversationsOpen() (map[string]any, *apiError) {
	u, ok := c.user(c.str("users"))
	switch {
	case !ok:
		return nil, refuse("user_not_found")
	case u.ID == c.opts.BotUser.ID || u.IsBot:
		return nil, refuse("cannot_dm_bot")
	case u.Deleted:
		return nil, refuse("user_disabled")
	}
	return map[string]any{"channel": c.wireChannel(c.direct(u.ID))}, nil
}

// direct returns the conversation between the bot and a person. The caller holds the lock.
func (s *Server) direct(user string) *Channel {
	for _, ch := range s.channels {
		if ch.IM == user {
			return ch
		}
	}
	ch := &Channel{ID: "D" + user[1:], IM: user, Members: []string{user, s.opts.BotUser.ID}}
	s.channels = append(s.channels, ch)
	s.notify(change{Kind: "channel", Channel: ch.ID})
	return ch
}

// member resolves a channel whose messages are read.
func (c *apiCall) member() (*Channel, *apiError) {
	ch, err := c.known()
	switch {
	case err != nil:
		return nil, err
	case !ch.has(c.opts.BotUser.ID):
		return nil, refuse("not_in_channel")
	case !c.granted(readScope(ch.kind())):
		return nil, c.missing(readScope(ch.kind()))
	}
	for _, bound := range []string{"oldest", "latest"} {
		if v := c.str(bound); v != "" && strings.Trim(v, "0123456789.") != "" {
			return nil, c.wrong("invalid_ts_" + bound)
		}
	}
	return ch, nil
}

// readScope is the scope that lets a bot read conversations of a kind.
func readScope(kind string) string {
	return map[string]string{"public_channel": "channels:history", "private_channel": "groups:history", "im": "im:history"}[kind]
}

// read is a message as the methods show it that read conversations: with its metadata only for who asks for
// that and may see it.
func (c *apiCall) read(m *Message) map[string]any {
	out := c.wire(m)
	if !c.flag("include_all_metadata") || !c.granted("metadata.message:read") {
		delete(out, "metadata")
	}
	return out
}

// conversationsHistory lists what stands in a channel, the newest first.
func (c *apiCall) conversationsHistory() (map[string]any, *apiError) {
	ch, err := c.member()
	if err != nil {
		return nil, err
	}
	var out []any
	for _, m := range slices.Backward(c.messages[ch.ID]) {
		if !m.Deleted && m.Ephemeral == "" && (m.ThreadTS == "" || m.Broadcast) && c.between(m) {
			out = append(out, c.read(m))
		}
	}
	return c.page("messages", out)
}

// between reports whether a message lies between oldest and latest; a ts has always the same length.
func (c *apiCall) between(m *Message) bool {
	oldest, latest := c.str("oldest"), c.str("latest")
	if c.flag("inclusive") && (m.TS == oldest || m.TS == latest) {
		return true
	}
	return (oldest == "" || m.TS > oldest) && (latest == "" || m.TS < latest)
}

// conversationsReplies lists a parent and its replies, the oldest first.
func (c *apiCall) conversationsReplies() (map[string]any, *apiError) {
	ch, err := c.member()
	if err != nil {
		return nil, err
	}
	parent := c.find(ch.ID, c.str("ts"))
	if parent == nil {
		return nil, refuse("thread_not_found")
	}
	out := []any{c.read(parent)}
	for _, m := range c.replies(parent) {
		if c.between(m) {
			out = append(out, c.read(m))
		}
	}
	return c.page("messages", out)
}

// maxPage is how many items a page has at most: docs.slack.dev/apis/web-api/pagination.
const maxPage = 1000

// page cuts a list into pages. A cursor is where the next one begins.
func (c *apiCall) page(key string, items []any) (map[string]any, *apiError) {
	limit, start := maxPage, 0
	if v := c.str("limit"); v != "" && v != "0" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > maxPage {
			return nil, c.wrong("invalid_limit")
		}
		limit = n
	}
	if v := c.str("cursor"); v != "" {
		raw, err := base64.StdEncoding.DecodeString(v)
		n, ok := strings.CutPrefix(string(raw), "next:")
		at, bad := strconv.Atoi(n)
		if err != nil || !ok || bad != nil || at < 0 || at > len(items) {
			return nil, c.wrong("invalid_cursor")
		}
		start = at
	}
	end, next := min(start+limit, len(items)), ""
	if end < len(items) {
		next = base64.StdEncoding.EncodeToString([]byte("next:" + strconv.Itoa(end)))
	}
	return map[string]any{
		key: append([]any{}, items[start:end]...), "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next},
	}, nil
}
