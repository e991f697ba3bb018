package bot

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/bot/workspace"
)

// press presses a button whose answer is no message.
func (s *stage) press(user string, m workspace.Message, action string) {
	s.tb.Helper()
	if err := s.ws.Click(s.tb.Context(), user, m.Channel, m.TS, action); err != nil {
		s.tb.Fatalf("%s pressed %s: %v", user, action, err)
	}
}

// form waits until somebody has a view with this title before them, and returns it.
func (s *stage) form(user, title string) (id string, body map[string]any) {
	s.tb.Helper()
	s.until(fmt.Sprintf("%s has the form %q", user, title), func() bool {
		id, body = s.ws.Modal(user)
		return plainOf(body["title"]) == title
	})
	return id, body
}

func plainOf(v any) string {
	m, _ := v.(map[string]any)
	text, _ := m["text"].(string)
	return text
}

// noForm waits until somebody has no view before them.
func (s *stage) noForm(user string) {
	s.tb.Helper()
	s.until(user+" has no form", func() bool { id, _ := s.ws.Modal(user); return id == "" })
}

// formText is a view as a person reads it.
func (s *stage) formText(user string) string {
	_, body := s.ws.Modal(user)
	if body == nil {
		return ""
	}
	return s.ws.PlainView(body)
}

// fill fills in the form that somebody has before them and sends it, as Slack's client would: what is
// not named stays as the form began. Several values of a menu are separated by "|". It returns the complaints.
func (s *stage) fill(user string, given map[string]string) map[string]string {
	s.tb.Helper()
	id, body := s.ws.Modal(user)
	if body == nil {
		s.tb.Fatalf("%s has no form before them", user)
	}
	wrong, err := s.ws.Submit(s.tb.Context(), user, id, s.filled(body, given))
	if err != nil {
		s.tb.Fatalf("%s sent the form %q: %v", user, plainOf(body["title"]), err)
	}
	out := map[string]string{}
	for block, text := range wrong {
		out[strings.TrimPrefix(strings.TrimPrefix(block, openField), privateField)] = text
	}
	return out
}

// filled is the state of a view.
func (s *stage) filled(body map[string]any, given map[string]string) map[string]any {
	s.tb.Helper()
	left, state := maps.Clone(given), map[string]any{}
	blocks, _ := body["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		if block["type"] != "input" {
			continue
		}
		id, _ := block["block_id"].(string)
		name := strings.TrimPrefix(strings.TrimPrefix(id, openField), privateField)
		element, _ := block["element"].(map[string]any)
		value, named := left[name]
		delete(left, name)
		one := stateOf(element, value, named)
		if len(one) == 1 && block["optional"] != true {
			s.tb.Fatalf("the field %q must be filled in; Slack would not send the form", name)
		}
		state[id] = map[string]any{fmt.Sprint(element["action_id"]): one}
	}
	for name := range left {
		s.tb.Fatalf("the form has no field %q:\n%s", name, s.ws.PlainView(body))
	}
	return state
}

// stateOf is what an element sends with a value, or with what it began with.
func stateOf(e map[string]any, value string, named bool) map[string]any {
	kind, _ := e["type"].(string)
	out := map[string]any{"type": kind}
	option := func(v string) map[string]any {
		return map[string]any{"value": v, "text": map[string]any{"type": "plain_text", "text": v}}
	}
	key, initial := "value", e["initial_value"]
	var chosen any = value
	switch {
	case kind == "datetimepicker":
		key, initial = "selected_date_time", nil
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			chosen = t.Unix()
		}
	case kind == "conversations_select":
		key, initial = "selected_conversation", nil
	case strings.HasPrefix(kind, "multi_"):
		key, initial = "selected_options", e["initial_options"]
		var all []any
		for one := range strings.SplitSeq(value, "|") {
			all = append(all, option(one))
		}
		chosen = all
	case strings.HasSuffix(kind, "select"), kind == "radio_buttons":
		key, initial = "selected_option", e["initial_option"]
		chosen = option(value)
	}
	switch {
	case named && value != "":
		out[key] = chosen
	case !named && initial != nil:
		out[key] = initial
	default:
		// Slack sends null, or an empty list; the app must not need either
	}
	return out
}

// deny says no at a gate, with a reason, and returns the answer.
func (s *stage) deny(user string, gate workspace.Message, reason string) string {
	s.tb.Helper()
	before := len(s.ephemerals(user))
	s.press(user, gate, "deny")
	s.form(user, "Deny")
	if wrong := s.fill(user, map[string]string{"reason": reason}); len(wrong) > 0 {
		s.tb.Fatalf("%s denies: %v", user, wrong)
	}
	s.until(user+" has an answer", func() bool { return len(s.ephemerals(user)) > before })
	return s.ephemerals(user)[before]
}

// suggested are the texts of the options that a menu offers to somebody who typed.
func (s *stage) suggested(user, field, typed string) []string {
	s.tb.Helper()
	id, _ := s.ws.Modal(user)
	options, err := s.ws.Suggest(s.tb.Context(), workspace.Press{User: user, View: id, BlockID: openField + field, ActionID: openField + field}, typed)
	if err != nil {
		s.tb.Fatalf("%s types %s into %s: %v", user, strconv.Quote(typed), field, err)
	}
	var out []string
	for _, o := range options {
		m, _ := o.(map[string]any)
		out = append(out, plainOf(m["text"]))
	}
	return out
}
