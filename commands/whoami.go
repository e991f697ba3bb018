package commands

import (
	"context"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
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
	roles, _ := c.engine.Standing(who)
	text := strings.Join(roles, ", ")
	if text == "" {
		text = "none; ask whoever runs playbot to add you to one in its configuration"
	}
	f := Fields{Items: []Field{
		{Label: "Name", Value: []Span{mention(who)}},
		{Label: "User", Value: []Span{code(who.User)}},
		{Label: "Roles", Value: []Span{outside(text)}},
	}}
	if who.Team != "" {
		f.Items = append(f.Items, Field{Label: "Team", Value: []Span{code(who.Team)}})
	}
	f.Items = append(f.Items, c.mayFields(who, roles)...)
	blocks := []Block{f}
	if bounds := c.boundsOf(roles); len(bounds.Items) > 0 {
		blocks = append(blocks, say("Within these bounds:"), bounds)
	}
	return Reply{Title: "You", Blocks: append(blocks, Context{Spans: []Span{
		code("/playbook list"), plain(" shows the playbooks that you may see, "), code("/playbook can VERB PLAYBOOK"), plain(" which rule decides."),
	}})}, nil
}

// mayFields lists what somebody may do with which playbooks, of what the roles know.
func (c *Commands) mayFields(who engine.Actor, roles []string) []Field {
	may := c.engine.Policy().VerbsOf(roles)
	var out []Field
	for _, v := range policy.Verbs() {
		usual := slices.Contains([]policy.Verb{policy.Run, policy.Approve, policy.Steer, policy.Cancel}, v)
		if !usual && (!slices.Contains(may, v) || v == policy.View || v == policy.Plan) {
			continue
		}
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
		out = append(out, Field{Label: "May " + strings.ReplaceAll(string(v), "_", " "), Value: []Span{outside(short(text, 1000))}})
	}
	return out
}

// boundsOf says within which bounds each role lets people do something.
func (c *Commands) boundsOf(roles []string) List {
	var out List
	for _, name := range roles {
		if bounds := c.engine.Policy().Role(name).Bounds(); bounds != "" {
			out.Items = append(out.Items, []Span{plain("role "), outside(name), plain(": "), outside(bounds)})
		}
	}
	return out
}
