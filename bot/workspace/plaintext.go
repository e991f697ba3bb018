package workspace

import (
	"fmt"
	"strings"
)

// PlainText is a message as a person would read it aloud: blocks one below the other, buttons in
// brackets, mentions by name.
func (s *Server) PlainText(m Message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimRight(s.plainBody(m.Text, m.Blocks), "\n")
}

// PlainView is a view read the same way.
func (s *Server) PlainView(view map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks, _ := view["blocks"].([]any)
	return strings.TrimRight(s.plainBody("", blocks), "\n")
}

func (s *Server) plainBody(text string, blocks []any) string {
	if len(blocks) == 0 {
		return s.mrkdwn(text)
	}
	var b strings.Builder
	for _, raw := range blocks {
		block, _ := raw.(map[string]any)
		if line := s.plainBlock(block); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func (s *Server) plainBlock(b map[string]any) string {
	switch b["type"] {
	case "divider":
		return "────"
	case "rich_text":
		return s.rich(b)
	case "context":
		return s.joined(b["elements"], "  ")
	case "actions":
		return s.joined(b["elements"], " ")
	case "image":
		return fmt.Sprintf("(image: %v)", b["alt_text"])
	case "input":
		return s.object(b["label"]) + ": " + s.object(b["element"]) + s.beginning(b["element"])
	case "table":
		var rows []string
		list, _ := b["rows"].([]any)
		for _, r := range list {
			rows = append(rows, s.joined(r, " | "))
		}
		return strings.Join(rows, "\n")
	}
	out := s.object(b["text"])
	if fields := s.joined(b["fields"], "\n"); fields != "" {
		out = strings.TrimPrefix(out+"\n"+fields, "\n")
	}
	if b["accessory"] != nil {
		out += " " + s.object(b["accessory"])
	}
	return out
}

func (s *Server) joined(v any, sep string) string {
	list, _ := v.([]any)
	parts := make([]string, 0, len(list))
	for _, e := range list {
		parts = append(parts, s.object(e))
	}
	return strings.Join(parts, sep)
}

// object is a text object or an element.
func (s *Server) object(v any) string {
	if text, ok := v.(string); ok { // the text of a markdown block
		return text
	}
	o, _ := v.(map[string]any)
	switch o["type"] {
	case "mrkdwn":
		text, _ := o["text"].(string)
		return s.mrkdwn(text)
	case "plain_text", "raw_text":
		text, _ := o["text"].(string)
		return text
	case "rich_text":
		return s.rich(o)
	case "button":
		return "[" + s.object(o["text"]) + "]"
	case "image":
		return fmt.Sprintf("(image: %v)", o["alt_text"])
	case nil:
		return ""
	}
	return fmt.Sprintf("<%v>", o["type"])
}

// rich reads a rich_text block.
func (s *Server) rich(b map[string]any) string {
	elements, _ := b["elements"].([]any)
	var out strings.Builder
	for _, raw := range elements {
		e, _ := raw.(map[string]any)
		children, _ := e["elements"].([]any)
		switch e["type"] {
		case "rich_text_list":
			for i, item := range children {
				mark := "•"
				if e["style"] == "ordered" {
					mark = fmt.Sprintf("%d.", i+1)
				}
				m, _ := item.(map[string]any)
				leaves, _ := m["elements"].([]any)
				out.WriteString(mark + " " + s.leaves(leaves) + "\n")
			}
		case "rich_text_preformatted":
			out.WriteString("    " + strings.ReplaceAll(strings.TrimRight(s.leaves(children), "\n"), "\n", "\n    ") + "\n")
		default:
			out.WriteString(s.leaves(children) + "\n")
		}
	}
	return strings.TrimRight(out.String(), "\n")
}

func (s *Server) leaves(list []any) string {
	var b strings.Builder
	for _, raw := range list {
		l, _ := raw.(map[string]any)
		text, _ := l["text"].(string)
		switch l["type"] {
		case "user":
			id, _ := l["user_id"].(string)
			b.WriteString(s.userLabel(id))
		case "channel":
			id, _ := l["channel_id"].(string)
			b.WriteString(s.channelLabel(id))
		case "emoji":
			fmt.Fprintf(&b, ":%v:", l["name"])
		case "link":
			if text == "" {
				text, _ = l["url"].(string)
			}
			b.WriteString(text)
		case "broadcast":
			fmt.Fprintf(&b, "@%v", l["range"])
		default:
			b.WriteString(text)
		}
	}
	return b.String()
}

func (s *Server) userLabel(id string) string {
	if u, ok := s.user(id); ok {
		return "@" + u.Name
	}
	return "@" + id
}

func (s *Server) channelLabel(id string) string {
	if c := s.channel(id); c != nil {
		return "#" + c.Name
	}
	return "#" + id
}

// mrkdwn reads Slack's markup: tokens become names, entities characters; marks for bold stay away.
func (s *Server) mrkdwn(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<")
		b.WriteString(before)
		if !found {
			break
		}
		token, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + rest)
			break
		}
		b.WriteString(s.token(token))
		text = after
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "*", "", "`", "").Replace(b.String())
}

func (s *Server) token(t string) string {
	target, label, named := strings.Cut(t, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return s.userLabel(target[1:])
	case strings.HasPrefix(target, "#"):
		return s.channelLabel(target[1:])
	case strings.HasPrefix(target, "!") && !named:
		return "@" + target[1:]
	case named:
		return label
	}
	return target
}

// beginning is what stands in an input before anybody has touched it.
func (s *Server) beginning(v any) string {
	e, _ := v.(map[string]any)
	out, _ := e["initial_value"].(string)
	if o, ok := e["initial_option"].(map[string]any); ok {
		out = s.object(o["text"])
	}
	if list, ok := e["initial_options"].([]any); ok {
		var texts []string
		for _, one := range list {
			o, _ := one.(map[string]any)
			texts = append(texts, s.object(o["text"]))
		}
		out = strings.Join(texts, ", ")
	}
	if out == "" {
		return ""
	}
	return " = " + out
}
