package workspace

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Payload is something that the app had Slack show, as it was sent.
type Payload struct {
	Kind string // "message", "view" or "options", the choices of a menu
	Text string // of a message, beside its blocks
	Body any    // the blocks of a message, a view, or an object with options or option_groups
}

// Payloads lists what the app has sent that was taken: messages, edits, answers to commands and clicks, views,
// and choices. What was refused is in [Server.Violations].
func (s *Server) Payloads() []Payload {
	var out []Payload
	for _, t := range s.Traffic() {
		var body map[string]any
		if t.Error != "" || json.Unmarshal([]byte(t.Body), &body) != nil {
			continue
		}
		for _, key := range []string{"blocks", "view"} { // in a form they are text
			if text, ok := body[key].(string); ok {
				var v any
				if json.Unmarshal([]byte(text), &v) == nil {
					body[key] = v
				}
			}
		}
		text, _ := body["text"].(string)
		if blocks, ok := body["blocks"].([]any); ok {
			out = append(out, Payload{Kind: "message", Text: text, Body: blocks})
		}
		if view, ok := body["view"].(map[string]any); ok {
			out = append(out, Payload{Kind: "view", Body: view})
		}
		if body["options"] != nil || body["option_groups"] != nil {
			out = append(out, Payload{Kind: "options", Body: body})
		}
	}
	return out
}

// SavePayloads writes what the app has sent into a folder: a file for each shape, in which words are left out,
// so that what many tests send alike is one file.
func (s *Server) SavePayloads(dir string) error {
	for _, p := range s.Payloads() {
		raw, err := json.MarshalIndent(shape("", p.Body), "", " ")
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s-%x.json", p.Kind, sha256.Sum256(raw))
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			return fmt.Errorf("workspace: %w", err)
		}
	}
	return nil
}

// words are the keys whose values an app chooses freely, so that they are no part of a shape.
func words() []string {
	return []string{
		"text", "value", "action_id", "block_id", "url", "user_id", "channel_id", "alt_text", "name", "private_metadata",
		"callback_id", "external_id", "initial_value", "initial_date_time",
	}
}

func shape(key string, v any) any {
	switch t := v.(type) {
	case string:
		if slices.Contains(words(), key) && t != "" {
			return "…"
		}
	case []any:
		out := make([]any, len(t))
		for i, one := range t {
			out[i] = shape(key, one)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, one := range t {
			out[k] = shape(k, one)
		}
		return out
	}
	return v
}
