package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) showVerb() verb {
	return verb{
		name: "show", aliases: []string{"get"}, form: "show RUN", reads: true,
		summary: "everything about a run: attempts, approvals, what was said", run: c.show,
	}
}

func (c *Commands) show(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.showVerb()
	if err := a.only(1, v); err != nil {
		return Reply{}, err
	}
	run, _, _, err := c.findRun(ctx, q, a, v)
	if err != nil {
		return Reply{}, err
	}
	return c.detail(ctx, q.Actor, run), nil
}

// detail is a run with every attempt.
func (c *Commands) detail(ctx context.Context, who engine.Actor, run *engine.Run) Reply {
	ref := run.Requested.Playbook
	blocks := []Block{c.head(ctx, who, run)}
	if run.Prepared != nil {
		blocks = append(blocks, nodesOf(run))
	}
	if n := len(run.Leases); n > 0 {
		blocks = append(blocks, paragraph(bold("Reserved"), plain(" for it since %s: %d: ", stamp(run.LeasedAt), n), outside(short(strings.Join(run.Leases, ", "), 200))))
	}
	for _, p := range run.Order {
		blocks = append(blocks, stepBlocks(run.Steps[p])...)
	}
	if approvals := approvalList(run); len(approvals.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Approvals")), approvals)
	}
	if steers := steerList(run); len(steers.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Steered")), steers)
	}
	if run.Message != "" {
		blocks = append(blocks, paragraph(bold("End"), plain(": "), outside(run.Message)))
	}
	blocks = append(append(blocks, c.waits(who, run)...), sealed(run)...)
	if !run.Ended.IsZero() {
		blocks = append(blocks, Context{Spans: []Span{code("/playbook history " + ref.Name), plain(" shows its other runs.")}})
	}
	blocks = append(blocks, Context{Spans: []Span{plain("%s %s, content %.12s, run %s", ref.Name, ref.Version, ref.Digest, run.ID)}})
	return Reply{Title: ref.Name + " " + run.ID.Short(), Blocks: blocks, Run: run.ID}
}

// sealed shows what exactly the gate that waits would let happen.
func sealed(run *engine.Run) []Block {
	a := run.Pending()
	if a == nil || len(a.Sealed) == 0 {
		return nil
	}
	var lines []string
	for _, key := range sortedNames(a.Sealed) {
		lines = append(lines, key+": "+short(typed(a.Sealed[key]), 300))
	}
	return []Block{say("An approval covers exactly this:"), Preformatted{Text: strings.Join(lines, "\n")}}
}

func nodesOf(run *engine.Run) Fields {
	var f Fields
	for _, name := range sortedNames(run.Prepared.Nodes) {
		nodes := run.Prepared.Nodes[name]
		text := fmt.Sprintf("%d: %s", len(nodes), short(strings.Join(nodes, ", "), 200))
		f.Items = append(f.Items, Field{Label: "Nodes " + name, Value: []Span{outside(text)}})
	}
	return f
}

// stepBlocks is a step with what its attempts brought.
func stepBlocks(s *engine.Step) []Block {
	blocks := []Block{paragraph(append([]Span{plain("%s  ", s.Path)}, stepSpans(s)...)...)}
	var lines []string
	for _, at := range s.Attempts {
		lines = append(lines, attemptLine(at))
	}
	if len(lines) > 0 {
		blocks = append(blocks, Preformatted{Text: strings.Join(lines, "\n")})
	}
	return blocks
}

func attemptLine(at engine.Attempt) string {
	head := fmt.Sprintf("#%d %s", at.Attempt, at.At.UTC().Format("15:04:05"))
	switch {
	case at.Resolved != nil:
		return fmt.Sprintf("%s cut off; %s chose %s", head, at.Resolved.Actor.Label(), at.Resolved.Choice)
	case at.Unknown:
		return head + " cut off; nobody has said yet what became of it"
	case at.Repeat:
		return head + " cut off; went again by itself"
	case at.Outcome == nil:
		return head + " under way"
	}
	o := at.Outcome
	mark := "ok"
	if !o.OK {
		mark = "failed"
	}
	text := fmt.Sprintf("%s %s in %s", head, mark, Took(o.Runtime))
	if o.Result.Message != "" {
		text += ": " + short(o.Result.Message, 400)
	}
	return text + outliers(o)
}

// outliers names the nodes that did not do what they were told, those together that said the same.
func outliers(o *engine.AttemptEnded) string {
	const most = 8 // answers
	var b strings.Builder
	a, n := AnswersOf(o), 0
	for _, kind := range []struct {
		name string
		list []Answer
	}{{"failed", a.Failed}, {"silent", a.Silent}, {"differ", a.Differ}} {
		for _, g := range kind.list {
			if n++; n > most {
				continue
			}
			fmt.Fprintf(&b, "\n   %s: %s", kind.name, NodeNames(g.Nodes, 300))
			if g.Text != "" {
				b.WriteString(": " + short(g.Text, 200))
			}
		}
	}
	if n > most {
		fmt.Fprintf(&b, "\n   … and %d other answers", n-most)
	}
	return b.String()
}

func approvalList(run *engine.Run) List {
	var l List
	for _, a := range run.Approvals {
		item := []Span{plain("%d. %s: ", a.Number, a.Path), outside(a.Outcome())}
		if grants := Grants(a); grants != "" {
			item = append(item, plain(" — "), outside(grants))
		}
		if why := Yeses(a); why != "" { // that of a no is a part of the outcome
			item = append(item, plain(" — "), outside(short(why, 200)))
		}
		l.Items = append(l.Items, item)
	}
	return l
}
