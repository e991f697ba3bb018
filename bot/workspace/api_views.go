package workspace

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// triggerLife is how long a trigger_id may open a view: docs.slack.dev/surfaces/modals.
const triggerLife = 3 * time.Second

// maxViewStack is how many views lie above each other: docs.slack.dev/surfaces/modals.
const maxViewStack = 3

type trigger struct {
	user    string
	expires time.Time
	used    bool
}

// view is an open modal, or a Home tab.
type view struct {
	ID   string
	User string
	Hash string
	Body map[string]any
}

// newTrigger gives out a trigger_id. The caller holds the lock.
func (s *Server) newTrigger(user string) string {
	id := secret()
	s.triggers[id] = &trigger{user: user, expires: time.Now().Add(triggerLife)}
	return id
}

func (c *apiCall) trigger() (*trigger, *apiError) {
	t := c.triggers[c.str("trigger_id")]
	switch {
	case t == nil:
		return nil, refuse("invalid_trigger_id")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case time.Now().After(t.expires):
		return nil, refuse("expired_trigger_id")
	}
	t.used = true
	return t, nil
}

// viewBody reads the view of a call, which must be of one of the given surfaces.
func (c *apiCall) viewBody(surfaces ...blockkit.Surface) (map[string]any, *apiError) {
	decoded, ok := c.decoded("view")
	body, isMap := decoded.(map[string]any)
	if !ok || !isMap {
		return nil, c.wrong("invalid_arguments", "[ERROR] view must be an object")
	}
	return c.checkView(body, surfaces...)
}

func (c *apiCall) checkView(body map[string]any, surfaces ...blockkit.Surface) (map[string]any, *apiError) {
	if bad := blockkit.View(body); bad != nil {
		return nil, c.wrong(bad.Name, bad.Messages...)
	}
	kind, _ := body["type"].(string)
	if !slices.Contains(surfaces, blockkit.Surface(kind)) {
		return nil, c.wrong("invalid_arguments", fmt.Sprintf("[ERROR] must be %s here [json-pointer:/view/type]", surfaces[0]))
	}
	blocks, _ := body["blocks"].([]any)
	identify(blocks)
	return body, nil
}

// newView makes a view out of a checked body; the error is that of a double external_id.
func (c *apiCall) newView(user string, body map[string]any) (*view, *apiError) {
	if id, _ := body["external_id"].(string); id != "" && c.viewBy(func(v *view) bool { return v.Body["external_id"] == id }) != nil {
		return nil, c.wrong("duplicate_external_id")
	}
	return &view{ID: "V" + secret(), User: user, Hash: secret(), Body: body}, nil
}

// viewBy finds an open modal or a Home tab. The caller holds the lock.
func (s *Server) viewBy(is func(*view) bool) *view {
	for _, stack := range s.views {
		if i := slices.IndexFunc(stack, is); i >= 0 {
			return stack[i]
		}
	}
	for _, v := range s.homes {
		if is(v) {
			return v
		}
	}
	return nil
}

// wireView is a view as Slack sends it.
func (s *Server) wireView(v *view, state map[string]any) map[string]any {
	out := maps.Clone(v.Body)
	out["id"], out["hash"], out["team_id"], out["app_id"] = v.ID, v.Hash, s.opts.Team.ID, s.opts.AppID
	out["bot_id"], out["root_view_id"], out["app_installed_team_id"] = s.botID(), v.ID, s.opts.Team.ID
	out["previous_view_id"] = nil
	if stack := s.views[v.User]; slices.Contains(stack, v) {
		out["root_view_id"] = stack[0].ID
		if i := slices.Index(stack, v); i > 0 {
			out["previous_view_id"] = stack[i-1].ID
		}
	}
	if state == nil {
		state = map[string]any{}
	}
	out["state"] = map[string]any{"values": state}
	return out
}

func (c *apiCall) viewsOpen() (map[string]any, *apiError) { return c.show(false) }

func (c *apiCall) viewsPush() (map[string]any, *apiError) { return c.show(true) }

// show opens a modal, or pushes one onto those that are open.
func (c *apiCall) show(push bool) (map[string]any, *apiError) {
	body, err := c.viewBody(blockkit.Modal)
	if err != nil {
		return nil, err
	}
	t, err := c.trigger()
	if err != nil {
		return nil, err
	}
	stack := c.views[t.user]
	if !push {
		stack = nil
		delete(c.views, t.user)
	}
	if len(stack) >= maxViewStack {
		return nil, refuse("push_limit_reached")
	}
	v, err := c.newView(t.user, body)
	if err != nil {
		return nil, err
	}
	c.views[t.user] = append(stack, v)
	c.notify(change{Kind: "view", only: t.user})
	return map[string]any{"view": c.wireView(v, nil)}, nil
}

// viewsUpdate replaces a view, found by its id or by the app's own id.
func (c *apiCall) viewsUpdate() (map[string]any, *apiError) {
	id, external := c.str("view_id"), c.str("external_id")
	if id == "" && external == "" {
		return nil, c.wrong("invalid_arguments", "[ERROR] missing required field: view_id")
	}
	body, err := c.viewBody(blockkit.Modal, blockkit.Home)
	if err != nil {
		return nil, err
	}
	v := c.viewBy(func(v *view) bool { return v.ID == id || external != "" && v.Body["external_id"] == external })
	switch h := c.str("hash"); {
	case v == nil:
		return nil, refuse("not_found")
	case h != "" && h != v.Hash:
		return nil, refuse("hash_conflict")
	case v.Body["type"] != body["type"]:
		return nil, c.wrong("invalid_arguments", "[ERROR] a view cannot change its type [json-pointer:/view/type]")
	}
	v.Body, v.Hash = body, secret()
	c.notify(change{Kind: "view", only: v.User})
	return map[string]any{"view": c.wireView(v, nil)}, nil
}

// viewsPublish replaces the Home tab of a person.
func (c *apiCall) viewsPublish() (map[string]any, *apiError) {
	u, ok := c.user(c.str("user_id"))
	if !ok {
		return nil, refuse("user_not_found")
	}
	body, err := c.viewBody(blockkit.Home)
	if err != nil {
		return nil, err
	}
	old := c.homes[u.ID]
	if h := c.str("hash"); old != nil && h != "" && h != old.Hash {
		return nil, refuse("hash_conflict")
	}
	delete(c.homes, u.ID) // it may keep its external_id
	v, err := c.newView(u.ID, body)
	if err != nil {
		return nil, err
	}
	if old != nil {
		v.ID = old.ID
	}
	c.homes[u.ID] = v
	c.notify(change{Kind: "home", only: u.ID})
	return map[string]any{"view": c.wireView(v, nil)}, nil
}
