package workspace

import "slices"

func (c *apiCall) reactionsAdd() (map[string]any, *apiError) { return c.react(true) }

func (c *apiCall) reactionsRemove() (map[string]any, *apiError) { return c.react(false) }

// react adds or removes the bot's own reaction.
func (c *apiCall) react(add bool) (map[string]any, *apiError) {
	ch, err := c.known()
	if err != nil {
		return nil, err
	}
	if !isTS(c.str("timestamp")) {
		return nil, c.wrong("bad_timestamp")
	}
	m := c.find(ch.ID, c.str("timestamp"))
	if m == nil {
		return nil, refuse("message_not_found")
	}
	name, bot := c.str("name"), c.opts.BotUser.ID
	i := slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Name == name })
	had := i >= 0 && slices.Contains(m.Reactions[i].Users, bot)
	switch {
	case add && had:
		return nil, refuse("already_reacted")
	case !add && !had:
		return nil, refuse("no_reaction")
	case add:
		m.Reactions = append(m.Reactions, Reaction{Name: name, Users: []string{bot}})
	default:
		m.Reactions = slices.Delete(m.Reactions, i, i+1)
	}
	c.notify(change{Kind: "message", Channel: m.Channel, TS: m.TS, ThreadTS: m.ThreadTS})
	return map[string]any{}, nil
}
