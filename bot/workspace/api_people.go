package workspace

import (
	"slices"
	"strings"
)

func (c *apiCall) apiTest() (map[string]any, *apiError) { return map[string]any{}, nil }

func (c *apiCall) authTest() (map[string]any, *apiError) {
	return map[string]any{
		"url": c.base + "/", "team": c.opts.Team.Name, "team_id": c.opts.Team.ID, "user": c.opts.BotUser.Name,
		"user_id": c.opts.BotUser.ID, "bot_id": c.botID(), "app_id": c.opts.AppID, "is_enterprise_install": false,
	}, nil
}

func (c *apiCall) connectionsOpen() (map[string]any, *apiError) {
	ticket := secret()
	c.tickets[ticket] = true
	url := "ws" + strings.TrimPrefix(c.base, "http") + "/socket/" + ticket
	return map[string]any{"url": url}, nil
}

func (c *apiCall) botsInfo() (map[string]any, *apiError) {
	return map[string]any{"bot": map[string]any{
		"id": c.botID(), "name": c.opts.BotUser.Name, "user_id": c.opts.BotUser.ID, "app_id": c.opts.AppID, "deleted": false,
	}}, nil
}

func (c *apiCall) teamInfo() (map[string]any, *apiError) {
	t := c.opts.Team
	return map[string]any{"team": map[string]any{"id": t.ID, "name": t.Name, "domain": t.Domain}}, nil
}

func (s *Server) wireUser(u User) map[string]any {
	team := u.TeamID
	if team == "" {
		team = s.opts.Team.ID
	}
	return map[string]any{
		"id": u.ID, "team_id": team, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted, "is_bot": u.IsBot,
		"is_restricted": u.IsGuest || u.IsUltra, "is_ultra_restricted": u.IsUltra, "is_stranger": u.Stranger, "is_admin": u.IsAdmin, "tz": u.TZ,
		"is_workflow_bot": u.Workflow,
		"color":           strings.TrimPrefix(u.Color, "#"),
		"profile":         map[string]any{"real_name": u.RealName, "display_name": u.Name, "title": u.Title},
	}
}

func (c *apiCall) usersInfo() (map[string]any, *apiError) {
	u, ok := c.user(c.str("user"))
	if !ok {
		return nil, refuse("user_not_found")
	}
	return map[string]any{"user": c.wireUser(u)}, nil
}

func (c *apiCall) usersList() (map[string]any, *apiError) {
	members := make([]any, 0, len(c.users))
	for _, u := range c.users {
		members = append(members, c.wireUser(u))
	}
	return c.page("members", members)
}

func (ch *Channel) has(user string) bool { return slices.Contains(ch.Members, user) }
