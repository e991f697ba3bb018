package workspace

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Shortcut uses a global shortcut of the app as a person: docs.slack.dev/interactivity/implementing-shortcuts.
func (s *Server) Shortcut(ctx context.Context, user, callbackID string) error {
	s.mu.Lock()
	u, ok := s.user(user)
	known := s.offers(callbackID, "global")
	payload := s.interaction("shortcut", u)
	s.mu.Unlock()
	if !ok || !known {
		return fmt.Errorf("%s has no shortcut %q", user, callbackID)
	}
	delete(payload, "state")
	payload["callback_id"], payload["action_ts"] = callbackID, timestamp()
	_, err := s.deliver(ctx, "interactive", payload, false, nil)
	return err
}

// MessageShortcut uses a shortcut of the app in the menu of a message, which may stand in a thread.
func (s *Server) MessageShortcut(ctx context.Context, user, channel, ts, callbackID string) error {
	payload, err := s.messagePayload(user, channel, ts, callbackID)
	if err != nil {
		return err
	}
	_, err = s.deliver(ctx, "interactive", payload, false, nil)
	return err
}

func (s *Server) messagePayload(user, channel, ts, callbackID string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ch, err := s.stand(user, channel)
	if err != nil {
		return nil, err
	}
	m := s.find(ch.ID, ts)
	switch {
	case m == nil || m.Ephemeral != "": // Slack offers none for what only one person sees
		return nil, fmt.Errorf("there is no message %s in #%s that has shortcuts", ts, ch.Name)
	case !s.offers(callbackID, "message"):
		return nil, fmt.Errorf("messages have no shortcut %q", callbackID)
	}
	payload := s.interaction("message_action", u)
	delete(payload, "state")
	payload["callback_id"], payload["action_ts"], payload["message_ts"] = callbackID, timestamp(), m.TS
	payload["channel"] = map[string]any{"id": ch.ID, "name": ch.name()}
	payload["message"], payload["response_url"] = s.wire(m), s.newHook(ch.ID, u.ID, nil)
	return payload, nil
}

// offers reports whether the app has a shortcut. The caller holds the lock.
func (s *Server) offers(callbackID, kind string) bool {
	return s.granted("commands") && slices.ContainsFunc(s.opts.Shortcuts, func(c Shortcut) bool { return c.CallbackID == callbackID && c.Type == kind })
}

func timestamp() string {
	now := time.Now()
	return fmt.Sprintf("%s.%06d", strconv.FormatInt(now.Unix(), 10), now.Nanosecond()/1000)
}
