package workspace

import (
	"net/http"
	"strings"
)

// pageAct is what somebody does on the page.
type pageAct struct {
	As        string `json:"as"`
	Channel   string `json:"channel"`
	ThreadTS  string `json:"thread_ts"`
	Text      string `json:"text"`
	Container struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
		ViewID  string `json:"view_id"`
	} `json:"container"`
	BlockID  string         `json:"block_id"`
	ActionID string         `json:"action_id"`
	Action   map[string]any `json:"action"`
	ViewID   string         `json:"view_id"`
	Values   map[string]any `json:"values"`
	Value    string         `json:"value"`
}

func (a pageAct) press() Press {
	return Press{
		User: a.As, Channel: a.Container.Channel, TS: a.Container.TS, View: a.Container.ViewID,
		BlockID: a.BlockID, ActionID: a.ActionID, Value: a.Action, State: a.Values,
	}
}

func (s *Server) pageSay(r *http.Request, in pageAct) (any, error) {
	if strings.HasPrefix(in.Text, "/") {
		_, err := s.Slash(r.Context(), in.As, in.Channel, in.Text)
		return nil, err
	}
	_, err := s.Say(in.As, in.Channel, in.ThreadTS, in.Text) //nolint:contextcheck // an event outlives the request that caused it
	return nil, err
}

func (s *Server) pagePress(r *http.Request, in pageAct) (any, error) {
	return nil, s.Press(r.Context(), in.press())
}

func (s *Server) pageSubmit(r *http.Request, in pageAct) (any, error) {
	complaints, err := s.Submit(r.Context(), in.As, in.ViewID, in.Values)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ok": len(complaints) == 0, "errors": complaints}, nil
}

func (s *Server) pageClose(r *http.Request, in pageAct) (any, error) {
	return nil, s.Close(r.Context(), in.As, in.ViewID)
}

func (s *Server) pageOptions(r *http.Request, in pageAct) (any, error) {
	groups, err := s.SuggestGroups(r.Context(), in.press(), in.Value)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, g := range groups {
		out = append(out, map[string]any{"label": g.Label, "options": g.Options})
	}
	return map[string]any{"groups": out}, nil
}

// pageShortcut uses a shortcut, of a message when one is named.
func (s *Server) pageShortcut(r *http.Request, in pageAct) (any, error) {
	if in.Container.TS != "" {
		return nil, s.MessageShortcut(r.Context(), in.As, in.Container.Channel, in.Container.TS, in.ActionID)
	}
	return nil, s.Shortcut(r.Context(), in.As, in.ActionID)
}

func (s *Server) pageOpenHome(_ *http.Request, in pageAct) (any, error) {
	return nil, s.OpenHome(in.As)
}
