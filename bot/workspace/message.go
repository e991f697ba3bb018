package workspace

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Message is a message as the workspace keeps it.
type Message struct {
	Channel   string
	TS        string
	ThreadTS  string // of the parent; empty for one that stands in the channel
	User      string
	Username  string // shown instead of the user's name
	Text      string
	Blocks    []any
	Color     string
	Metadata  map[string]any
	Edited    bool
	Broadcast bool   // a reply that the channel shows too
	Ephemeral string // the only person who sees it
	Reactions []Reaction
	Files     []File
	Deleted   bool
	Versions  []Version // what it was before each edit
	hook      bool      // posted through a response_url
}

// Version is an earlier state of a message.
type Version struct {
	Text   string
	Blocks []any
}

// Reaction is an emoji below a message.
type Reaction struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
}

// File is an uploaded file.
type File struct {
	ID, Name, Title string
	Content         []byte
}

func (m *Message) clone() Message {
	c := *m
	c.Blocks, c.Reactions = slices.Clone(m.Blocks), slices.Clone(m.Reactions)
	c.Files, c.Versions = slices.Clone(m.Files), slices.Clone(m.Versions)
	c.Metadata = maps.Clone(m.Metadata)
	return c
}

// wire is the message as the Web API shows it.
func (s *Server) wire(m *Message) map[string]any {
	out := map[string]any{"type": "message", "user": m.User, "ts": m.TS, "text": m.Text, "team": s.opts.Team.ID}
	if m.User == s.opts.BotUser.ID {
		out["bot_id"], out["app_id"] = s.botID(), s.opts.AppID
	}
	if len(m.Blocks) > 0 {
		out["blocks"] = m.Blocks
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	if replies := s.replies(m); len(replies) > 0 {
		out["thread_ts"], out["reply_count"] = m.TS, len(replies)
		out["latest_reply"] = replies[len(replies)-1].TS
	}
	if m.Edited {
		out["edited"] = map[string]any{"user": m.User, "ts": m.TS}
	}
	if m.Metadata != nil {
		out["metadata"] = m.Metadata
	}
	files := make([]any, 0, len(m.Files))
	for _, f := range m.Files {
		files = append(files, s.wireFile(&f))
	}
	if len(files) > 0 {
		out["files"] = files
	}
	return out
}

func (s *Server) botID() string { return "B" + s.opts.BotUser.ID[1:] }

// replies lists the replies of a thread that everybody sees. The caller holds the lock.
func (s *Server) replies(parent *Message) []*Message {
	var out []*Message
	for _, m := range s.messages[parent.Channel] {
		if m.ThreadTS == parent.TS && m.TS != parent.TS && !m.Deleted && m.Ephemeral == "" {
			out = append(out, m)
		}
	}
	return out
}

// stamp returns the next ts of the workspace: unique, and growing. The caller holds the lock.
func (s *Server) stamp() string {
	now := time.Now().UnixMicro()
	if now <= s.lastTS {
		now = s.lastTS + 1
	}
	s.lastTS = now
	return fmt.Sprintf("%d.%06d", now/1e6, now%1e6)
}

// store adds a message and tells whoever watches. The caller holds the lock.
func (s *Server) store(m *Message) *Message {
	m.TS = s.stamp()
	s.messages[m.Channel] = append(s.messages[m.Channel], m)
	s.notify(change{Kind: kindOf(m), Channel: m.Channel, TS: m.TS, ThreadTS: m.ThreadTS, only: m.Ephemeral})
	return m
}

func kindOf(m *Message) string {
	if m.Ephemeral != "" {
		return "ephemeral"
	}
	return "message"
}

// edit replaces what a message says. The caller holds the lock.
func (s *Server) edit(m *Message, text string, blocks []any) {
	m.Versions = append(m.Versions, Version{Text: m.Text, Blocks: m.Blocks})
	m.Text, m.Blocks, m.Edited = text, blocks, true
	s.notify(change{Kind: kindOf(m), Channel: m.Channel, TS: m.TS, ThreadTS: m.ThreadTS, only: m.Ephemeral})
}

// find returns a message that is there; nil otherwise. The caller holds the lock.
func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages[channel] {
		if m.TS == ts && !m.Deleted {
			return m
		}
	}
	return nil
}
