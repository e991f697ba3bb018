package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// Slash types a line that begins with a slash, as a person in a channel. It returns what the app
// answered in its ack; nil when it acked without words. The error says what the person sees when
// the app does not answer.
func (s *Server) Slash(ctx context.Context, user, channel, line string) (*Message, error) {
	payload, hookFor, err := s.slashPayload(user, channel, line)
	if err != nil {
		return nil, err
	}
	ack, err := s.deliver(ctx, "slash_commands", payload, true, nil)
	if err != nil {
		return nil, err
	}
	return s.ackMessage(hookFor, ack)
}

func (s *Server) slashPayload(user, channel, line string) (map[string]any, *hook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ch, err := s.stand(user, channel)
	if err != nil {
		return nil, nil, err
	}
	command, text, _ := strings.Cut(line, " ")
	if command != s.opts.Command || !s.granted("commands") {
		return nil, nil, fmt.Errorf("%s is not a command of this workspace; %s is", command, s.opts.Command)
	}
	url := s.newHook(ch.ID, u.ID, nil)
	return map[string]any{
		"token": "local", "team_id": s.opts.Team.ID, "team_domain": s.opts.Team.Domain, "channel_id": ch.ID, "channel_name": ch.name(),
		"user_id": u.ID, "user_name": u.Name, "command": command, "text": strings.TrimSpace(text), "api_app_id": s.opts.AppID,
		"is_enterprise_install": "false", "response_url": url, "trigger_id": s.newTrigger(u.ID),
	}, s.hooks[url[strings.LastIndex(url, "/")+1:]], nil
}

func (ch *Channel) name() string {
	if ch.IM != "" {
		return "directmessage"
	}
	return ch.Name
}

// stand resolves who acts and where. The caller holds the lock.
func (s *Server) stand(user, channel string) (User, *Channel, error) {
	u, ok := s.user(user)
	if !ok {
		return User{}, nil, fmt.Errorf("there is no user %q", user)
	}
	ch := s.channel(channel)
	if ch == nil {
		return User{}, nil, fmt.Errorf("there is no channel %q", channel)
	}
	return u, ch, nil
}

// ackMessage stores what came with an ack; one without text and blocks says nothing. Bolt for
// JavaScript acks with an empty object then.
func (s *Server) ackMessage(h *hook, ack json.RawMessage) (*Message, error) {
	var params map[string]any
	if len(ack) > 0 {
		if err := json.Unmarshal(ack, &params); err != nil {
			return nil, fmt.Errorf("read ack: %w", err)
		}
	}
	if len(params) == 0 {
		return nil, nil //nolint:nilnil // an ack without words is no error
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &apiCall{Server: s, method: "ack", params: params}
	text, blocks, refused := c.body(blockkit.Post)
	if refused != nil {
		return nil, fmt.Errorf("the ack was refused: %s %v", refused.name, refused.messages)
	}
	m := &Message{Channel: h.channel, User: s.opts.BotUser.ID, Text: text, Blocks: blocks}
	if c.str("response_type") != "in_channel" {
		m.Ephemeral = h.user
	}
	s.store(m)
	out := m.clone()
	return &out, nil
}

// Say posts a message as a person. One that mentions the bot reaches it as an app_mention, one in a
// direct conversation as a message event: each only with the scope that its event needs.
func (s *Server) Say(user, channel, thread, text string) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ch, err := s.stand(user, channel)
	if err != nil {
		return Message{}, err
	}
	if ch.Archived {
		return Message{}, fmt.Errorf("#%s is archived", ch.Name)
	}
	text = strings.ReplaceAll(text, "@"+s.opts.BotUser.Name, "<@"+s.opts.BotUser.ID+">")
	m := s.store(&Message{Channel: ch.ID, User: u.ID, Text: text, ThreadTS: thread})
	event := map[string]any{
		"user": u.ID, "text": text, "ts": m.TS, "channel": ch.ID, "event_ts": m.TS, "team": s.opts.Team.ID,
	}
	if thread != "" {
		event["thread_ts"] = thread
	}
	switch {
	case ch.IM != "":
		if s.granted("im:history") {
			event["type"], event["channel_type"] = "message", "im"
			s.event(event)
		}
	case strings.Contains(text, "<@"+s.opts.BotUser.ID+">") && ch.has(s.opts.BotUser.ID) && s.granted("app_mentions:read"):
		event["type"] = "app_mention"
		s.event(event)
	}
	return m.clone(), nil
}

