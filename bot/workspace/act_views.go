package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// viewByID finds an open modal or a Home tab. The caller holds the lock.
func (s *Server) viewByID(id string) *view {
	return s.viewBy(func(v *view) bool { return v.ID == id })
}

// Modal returns the id and the body of the modal that a person has before them; "" when there is none.
func (s *Server) Modal(user string) (string, map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _ := s.user(user)
	stack := s.views[u.ID]
	if len(stack) == 0 {
		return "", nil
	}
	top := stack[len(stack)-1]
	return top.ID, top.Body
}

// Home returns the Home tab of a person; nil when the app has published none.
func (s *Server) Home(user string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, _ := s.user(user)
	v := s.homes[u.ID]
	if v == nil {
		return nil
	}
	return s.wireView(v, nil)
}

// Submit submits the top modal of a person. values is block id to action id to state. It returns
// the complaints of the app by block id; the modal stays open when there are any.
func (s *Server) Submit(ctx context.Context, user, viewID string, values map[string]any) (map[string]string, error) {
	s.mu.Lock()
	u, ok := s.user(user)
	v := s.viewByID(viewID)
	if !ok || v == nil || v.User != u.ID {
		s.mu.Unlock()
		return nil, fmt.Errorf("%s has no view %q open", user, viewID)
	}
	payload := s.interaction("view_submission", u)
	payload["view"] = s.wireView(v, values)
	payload["response_urls"] = s.chosenHooks(u, v, values)
	s.mu.Unlock()
	ack, err := s.deliver(ctx, "interactive", payload, true, nil)
	if err != nil {
		return nil, err
	}
	return s.afterSubmit(u.ID, v, ack)
}

// chosenHooks are response_urls for the conversations that were chosen where the app asked for them:
// docs.slack.dev/surfaces/modals. The caller holds the lock.
func (s *Server) chosenHooks(u User, v *view, values map[string]any) []any {
	out := []any{}
	blocks, _ := v.Body["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		element, _ := block["element"].(map[string]any)
		if block["type"] != "input" || element["response_url_enabled"] != true {
			continue
		}
		id, _ := block["block_id"].(string)
		actionID, _ := element["action_id"].(string)
		actions, _ := values[id].(map[string]any)
		state, _ := actions[actionID].(map[string]any)
		chosen, _ := state["selected_conversation"].(string)
		if ch := s.channel(chosen); ch != nil {
			out = append(out, map[string]any{
				"block_id": id, "action_id": actionID, "channel_id": ch.ID, "response_url": s.newHook(ch.ID, u.ID, nil),
			})
		}
	}
	return out
}

