package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

func (c *Commands) whyVerb() verb {
	return verb{
		name: "why", form: "why RUN[.GATE]", reads: true,
		summary: "by which rule a run was allowed, refused or waits, for whom and since when", run: c.why,
	}
}

func (c *Commands) why(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.whyVerb()
	if err := a.only(1, v); err != nil {
		return Reply{}, err
	}
	run, number, _, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Title: run.Requested.Playbook.Name + " " + run.ID.Short(), Run: run.ID}
	if number > 0 {
		for _, g := range run.Approvals {
			if g.Number == number {
				r.Blocks = c.whyGate(q.Actor, run, g)
				return r, nil
			}
		}
		return Reply{}, &runError{run: run.ID, err: engine.Errorf(engine.CodeNotFound, "run %s has no gate %d yet", run.ID.Short(), number)}
	}
	r.Blocks = append(c.whyStarted(run), c.whyNow(q.Actor, run)...)
	return r, nil
}

// whyStarted says who asked for a run, and which rule let them.
func (c *Commands) whyStarted(run *engine.Run) []Block {
	rq := run.Requested
	head := []Span{mention(rq.Actor), plain(" asked for it at %s. ", stamp(run.At))}
	switch {
	case rq.Parent != nil:
		head = append(head, plain("A task of run "), runRef(rq.Parent.Run), plain(" started it, and it may do what that run may."))
	case rq.Rule != "":
		head = append(head, plain("Allowed: "), outside(rq.Rule), plain("."))
	default:
		head = append(head, plain("By which rule is not kept: an older version of playbot let it begin."))
	}
	out := []Block{paragraph(head...)}
	if f := run.PrepareFailed; f != nil {
		what := "It failed before its first task: "
		if strings.HasPrefix(f.Message, "refused: ") {
			what = "Before its first task it was "
		}
		out = append(out, paragraph(plain("%s", what), outside(f.Message), plain(".")))
	}
	return out
}

// whyNow says what a run waits for, or how it ended.
func (c *Commands) whyNow(who engine.Actor, run *engine.Run) []Block {
	if !run.Ended.IsZero() {
		out := []Block{paragraph(plain("It ended at %s as %s: ", stamp(run.Ended), run.Status), outside(run.Message))}
		if run.PrepareFailed != nil {
			out = nil
		}
		if n := len(run.Approvals); n > 0 {
			out = append(out, Context{Spans: []Span{code(fmt.Sprintf("/playbook why %s.%d", run.ID.Short(), n)), plain(" says the same of its last gate.")}})
		}
		return out
	}
	if a := run.Pending(); a != nil {
		return c.whyGate(who, run, a)
	}
	if s := run.Unknown(); s != nil {
		at := s.Last()
		return append(c.waits(who, run), paragraph(plain("It waits since %s for whoever may run it.", stamp(at.UnknownAt)), plain(" %s", c.yours(who, engine.About(policy.Run, run)))))
	}
	if w := c.waits(who, run); len(w) > 0 {
		return w
	}
	return []Block{say("It waits for nobody: it is %s.", run.Status)}
}

// whyGate says why a task asks, whom, who has answered, and what is missing.
func (c *Commands) whyGate(who engine.Actor, run *engine.Run, a *engine.Approval) []Block {
	step := run.Steps[a.Path]
	reason := "its playbook calls it destructive"
	if step != nil && step.Gated != "" && step.Gated != "destructive" {
		reason = step.Gated
	}
	what := []Span{plain("Gate %s.%d: ", run.ID.Short(), a.Number)}
	if step != nil {
		what = append(what, outside(step.Description), plain("%s ", strings.TrimSuffix(WhichWaves(a), ",")))
	}
	what = append(what, plain("asks since %s because ", stamp(a.At)), outside(reason), plain("."))
	out := []Block{paragraph(what...)}
	if asks := Asks(a); asks != "" {
		out = append(out, paragraph(plain("It "), outside(asks), plain(".")))
	}
	out = append(out, given(a)...)
	if a.State != engine.ApprovalPending {
		return append(out, paragraph(plain("It is decided: "), outside(a.Outcome()), plain(".")))
	}
	wait := []Span{plain("Missing: %s, until %s. Who may: ", plural(a.Missing(), "approval"), stamp(a.Deadline()))}
	out = append(out, paragraph(append(wait, c.approversOf(run, a)...)...))
	d := c.engine.MayApprove(who, run, a, engine.Limit{})
	switch {
	case slices.ContainsFunc(a.Given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(who) }):
		out = append(out, say("You have approved it."))
	case d.Allowed:
		out = append(out, paragraph(plain("You may: "), outside(d.Rule), plain(". "), code(fmt.Sprintf("/playbook approve %s.%d", run.ID.Short(), a.Number))))
	default:
		out = append(out, paragraph(plain("You may not: "), outside(d.Rule), plain(".")))
	}
	return out
}

// given says who said yes, when they are several, and by which role.
func given(a *engine.Approval) []Block {
	var list List
	for _, g := range a.Given {
		item := []Span{mention(g.Actor), plain(" approved")}
		if g.Role != "" {
			item = append(item, plain(" with the role "), outside(g.Role))
		}
		if !g.Limit.IsZero() {
			item = append(item, plain(" %s", g.Limit))
		}
		if g.Reason != "" {
			item = append(item, plain(": "), outside(short(g.Reason, 200)))
		}
		list.Items = append(list.Items, item)
	}
	if len(list.Items) == 0 {
		return nil
	}
	return []Block{list}
}

// approversOf names those whose yes counts at a gate and is not there yet.
func (c *Commands) approversOf(run *engine.Run, a *engine.Approval) []Span {
	const most = 10
	people, groups := c.engine.Approvers(run, a)
	asked := run.Requested.Actor
	var out []Span
	add := func(s ...Span) {
		if len(out) > 0 {
			out = append(out, plain(", "))
		}
		out = append(out, s...)
	}
	shown := 0
	for _, id := range people {
		team, user, qualified := strings.Cut(id, "/")
		if !qualified {
			team, user = asked.Team, id
		}
		one := engine.Actor{Team: team, User: user}
		done := slices.ContainsFunc(a.Given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(one) })
		switch {
		case user == "*":
			return []Span{plain("anybody in this workspace%s.", map[bool]string{false: " but whoever asked for the run"}[c.engine.Policy().OwnApproval()])}
		case done || one.Is(asked) && !c.engine.Policy().OwnApproval():
		case shown < most:
			add(mention(one))
			shown++
		}
	}
	for _, g := range groups {
		add(plain("the members of the user group "), code(g))
	}
	if len(out) == 0 {
		return []Span{plain("nobody else; an administrator has to give somebody a role for it.")}
	}
	return append(out, plain("."))
}

// yours says whether somebody is one of those who may.
func (c *Commands) yours(who engine.Actor, ask policy.Question) string {
	if d := c.engine.Ask(who, ask); !d.Allowed {
		return "You may not: " + Clean(d.Rule) + "."
	}
	return "You may."
}
