package workspace

import "slices"

// userGroups lists the user groups, which only paid plans have.
func (c *apiCall) userGroups() (map[string]any, *apiError) {
	if c.opts.NoUserGroup {
		return nil, refuse("plan_upgrade_required")
	}
	out := []any{}
	for _, g := range c.opts.Groups {
		if g.Disabled && c.str("include_disabled") != "true" {
			continue
		}
		group := map[string]any{
			"id": g.ID, "team_id": c.opts.Team.ID, "is_usergroup": true, "handle": g.Handle, "name": g.Name,
			"user_count": len(g.Users), "date_delete": 0,
		}
		if g.Disabled {
			group["date_delete"] = 1
		}
		if c.flag("include_users") {
			group["users"] = g.Users
		}
		out = append(out, group)
	}
	return map[string]any{"usergroups": out}, nil
}

// userGroupUsers lists who is in a group; nobody is in one that is disabled.
func (c *apiCall) userGroupUsers() (map[string]any, *apiError) {
	if c.opts.NoUserGroup {
		return nil, refuse("plan_upgrade_required")
	}
	i := slices.IndexFunc(c.opts.Groups, func(g Group) bool { return g.ID == c.str("usergroup") })
	if i < 0 {
		return nil, refuse("no_such_subteam")
	}
	users := []string{}
	if g := c.opts.Groups[i]; !g.Disabled {
		users = append(users, g.Users...)
	}
	return map[string]any{"users": users}, nil
}
