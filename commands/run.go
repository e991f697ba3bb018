package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func (c *Commands) runVerb() verb {
	return verb{
		name: "run", aliases: []string{"start"}, form: "run PLAYBOOK [INPUT=VALUE …] [--broadcast]",
		summary: "start a playbook", run: c.start,
		flags: []flag{{name: "broadcast", about: "tell the channel of the end, also when it goes well; a failure is always told"}},
	}
}

// start checks everything that can be checked before it asks the engine.
func (c *Commands) start(ctx context.Context, q Request, a args) (Reply, error) {
	if len(a.words) == 0 {
		return Reply{}, engine.Errorf(engine.CodeInvalid, "say which playbook: run PLAYBOOK [INPUT=VALUE …]; `list` shows what there is")
	}
	name, err := a.name()
	if err != nil {
		return Reply{}, err
	}
	book, err := c.book(q.Actor, name)
	if err != nil {
		return Reply{}, err
	}
	if err := typedSecret(q.Origin, book, a); err != nil {
		return Reply{}, err
	}
	if len(a.words) > 1 {
		return Reply{}, wrong(a.words[1].col, "%q is not an input; write INPUT=VALUE, with values that have spaces in double quotes", short(a.words[1].value.text, 60))
	}
	if d := c.engine.May(q.Actor, policy.Run, book.Name); d.Allowed {
		given, err := a.inputs(book)
		if err != nil {
			return Reply{}, err
		}
		if err := addSecrets(given, q, book); err != nil {
			return Reply{}, err
		}
		bound, err := book.Bind(given, true)
		if problems, ok := errors.AsType[*playbooks.Problems](err); ok {
			return badInputs(book, problems), nil
		}
		if err != nil {
			return Reply{}, err
		}
		_, broadcast := a.flag("broadcast")
		return c.started(ctx, q, engine.StartRequest{Playbook: book.Name, Inputs: bound, Broadcast: broadcast}, book)
	}
	_, err = c.engine.Start(ctx, engine.StartRequest{Key: q.Key, Actor: q.Actor, Origin: q.Origin, Playbook: book.Name})
	return Reply{}, err // the engine refuses and writes the refusal down
}

func (c *Commands) started(ctx context.Context, q Request, s engine.StartRequest, book *playbooks.Playbook) (Reply, error) {
	s.Key, s.Actor, s.Origin = q.Key, q.Actor, q.Origin
	id, err := c.engine.Start(ctx, s)
	if dup, ok := errors.AsType[*engine.DuplicateError](err); ok {
		return Reply{Private: true, Run: dup.Run, Blocks: []Block{
			paragraph(plain("This was asked before, and nothing was started a second time. It is run "), runRef(dup.Run), plain("; "), code("/playbook status "+dup.Run.Short()), plain(" shows how it stands.")),
		}}, nil
	}
	if err != nil {
		return Reply{}, err
	}
	blocks := []Block{paragraph(plain("Started "), bold(book.Name), plain(" %s: %s. It is run ", book.Version, c.tasksOf(book)), runRef(id), plain("."))}
	if given := inputSpans(withoutSecrets(book, s.Inputs)); len(given) > 0 {
		blocks = append(blocks, Context{Spans: given})
	}
	if b, old := c.outdated(book.Name); old {
		blocks = append(blocks, paragraph(plain("%s does not load any more, so this is its last good version; ", b.File), code("/playbook describe "+book.Name), plain(" shows what is wrong with it.")))
	}
	blocks = append(blocks, Context{Spans: []Span{code("/playbook status " + id.Short()), plain(" shows how it stands.")}})
	return Reply{Private: true, Run: id, Blocks: blocks}, nil
}

// tasksOf counts what a run will do, and where it will stop and ask.
func (c *Commands) tasksOf(book *playbooks.Playbook) string {
	gates, least := 0, ""
	for i := range book.Tasks {
		if asks(c.engine.Policy(), &book.Tasks[i]) {
			gates++
		}
		if book.Tasks[i].Approval.EachWave { // how many waves there are is not known yet
			least = "at least "
		}
	}
	text := plural(len(book.Tasks), "task")
	if gates > 0 {
		text += ", " + least + plural(gates, "approval") + " to come"
	}
	return text
}

// outdated returns the file of a playbook that does not load any more, so that its last good version is used.
func (c *Commands) outdated(name string) (playbooks.BrokenFile, bool) {
	for _, b := range c.books.Broken() {
		if b.Name == name {
			return b, true
		}
	}
	return playbooks.BrokenFile{}, false
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// badInputs lists every problem at once, and how the playbook is run.
func badInputs(book *playbooks.Playbook, p *playbooks.Problems) Reply {
	list := List{}
	for _, one := range p.All() {
		list.Items = append(list.Items, sentence(one.Error()))
	}
	return Reply{Private: true, Code: engine.CodeInvalid, Blocks: []Block{
		paragraph(plain("Nothing was started. "), bold(book.Name), plain(" cannot run with these inputs, %s:", plural(len(p.All()), "problem"))),
		list,
		paragraph(plain("It is run like this: "), code(usage(book))),
	}}
}

// usage is the line that runs a playbook.
func usage(book *playbooks.Playbook) string {
	var b strings.Builder
	b.WriteString("/playbook run " + book.Name)
	for _, in := range book.Inputs {
		if in.Dynamic || in.Data != "" || in.Secret() { // a secret is never typed into a line
			continue
		}
		hint := in.Name + "=" + placeholder(in)
		if !in.Required || in.HasDefault {
			hint = "[" + hint + "]"
		}
		b.WriteString(" " + hint)
	}
	return b.String()
}

func placeholder(in playbooks.Input) string {
	var choices []string
	for _, c := range in.Validation.Choices() {
		choices = append(choices, fmt.Sprint(c))
	}
	if len(choices) > 0 {
		return strings.Join(choices, "|")
	}
	if text := typed(in.Default); in.HasDefault && text != "[]" {
		return text
	}
	return strings.ToUpper(in.Name)
}
