package commands

import (
	"context"
	"fmt"
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
	blocks := []Block{paragraph(outside(book.Description))}
	if inputs := inputFields(book); len(inputs.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Inputs")), inputs)
	}
	if nodes := nodeFields(book); len(nodes.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Nodes")), nodes)
	}
	tasks := List{Ordered: true}
	for i := range book.Tasks {
		tasks.Items = append(tasks.Items, c.taskSpans(&book.Tasks[i]))
	}
	blocks = append(blocks, paragraph(bold("Tasks")), tasks)
	if hooks := hookFields(book); len(hooks.Items) > 0 {
		blocks = append(blocks, paragraph(bold("Around them")), hooks)
	}
	if len(book.Locks) > 0 {
		blocks = append(blocks, paragraph(bold("Locks"), plain(": "), outside(sources(book.Locks))))
	}
	if b, old := c.outdated(book.Name); old {
		blocks = append(blocks, paragraph(plain("This is the last good version. "), outside(b.File), plain(" does not load any more:")))
		blocks = append(blocks, problemBlocks(b.Problems)...)
	}
	run := []Span{code(usage(book))}
	if d := c.engine.May(who, policy.Run, book.Name); !d.Allowed {
		run = []Span{plain("You may not run it: %s.", d.Rule)}
	}
	blocks = append(blocks, Text{Spans: run}, Context{Spans: []Span{plain("%s, content %.12s", book.File, book.Digest)}})
	return Reply{Title: strings.TrimSpace(book.Name + " " + book.Version), Blocks: blocks}
}

func inputFields(book *playbooks.Playbook) Fields {
	var out Fields
	for _, in := range book.Inputs {
		about := []string{in.Type}
		switch {
		case in.Dynamic:
			about = append(about, "always read from "+in.Data)
		case in.Data != "":
			about = append(about, "read from "+in.Data+" unless given")
		case in.Required && !in.HasDefault:
			about = append(about, "required")
		}
		if d := in.Validation.Describe(); d != "" {
			about = append(about, d)
		}
		if in.HasDefault {
			about = append(about, "default "+typed(in.Default))
		}
		out.Items = append(out.Items, Field{Label: in.Name, Value: []Span{outside(in.Description + " (" + strings.Join(about, ", ") + ")")}})
	}
	return out
}

func nodeFields(book *playbooks.Playbook) Fields {
	var out Fields
	for _, n := range book.NodeSets {
		text := n.Type
		if n.AtLeast > 0 {
			text += fmt.Sprintf(", at least %d", n.AtLeast)
		}
		if n.Limit > 0 {
			text += fmt.Sprintf(", at most %d", n.Limit)
		}
		if len(n.Uses) > 0 {
			text += ", uses " + strings.Join(n.Uses, ", ")
		}
		out.Items = append(out.Items, Field{Label: n.Name, Value: []Span{outside(text)}})
	}
	return out
}

func (c *Commands) taskSpans(t *playbooks.Task) []Span {
	text := t.Description.Source()
	if text == "" {
		text = t.Type + " task"
	}
	out := []Span{outside(text), plain(" — %s", t.Type)}
	if c.asks(t) {
		out = append(out, plain(", "), bold("asks for approval first"))
	}
	if t.When != nil {
		out = append(out, plain(", under a condition"))
	}
	if t.FailOK {
		out = append(out, plain(", may fail"))
	}
	return out
}

func hookFields(book *playbooks.Playbook) Fields {
	var out Fields
	for _, name := range []string{"pre_book", "pre_task", "post_task", "on_success", "on_fail", "post_book", "always"} {
		var texts []string
		for _, t := range book.List(name) {
			if s := t.Description.Source(); s != "" {
				texts = append(texts, s)
			} else {
				texts = append(texts, t.Type+" task")
			}
		}
		if len(texts) > 0 {
			out.Items = append(out.Items, Field{Label: name, Value: []Span{outside(strings.Join(texts, "; "))}})
		}
	}
	return out
}

func sources(list []playbooks.Value) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.Source()
	}
	return strings.Join(texts, ", ")
}