// afterSubmit does what the app's response_action says: docs.slack.dev/surfaces/modals.
func (s *Server) afterSubmit(user string, v *view, ack json.RawMessage) (map[string]string, error) {
	var answer struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   map[string]any    `json:"view"`
	}
	if len(ack) > 0 && string(ack) != "null" {
		if err := json.Unmarshal(ack, &answer); err != nil {
			return nil, fmt.Errorf("read the answer to a submission: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &apiCall{Server: s, method: "view_submission"}
	if answer.Action == "errors" {
		return answer.Errors, c.checkErrors(v, answer.Errors)
	}
	var err *apiError
	switch answer.Action {
	case "update":
		err = c.replace(v, answer.View)
	case "push":
		err = c.push(user, answer.View)
	case "clear":
		delete(s.views, user)
	case "":
		s.popView(user, v.ID)
	default:
		err = c.wrong("invalid_response_action", answer.Action)
	}
	if err != nil {
		return nil, fmt.Errorf("the answer to the submission was refused: %s %v", err.name, err.messages)
	}
	s.notify(change{Kind: "view", only: user})
	return nil, nil //nolint:nilnil // no complaints
}

// checkErrors refuses complaints about blocks that take no input: people would see nothing.
func (c *apiCall) checkErrors(v *view, errors map[string]string) error {
	blocks, _ := v.Body["blocks"].([]any)
	for id := range errors {
		known := slices.ContainsFunc(blocks, func(b any) bool {
			block, _ := b.(map[string]any)
			return block["type"] == "input" && block["block_id"] == id
		})
		if !known {
			c.wrong("invalid_errors", id)
			return fmt.Errorf("the answer to the submission complains about %q, which is no input of the view", id)
		}
	}
	return nil
}

func (c *apiCall) replace(v *view, body map[string]any) *apiError {
	body, err := c.checkView(body, blockkit.Modal)
	if err == nil {
		v.Body, v.Hash = body, secret()
	}
	return err
}

func (c *apiCall) push(user string, body map[string]any) *apiError {
	body, err := c.checkView(body, blockkit.Modal)
	if err != nil {
		return err
	}
	if len(c.views[user]) >= maxViewStack {
		return c.wrong("push_limit_reached")
	}
	v, err := c.newView(user, body)
	if err == nil {
		c.views[user] = append(c.views[user], v)
	}
	return err
}

// popView takes a view off its stack. The caller holds the lock.
func (s *Server) popView(user, id string) {
	stack := s.views[user]
	for i, v := range stack {
		if v.ID == id {
			s.views[user] = append(stack[:i:i], stack[i+1:]...)
		}
	}
}

// Close closes a modal without submitting it.
func (s *Server) Close(ctx context.Context, user, viewID string) error {
	s.mu.Lock()
	u, _ := s.user(user)
	v := s.viewByID(viewID)
	if v == nil || v.User != u.ID {
		s.mu.Unlock()
		return fmt.Errorf("%s has no view %q open", user, viewID)
	}
	s.popView(u.ID, viewID)
	s.notify(change{Kind: "view", only: u.ID})
	wanted := v.Body["notify_on_close"] == true
	payload := s.interaction("view_closed", u)
	payload["view"], payload["is_cleared"] = s.wireView(v, nil), false
	s.mu.Unlock()
	if !wanted {
		return nil
	}
	_, err := s.deliver(ctx, "interactive", payload, false, nil)
	return err
}

// Suggest asks the app for the options of an external_select; those of groups come one after the other.
func (s *Server) Suggest(ctx context.Context, p Press, typed string) ([]any, error) {
	groups, err := s.SuggestGroups(ctx, p, typed)
	var options []any
	for _, g := range groups {
		options = append(options, g.Options...)
	}
	return options, err
}

// OptionGroup are options under a label; those that the app did not group have none.
type OptionGroup struct {
	Label   string
	Options []any
}

// SuggestGroups is Suggest with the groups that the app made.
func (s *Server) SuggestGroups(ctx context.Context, p Press, typed string) ([]OptionGroup, error) {
	payload, err := s.pressPayload(p)
	if err != nil {
		return nil, err
	}
	pressed, _ := payload["actions"].([]any)[0].(map[string]any)
	payload["type"] = "block_suggestion"
	payload["action_id"], payload["block_id"], payload["value"] = p.ActionID, pressed["block_id"], typed
	delete(payload, "actions")
	ack, err := s.deliver(ctx, "interactive", payload, true, nil)
	if err != nil || len(ack) == 0 {
		return nil, err
	}
	var answer struct {
		Options []any `json:"options"`
		Groups  []struct {
			Label   map[string]any `json:"label"`
			Options []any          `json:"options"`
		} `json:"option_groups"`
	}
	if err := json.Unmarshal(ack, &answer); err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	var out []OptionGroup
	if len(answer.Options) > 0 {
		out = append(out, OptionGroup{Options: answer.Options})
	}
	for _, g := range answer.Groups {
		label, _ := g.Label["text"].(string)
		out = append(out, OptionGroup{Label: label, Options: g.Options})
		if err := s.checkGroup(g.Label, g.Options); err != nil {
			return nil, err
		}
	}
	return out, s.checkOptions(answer.Options)
}

// checkGroup refuses groups that a menu cannot show.
func (s *Server) checkGroup(label map[string]any, options []any) error {
	bad := blockkit.OptionGroup(label, options)
	return s.refuseOptions(bad)
}

// checkOptions refuses options that a menu cannot show.
func (s *Server) checkOptions(options []any) error {
	return s.refuseOptions(blockkit.Options(options))
}

func (s *Server) refuseOptions(bad *blockkit.Refusal) error {
	if bad == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violate("block_suggestion", bad.Name, bad.Messages)
	return fmt.Errorf("the options were refused: %s %v", bad.Name, bad.Messages)
}