// OpenHome looks at the Home tab as a person.
func (s *Server) OpenHome(user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.user(user)
	if !ok {
		return fmt.Errorf("there is no user %q", user)
	}
	event := map[string]any{
		"type": "app_home_opened", "user": u.ID, "channel": s.direct(u.ID).ID, "tab": "home",
		"event_ts": strconv.FormatInt(time.Now().Unix(), 10) + ".000000",
	}
	if v := s.homes[u.ID]; v != nil { // as they see it until the app publishes another
		event["view"] = s.wireView(v, nil)
	}
	s.event(event)
	return nil
}

// Press is a press of a button, or a choice in a menu.
type Press struct {
	User     string
	Channel  string // of the message
	TS       string
	View     string // id of the view, when it is in one
	BlockID  string // may be empty when ActionID is unique
	ActionID string
	Value    map[string]any // the part of the action that its element adds; nil takes it from the element
	State    map[string]any // what stands in the inputs of the view: block id to action id to state
}

// Click presses the first button of a message with that action id.
func (s *Server) Click(ctx context.Context, user, channel, ts, actionID string) error {
	return s.Press(ctx, Press{User: user, Channel: channel, TS: ts, ActionID: actionID})
}

// Press carries a press to the app and waits for its ack. The error says what the person sees.
func (s *Server) Press(ctx context.Context, p Press) error {
	payload, err := s.pressPayload(p)
	if err != nil {
		return err
	}
	_, err = s.deliver(ctx, "interactive", payload, false, nil)
	return err
}

func (s *Server) pressPayload(p Press) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.user(p.User)
	if !ok {
		return nil, fmt.Errorf("there is no user %q", p.User)
	}
	payload := s.interaction("block_actions", u)
	var blocks []any
	if p.View != "" {
		v := s.viewByID(p.View)
		if v == nil {
			return nil, fmt.Errorf("there is no view %q", p.View)
		}
		blocks, _ = v.Body["blocks"].([]any)
		payload["view"] = s.wireView(v, p.State)
		payload["container"] = map[string]any{"type": "view", "view_id": v.ID}
	} else {
		ch := s.channel(p.Channel)
		if ch == nil {
			return nil, fmt.Errorf("there is no channel %q", p.Channel)
		}
		m := s.find(ch.ID, p.TS)
		if m == nil || m.Ephemeral != "" && m.Ephemeral != u.ID {
			return nil, fmt.Errorf("there is no message %s in #%s", p.TS, ch.Name)
		}
		blocks = m.Blocks
		s.inMessage(payload, ch, m, u)
	}
	element, blockID := findElement(blocks, p)
	if element == nil {
		return nil, fmt.Errorf("the message has no button %q", p.ActionID)
	}
	payload["actions"] = []any{action(element, blockID, p.Value)}
	return payload, nil
}

func (s *Server) inMessage(payload map[string]any, ch *Channel, m *Message, u User) {
	container := map[string]any{
		"type": "message", "message_ts": m.TS, "channel_id": ch.ID, "is_ephemeral": m.Ephemeral != "",
	}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload["container"] = container
	payload["channel"] = map[string]any{"id": ch.ID, "name": ch.name()}
	if m.Ephemeral == "" {
		payload["message"] = s.wire(m)
	}
	payload["response_url"] = s.newHook(ch.ID, u.ID, m)
}

// interaction is what every interactive payload has.
func (s *Server) interaction(kind string, u User) map[string]any {
	team := u.TeamID // somebody of another company clicks with their own
	if team == "" {
		team = s.opts.Team.ID
	}
	return map[string]any{
		"type": kind, "token": "local", "api_app_id": s.opts.AppID, "is_enterprise_install": false, "enterprise": nil,
		"team":       map[string]any{"id": s.opts.Team.ID, "domain": s.opts.Team.Domain},
		"user":       map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": team},
		"trigger_id": s.newTrigger(u.ID), "state": map[string]any{"values": map[string]any{}},
	}
}

// action is what a click sends of its element.
func action(element map[string]any, blockID string, value map[string]any) map[string]any {
	out := map[string]any{
		"action_id": element["action_id"], "block_id": blockID, "type": element["type"],
		"action_ts": fmt.Sprintf("%d.%06d", time.Now().Unix(), time.Now().Nanosecond()/1000),
	}
	for _, key := range []string{"text", "value", "style", "placeholder", "confirm"} {
		if element[key] != nil {
			out[key] = element[key]
		}
	}
	maps.Copy(out, value)
	return out
}

// findElement looks for an interactive element in blocks.
func findElement(blocks []any, p Press) (map[string]any, string) {
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		id, _ := block["block_id"].(string) // body and checkView gave one to every block
		if p.BlockID != "" && p.BlockID != id {
			continue
		}
		elements, _ := block["elements"].([]any)
		for _, e := range append(elements, block["accessory"], block["element"]) {
			if el, _ := e.(map[string]any); el != nil && el["action_id"] == p.ActionID {
				return el, id
			}
		}
	}
	return nil, ""
}
