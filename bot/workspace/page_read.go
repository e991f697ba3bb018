package workspace

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// pageMessage is a message as the page draws it.
type pageMessage struct {
	TS          string     `json:"ts"`
	Channel     string     `json:"channel"`
	User        string     `json:"user"`
	Username    string     `json:"username,omitempty"`
	IsBot       bool       `json:"is_bot"`
	Text        string     `json:"text"`
	Blocks      []any      `json:"blocks,omitempty"`
	Color       string     `json:"color,omitempty"`
	ThreadTS    string     `json:"thread_ts,omitempty"`
	ReplyCount  int        `json:"reply_count,omitempty"`
	LatestReply string     `json:"latest_reply,omitempty"`
	Edited      bool       `json:"edited,omitempty"`
	Ephemeral   bool       `json:"ephemeral,omitempty"`
	Broadcast   bool       `json:"broadcast,omitempty"`
	Reactions   []Reaction `json:"reactions,omitempty"`
	Files       []pageFile `json:"files,omitempty"`
}

type pageFile struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Size    int    `json:"size"`
	Content string `json:"content"`
}

func (s *Server) pageMessage(m Message) pageMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	replies := s.replies(&m)
	out := pageMessage{
		TS: m.TS, Channel: m.Channel, User: m.User, Username: m.Username, IsBot: m.User == s.opts.BotUser.ID, Text: m.Text,
		Blocks: m.Blocks, Color: m.Color, ThreadTS: m.ThreadTS, ReplyCount: len(replies), Edited: m.Edited,
		Ephemeral: m.Ephemeral != "", Broadcast: m.Broadcast, Reactions: m.Reactions,
	}
	if len(replies) > 0 {
		out.LatestReply = replies[len(replies)-1].TS
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, pageFile{ID: f.ID, Name: f.Name, Title: f.Title, Size: len(f.Content), Content: string(f.Content)})
	}
	return out
}

func (s *Server) pageList(list []Message) any {
	out := make([]pageMessage, 0, len(list))
	for _, m := range list {
		out = append(out, s.pageMessage(m))
	}
	return map[string]any{"messages": out}
}

func (s *Server) pageMessages(r *http.Request) (any, error) {
	q := r.URL.Query()
	return s.pageList(s.Messages(q.Get("as"), q.Get("channel"))), nil
}

func (s *Server) pageThread(r *http.Request) (any, error) {
	q := r.URL.Query()
	return s.pageList(s.Thread(q.Get("as"), q.Get("channel"), q.Get("ts"))), nil
}

func (s *Server) pageHome(r *http.Request) (any, error) {
	return map[string]any{"view": s.Home(r.URL.Query().Get("as"))}, nil
}

func (s *Server) pageState(r *http.Request) (any, error) {
	as := r.URL.Query().Get("as")
	id, body := s.Modal(as)
	s.mu.Lock()
	defer s.mu.Unlock()
	users := make([]map[string]any, 0, len(s.users))
	for _, u := range s.users {
		users = append(users, map[string]any{
			"id": u.ID, "name": u.Name, "real_name": u.RealName, "title": u.Title, "is_bot": u.IsBot, "is_guest": u.IsGuest, "color": u.Color,
		})
	}
	channels := make([]map[string]any, 0, len(s.channels))
	for _, c := range s.channels {
		if c.IM != "" && c.IM != as {
			continue
		}
		last := ""
		for _, m := range s.messages[c.ID] {
			if m.Ephemeral == "" || m.Ephemeral == as {
				last = m.TS
			}
		}
		channels = append(channels, map[string]any{
			"id": c.ID, "name": c.Name, "topic": c.Topic, "is_im": c.IM != "", "is_archived": c.Archived, "is_member": c.has(as), "last_ts": last,
		})
	}
	shortcuts := make([]map[string]any, 0, len(s.opts.Shortcuts))
	for _, c := range s.opts.Shortcuts {
		shortcuts = append(shortcuts, map[string]any{"name": c.Name, "type": c.Type, "callback_id": c.CallbackID, "description": c.Description})
	}
	out := map[string]any{
		"shortcuts": shortcuts, "team": s.opts.Team.Name, "command": s.opts.Command, "as": as, "users": users, "channels": channels, "hint": s.opts.Hint, "view": nil,
	}
	if body != nil {
		out["view"] = s.wireView(s.viewByID(id), nil)
	}
	return out, nil
}

// keepAlive is how often a stream says something, so that dead browsers are noticed.
const keepAlive = 15 * time.Second

// pageStream tells the page what has changed: server-sent events.
func (s *Server) pageStream(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, "streams are not possible here", http.StatusInternalServerError)
		return
	}
	changes := make(chan change, 256)
	s.mu.Lock()
	s.watchers[changes] = r.URL.Query().Get("as")
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, changes)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, ": open\n\n") // a write that fails shows in the next
	flusher.Flush()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		line := ": still here\n\n"
		select {
		case c := <-changes:
			raw, _ := json.Marshal(c)
			line = fmt.Sprintf("data: %s\n\n", raw)
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.stop:
			return
		}
		if _, err := fmt.Fprint(w, line); err != nil {
			return
		}
		flusher.Flush()
	}
}
