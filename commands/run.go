package commands

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// start starts what a line says.
func (c *Commands) start(ctx context.Context, q Request, a args) (Reply, error) {
	if len(a.words) == 0 {
		return c.RunForm(q.Actor), nil
	}
	book, given, err := c.asked(q, a)
	if err != nil {
		return Reply{}, err
	}
	how := orderOf(a)
	r, err := c.launch(ctx, q, how, book, given)
	if r.Form != nil {
		how.carry(r.Form)
		if line := again("run", c.unsecret(q.Actor, slices.Concat(a.words[:1], a.sets, a.flagged()))); len(line) <= maxButtonValue {
			r.Form.Again.Value = line
		}
	}
	return r, err
}

// pressForm opens the form of a line that could not be opened when it was said. It starts nothing.
func (c *Commands) pressForm(ctx context.Context, p Press) (Reply, error) {
	q := Request{Key: p.Key, Actor: p.Actor, Origin: engine.OriginButton}
	words, err := parse(p.Value, q.Origin)
	if err != nil || len(words) == 0 || words[0].value.text != "run" {
		return Reply{}, stale()
	}
	a, err := readArgs(words[1:], c.runVerb())
	if err != nil {
		return Reply{}, err
	}
	if len(a.words) == 0 {
		return c.RunForm(q.Actor), nil
	}
	book, given, err := c.asked(q, a)
	if err != nil {
		return Reply{}, err
	}
	if !c.engine.May(q.Actor, policy.Run, book.Name).Allowed {
		return c.launch(ctx, q, order{}, book, nil)
	}
	_, err = book.Bind(given, true)
	problems, _ := errors.AsType[*playbooks.Problems](err)
	f := c.runForm(ctx, q.Actor, book, given, problems, beginAnew)
	f.Again.Value = p.Value
	orderOf(a).carry(f)
	return asking(Reply{Private: true, Code: engine.CodeInvalid, Blocks: []Block{
		paragraph(plain("%s asks for inputs. It is run like this: ", book.Name), code(usage(book))),
	}}, f), nil
}

// asked reads which playbook a line is about, and what it gives.
func (c *Commands) asked(q Request, a args) (*playbooks.Playbook, map[string]any, error) {
	name, err := a.name()
	if err != nil {
		return nil, nil, err
	}
	book, err := c.book(q.Actor, name)
	if err != nil {
		return nil, nil, err
	}
	if err := typedSecret(q.Origin, book, a); err != nil {
		return nil, nil, err
	}
	if len(a.words) > 1 {
		return nil, nil, wrong(a.words[1].col, "%q is not an input; write INPUT=VALUE, with values that have spaces in double quotes", short(a.words[1].value.text, 60))
	}
	if !c.engine.May(q.Actor, policy.Run, book.Name).Allowed {
		return book, nil, nil // the engine refuses, whatever was given
	}
	given, err := a.inputs(book)
	return book, given, err
}

// launch checks everything that can be checked before it asks the engine: the one way to a run, for lines
// and forms. What is wrong or missing is asked for in a form.
func (c *Commands) launch(ctx context.Context, q Request, how order, book *playbooks.Playbook, given map[string]any) (Reply, error) {
	if !c.engine.May(q.Actor, policy.Run, book.Name).Allowed {
		_, err := c.engine.Start(ctx, engine.StartRequest{Key: q.Key, Actor: q.Actor, Origin: q.Origin, Playbook: book.Name})
		return Reply{}, err // the engine refuses and writes the refusal down
	}
	with := maps.Clone(given)
	if with == nil {
		with = map[string]any{}
	}
	if err := addSecrets(with, q, book); err != nil {
		return Reply{}, err
	}
	bound, err := book.Bind(with, true)
	if problems, ok := errors.AsType[*playbooks.Problems](err); ok {
		return c.askInputs(ctx, q, book, with, problems), nil
	}
	if err != nil {
		return Reply{}, err
	}
	r, err := c.started(ctx, q, engine.StartRequest{Playbook: book.Name, Inputs: bound, Broadcast: how.broadcast}, book)
	if q.Origin != engine.OriginForm || err == nil {
		return r, err
	}
	return c.orAskAgain(ctx, q.Key, r, err, c.runForm(ctx, q.Actor, book, showable(q, with), nil, beginAgain))
}

// askInputs says what is wrong with inputs, and asks for them where that is possible.
func (c *Commands) askInputs(ctx context.Context, q Request, book *playbooks.Playbook, given map[string]any, problems *playbooks.Problems) Reply {
	switch {
	case q.Origin == engine.OriginTerminal:
		return badInputs(book, problems)
	case q.Origin != engine.OriginForm:
		return asking(badInputs(book, problems), c.runForm(ctx, q.Actor, book, given, problems, beginAnew))
	}
	if len(q.Secrets) > 0 {
		quiet(book, problems)
	}
	f := c.runForm(ctx, q.Actor, book, showable(q, given), nil, beginAgain)
	f.complain(given, problems)
	f.demand(problems)
	return asking(badInputs(book, problems), f)
}

// showable is what may be shown again of what was given in a form: nothing when secrets were given too, of
// which any other field may hold one. Slack keeps what stands in the fields of a form that is drawn again.
func showable(q Request, given map[string]any) map[string]any {
	if len(q.Secrets) > 0 {
		return nil
	}
	return given
}

// quiet takes what was given out of problems, for the same reason: what would be right remains.
func quiet(book *playbooks.Playbook, problems *playbooks.Problems) {
	for _, p := range problems.All() {
		if in, ok := book.Input(p.Input); !ok || !in.Secret() {
			p.Message = fmt.Sprintf("input %q: it is not what it should be", p.Input)
		}
	}
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
