package workspace

import (
	"context"
	"encoding/json"
	"time"
)

// pick chooses one of the open connections, in turn: each payload goes to exactly one of them.
func (s *Server) pick() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		return nil
	}
	s.nextConn++
	return s.conns[s.nextConn%len(s.conns)]
}

// retry is what an envelope says of earlier attempts; only events have it.
type retry struct {
	attempt int
	reason  string
}

// deliver sends an envelope and waits for its ack.
func (s *Server) deliver(ctx context.Context, kind string, payload map[string]any, accepts bool, retry *retry) (json.RawMessage, error) {
	c := s.pick()
	if c == nil {
		return nil, errNoConnection
	}
	id := secret()
	env := map[string]any{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": accepts}
	if retry != nil {
		env["retry_attempt"], env["retry_reason"] = retry.attempt, retry.reason
	}
	wait := make(chan json.RawMessage, 1)
	c.expect(id, wait)
	defer c.expect(id, nil)
	if !s.dropped(env) && !s.held(env) {
		s.copied(env, c)
		if err := c.write(env); err != nil {
			return nil, errNoConnection
		}
		if s.doubled() {
			_ = c.write(env) // only the first answer counts
		}
	}
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	select {
	case ack := <-wait:
		return ack, nil
	case <-timeout.C:
		return nil, errNotAcked
	case <-c.done:
		return nil, errNoConnection
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dropped notes an envelope, and says whether it is to be lost.
func (s *Server) dropped(env map[string]any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, _ := json.Marshal(env)
	s.note("envelope", string(raw), "")
	if s.dropFault > 0 {
		s.dropFault--
		return true
	}
	return false
}

func (s *Server) doubled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dupFault > 0 {
		s.dupFault--
		return true
	}
	return false
}

// eventRetries are the pauses before an event that was not acked is sent again:
// docs.slack.dev/apis/events-api#retries. Commands and clicks are never sent again.
func eventRetries() []time.Duration {
	return []time.Duration{0, time.Minute, 5 * time.Minute}
}

// event sends an Events API event in the background, with retries. The caller holds the lock.
func (s *Server) event(event map[string]any) {
	if s.stopped {
		return
	}
	payload := map[string]any{
		"token": "local", "team_id": s.opts.Team.ID, "api_app_id": s.opts.AppID, "event": event, "type": "event_callback",
		"event_id": "Ev" + secret(), "event_time": time.Now().Unix(), "is_ext_shared_channel": false,
		"authorizations": []any{map[string]any{"team_id": s.opts.Team.ID, "user_id": s.opts.BotUser.ID, "is_bot": true, "is_enterprise_install": false}},
	}
	s.tasks.Go(func() {
		_, err := s.deliver(context.Background(), "events_api", payload, false, &retry{})
		for i, pause := range eventRetries() {
			if err == nil || !s.pause(pause) {
				return
			}
			_, err = s.deliver(context.Background(), "events_api", payload, false, &retry{i + 1, "timeout"})
		}
	})
}

// pause waits, and reports false when the workspace stops.
func (s *Server) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.stop:
		return false
	}
}
