package commands

import (
	"context"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func (c *Commands) describeVerb() verb {
	return verb{
		name: "describe", aliases: []string{"info"}, form: "describe PLAYBOOK", reads: true,
		summary: "what a playbook needs and does", run: c.describe,
	}
}

func (c *Commands) describe(_ context.Context, q Request, a args) (Reply, error) {
	v := c.describeVerb()
	if err := a.only(1, v); err != nil {
		return Reply{}, err
	}
	if len(a.words) == 0 {
		return Reply{}, engine.Errorf(engine.CodeInvalid, "say which playbook: %s; `list` shows what there is", v.form)
	}
	name, err := a.name()
	if err != nil {
		return Reply{}, err
	}
	book, err := c.book(q.Actor, name)
	if err != nil {
		return Reply{}, err
	}
	return c.description(q.Actor, book), nil
}

func (c *Commands) description(who engine.Actor, book *playbooks.Playbook) Reply {
	r := Description(book, c.engine.Policy())
	foot := r.Blocks[len(r.Blocks)-1]
	r.Blocks = r.Blocks[:len(r.Blocks)-1]
	if b, old := c.outdated(book.Name); old {
		r.Blocks = append(r.Blocks, paragraph(plain("This is the last good version. "), outside(b.File), plain(" does not load any more:")))
		r.Blocks = append(r.Blocks, problemBlocks(b.Problems)...)
	}
	run := []Span{code(usage(book))}
	if d := c.engine.May(who, policy.Run, book.Name); !d.Allowed {
		run = []Span{plain("You may not run it: "), outside(d.Rule), plain(".")}
	}
	r.Blocks = append(r.Blocks, Text{Spans: run}, foot)
	return r
}

// Description is what a person needs to know before running a playbook: what it asks for, which nodes it
// works on, what it does in which order, and where it stops and asks under the rules of a policy. Its
// last block names the file.
func Description(book *playbooks.Playbook, rules *policy.Policy) Reply {
	o := outline{book: book, rules: rules}
	blocks := []Block{paragraph(outside(book.Description))}
	for _, part := range []struct {
		title string
		Fields
	}{{"Inputs", inputFields(book)}, {"Nodes", nodeFields(book)}} {
		if len(part.Items) > 0 {
			blocks = append(blocks, paragraph(bold(part.title)), part.Fields)
		}
	}
	tasks := List{Ordered: true}
	for i := range book.Tasks {
		tasks.Items = append(tasks.Items, o.task(&book.Tasks[i]))
	}
	if len(tasks.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Tasks")), tasks)
	}
	if hooks := o.hooks(); len(hooks.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Around them")), hooks)
	}
	blocks = append(append(blocks, limits(book)...), o.leases()...)
	if len(book.Warnings) > 0 {
		list := List{}
		for i := range book.Warnings {
			list.Items = append(list.Items, []Span{outside(book.Warnings[i].Error())})
		}
		blocks = append(blocks, paragraph(bold("Warnings")), list)
	}
	return Reply{
		Title:  strings.TrimSpace(book.Name + " " + book.Version),
		Blocks: append(blocks, Context{Spans: []Span{plain("%s, content %.12s", book.File, book.Digest)}}),
	}
}

// limits are what holds for the run as a whole.
func limits(book *playbooks.Playbook) []Block {
	var out []Block
	say := func(label, text string) {
		if text != "" {
			out = append(out, paragraph(bold(label), plain(": "), outside(text)))
		}
	}
	agents := make([]string, len(book.Uses))
	for i, u := range book.Uses {
		agents[i] = u.Agent + " " + u.Range.Source()
	}
	say("Agents", strings.Join(agents, ", "))
	say("Locks", sources(book.Locks))
	say("Timeout", duration(book.Timeout))
	return out
}

// Usage is the line that runs a playbook, without what stands in front of every line.
func Usage(book *playbooks.Playbook) string { return strings.TrimPrefix(usage(book), "/playbook ") }
