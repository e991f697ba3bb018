package workspace

// Messages lists what a person sees in a channel, oldest first: messages that stand in the channel,
// broadcast replies, and what only they see. user "" sees what everybody sees.
func (s *Server) Messages(user, channel string) []Message {
	return s.look(user, channel, func(m *Message) bool { return m.ThreadTS == "" || m.Broadcast })
}

// Thread lists a parent and its replies as a person sees them.
func (s *Server) Thread(user, channel, ts string) []Message {
	return s.look(user, channel, func(m *Message) bool { return m.TS == ts || m.ThreadTS == ts })
}

// Everything lists all messages of a channel, deleted ones left out, in order.
func (s *Server) Everything(channel string) []Message {
	return s.look("*", channel, func(*Message) bool { return true })
}

func (s *Server) look(user, channel string, wanted func(*Message) bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channel(channel)
	if ch == nil {
		return nil
	}
	u, _ := s.user(user)
	var out []Message
	for _, m := range s.messages[ch.ID] {
		visible := m.Ephemeral == "" || m.Ephemeral == u.ID || user == "*"
		if !m.Deleted && visible && wanted(m) {
			out = append(out, m.clone())
		}
	}
	return out
}

// Message returns one message.
func (s *Server) Message(channel, ts string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channel(channel)
	if ch == nil {
		return Message{}, false
	}
	m := s.find(ch.ID, ts)
	if m == nil {
		return Message{}, false
	}
	return m.clone(), true
}
