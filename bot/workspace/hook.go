package workspace

import (
	"io"
	"net/http"
	"time"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// A response_url is good for five answers within 30 minutes:
// docs.slack.dev/interactivity/handling-user-interaction#message_responses.
const (
	hookUses = 5
	hookLife = 30 * time.Minute
)

// hook is a response_url.
type hook struct {
	channel  string
	user     string
	original *Message // the message that was clicked in; nil after a slash command
	thread   string
	left     int
	expires  time.Time
}

// newHook gives out a response_url. The caller holds the lock.
func (s *Server) newHook(channel, user string, original *Message) string {
	id := secret()
	h := &hook{channel: channel, user: user, original: original, left: hookUses, expires: time.Now().Add(hookLife)}
	if original != nil {
		h.thread = original.ThreadTS
	}
	s.hooks[id] = h
	return s.base + "/hooks/" + id
}

// serveHook takes an answer to a response_url. 404 means that the url is no good any more, 400 that
// the answer is none.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request) {
	params, raw, malformed := readParams(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &apiCall{Server: s, method: "response_url", params: params, raw: raw}
	problem, status := "", http.StatusNotFound
	switch h := s.hooks[r.PathValue("secret")]; {
	case h == nil:
		problem = "no_hook"
	case time.Now().After(h.expires):
		problem = "expired_url"
	case h.left == 0:
		problem = "used_url"
	case malformed != "":
		problem, status = c.wrong("invalid_payload").name, http.StatusBadRequest
	default:
		h.left--
		if refused := c.respond(h); refused != nil {
			problem, status = refused.name, http.StatusBadRequest
		}
	}
	s.note("response_url", raw, problem)
	w.Header().Set("Content-Type", "text/plain")
	if problem != "" {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, problem)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

// respond carries out an answer to a response_url.
func (c *apiCall) respond(h *hook) *apiError {
	if c.flag("delete_original") && h.original != nil {
		h.original.Deleted = true
		c.notify(change{Kind: kindOf(h.original), Channel: h.channel, TS: h.original.TS, ThreadTS: h.original.ThreadTS, only: h.original.Ephemeral})
		return nil
	}
	text, blocks, err := c.body(blockkit.Post)
	if err != nil {
		return err
	}
	if c.flag("replace_original") && h.original != nil {
		c.edit(h.original, text, blocks)
		return nil
	}
	m := &Message{Channel: h.channel, User: c.opts.BotUser.ID, Text: text, Blocks: blocks, ThreadTS: h.thread, hook: true}
	if c.str("response_type") != "in_channel" {
		m.Ephemeral = h.user
	}
	c.store(m)
	return nil
}
