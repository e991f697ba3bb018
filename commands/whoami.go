package commands

import (
	"context"
	"strings"

	"github.com/playbot/playbot/engine/policy"
)

func (c *Commands) whoamiVerb() verb {
	return verb{
		name: "whoami", form: "whoami", reads: true,
		summary: "how playbot knows you, and what you may do", run: c.whoami,
	}
}

func (c *Commands) whoami(_ context.Context, q Request, a args) (Reply, error) {
	if err := a.only(0, c.whoamiVerb()); err != nil {
		return Reply{}, err
	}
	who := q.Actor
	roles := strings.Join(c.engine.Policy().Roles(policy.Subject{Team: who.Team, User: who.User}), ", ")
	if roles == "" {
		roles = "none; ask whoever runs playbot to add you to one in its configuration"
	}
	f := Fields{Items: []Field{
		{Label: "Name", Value: []Span{mention(who)}},
		{Label: "User", Value: []Span{code(who.User)}},
		{Label: "Roles", Value: []Span{outside(roles)}},
	}}
	if who.Team != "" {
		f.Items = append(f.Items, Field{Label: "Team", Value: []Span{code(who.Team)}})
	}
	for _, v := range []policy.Verb{policy.Run, policy.Approve, policy.Steer, policy.Cancel} {
		var names []string
		for _, b := range c.visible(who) {
			if c.engine.May(who, v, b.Name).Allowed {
				names = append(names, b.Name)
			}
		}
		text := strings.Join(names, ", ")
		if text == "" {
			text = "nothing"
		}
		f.Items = append(f.Items, Field{Label: "May " + string(v), Value: []Span{outside(short(text, 1000))}})
	}
	return Reply{Title: "You", Blocks: []Block{f, Context{Spans: []Span{code("/playbook list"), plain(" shows the playbooks that you may see.")}}}}, nil
}
