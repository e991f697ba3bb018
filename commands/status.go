package commands

import (
	"context"
	"slices"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

func (c *Commands) statusVerb() verb {
	return verb{
		name: "status", aliases: []string{"ps"}, form: "status [RUN]", reads: true,
		summary: "what is under way, or how one run stands", run: c.status,
	}
}

func (c *Commands) status(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.statusVerb()
	if err := a.only(1, v); err != nil {
		return Reply{}, err
	}
	if len(a.words) == 0 && q.RunHint == "" {
		return c.underWay(ctx, q)
	}
	run, _, _, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return Reply{}, err
	}
	return c.standing(ctx, q, run), nil
}

// standing is a run as it stands: its steps without their output.
func (c *Commands) standing(ctx context.Context, q Request, run *engine.Run) Reply {
	steps := List{}
	for _, p := range run.Order {
		steps.Items = append(steps.Items, stepSpans(run.Steps[p]))
	}
	blocks := []Block{c.head(ctx, q.Actor, run)}
	if len(steps.Items) > 0 {
		blocks = append(blocks, say("%s%s:", plural(len(steps.Items), "step"), map[bool]string{true: " so far"}[run.Ended.IsZero()]), steps)
	}
	if run.Message != "" {
		blocks = append(blocks, paragraph(outside(run.Message)))
	}
	blocks = append(append(blocks, c.waits(q.Actor, run)...), Context{Spans: c.more(q.Actor, run)})
	return Reply{Title: run.Requested.Playbook.Name + " " + run.ID.Short(), Blocks: blocks, Run: run.ID}
}

// head is what is known about a run as a whole, without the run that started it when somebody may not view that.
func (c *Commands) head(ctx context.Context, who engine.Actor, run *engine.Run) Fields {
	p := run.Requested.Parent
	return headFields(run, p != nil && c.visibleRun(ctx, who, p.Run), time.Now())
}

// more says what somebody can do next about a run.
func (c *Commands) more(who engine.Actor, run *engine.Run) []Span {
	out := []Span{code("/playbook show " + run.ID.Short()), plain(" shows every attempt.")}
	if run.Ended.IsZero() && run.Lingers().IsZero() && c.engine.Ask(who, engine.About(policy.Cancel, run)).Allowed {
		out = append(out, plain(" "), code("/playbook cancel "+run.ID.Short()), plain(" stops the run."))
	}
	return out
}

// underWay lists the runs that have not ended.
func (c *Commands) underWay(ctx context.Context, q Request) (Reply, error) {
	open, err := c.open(ctx, q.Actor)
	if err != nil {
		return Reply{}, err
	}
	if len(open) == 0 {
		return Reply{Blocks: []Block{paragraph(plain("Nothing is under way. "), code("/playbook history"), plain(" shows what was."))}}, nil
	}
	list := List{}
	for _, s := range open {
		list.Items = append(list.Items, summarySpans(s, time.Now()))
	}
	return Reply{Title: plural(len(open), "run") + " under way", Blocks: []Block{list, Context{
		Spans: []Span{
			code("/playbook status RUN"), plain(" shows how one of them stands."),
		},
	}}}, nil
}

// open finds the runs that have not ended and that somebody may view, newest first.
func (c *Commands) open(ctx context.Context, who engine.Actor) ([]engine.Summary, error) {
	var out []engine.Summary
	for _, s := range []engine.RunStatus{engine.RunWaiting, engine.RunRunning, engine.RunPreparing} {
		found, err := c.history.Find(ctx, engine.HistoryQuery{Status: s, Limit: maxOpen})
		if err != nil {
			return nil, err
		}
		out = append(out, c.viewable(ctx, who, found)...)
	}
	return out, nil
}

// maxOpen is how many runs of one state are listed.
const maxOpen = 50

// viewable leaves out what somebody may not view: runs, and the links to runs.
func (c *Commands) viewable(ctx context.Context, who engine.Actor, in []engine.Summary) []engine.Summary {
	var out []engine.Summary
	for _, s := range in {
		if !c.mayView(who, s.Playbook.Name) {
			continue
		}
		if s.Parent != nil && !c.visibleRun(ctx, who, s.Parent.Run) {
			s.Parent = nil
		}
		s.Children = slices.DeleteFunc(slices.Clone(s.Children), func(id engine.RunID) bool { return !c.visibleRun(ctx, who, id) })
		out = append(out, s)
	}
	return out
}

func (c *Commands) visibleRun(ctx context.Context, who engine.Actor, id engine.RunID) bool {
	_, err := c.loadVisible(ctx, who, id)
	return err == nil
}
