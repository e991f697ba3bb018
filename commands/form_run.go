package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// shortDigest is how much of a playbook's digest a form carries: enough to see that it is another one.
const shortDigest = 12

// beginning says with what the fields of a form begin, beside what was given.
type beginning int

const (
	beginAnew    beginning = iota // as the last run had it that somebody may view, else the defaults
	beginChanged                  // the defaults: the form was filled in for another version
	beginAgain                    // nothing: it was filled in, and what is empty was left so
)

// runForm asks for the inputs of a playbook.
func (c *Commands) runForm(ctx context.Context, who engine.Actor, book *playbooks.Playbook, given map[string]any, problems *playbooks.Problems, begin beginning) *Form {
	f := &Form{
		Kind: FormRun, State: join(book.Name, book.Digest[:min(shortDigest, len(book.Digest))]),
		Title: "Run " + book.Name, Submit: "Start", Place: true,
		Again: Button{Label: "Fill in the form", Style: StylePrimary, Action: ActionForm, Value: "run " + book.Name},
	}
	f.Above = []Block{paragraph(bold(book.Name), plain(" %s: %s. ", book.Version, c.tasksOf(book)), outside(short(book.Description, 300)))}
	var run *engine.Run
	last, used := map[string]any{}, false
	if begin == beginAnew {
		if run = c.lastRun(ctx, who, book); run != nil {
			last = lastValues(book, run)
		}
	}
	for _, in := range book.Inputs {
		if !asksFor(in) {
			continue
		}
		if in.Choices != nil {
			c.engine.Choices(book, in.Name) // so that they are known when the menu is opened
		}
		values := []any{given[in.Name], last[in.Name]}
		if begin != beginAgain {
			values = append(values, in.Default)
		}
		field := fieldOf(in, values...)
		used = used || given[in.Name] == nil && last[in.Name] != nil
		f.Fields = append(f.Fields, field)
	}
	if used {
		f.Above = append(f.Above, Context{Spans: []Span{
			plain("What you did not give is as in run "), runRef(run.ID), plain(" of "), mention(run.Requested.Actor), plain(", %s.", Ago(time.Since(run.At))),
		}})
	}
	if len(f.Fields) == 0 {
		f.Above = append(f.Above, say("It asks for nothing."))
	}
	f.complain(given, problems)
	return f
}

// complain puts problems beside their fields, those of what was not given apart: an empty field shows
// that by itself.
func (f *Form) complain(given map[string]any, problems *playbooks.Problems) {
	if problems == nil {
		return
	}
	var rest []string
	for _, p := range problems.All() {
		text := Clean(short(strings.TrimPrefix(p.Error(), fmt.Sprintf("input %q: ", p.Input)), 300))
		i := -1
		for at := range f.Fields {
			if p.Input != "" && f.Fields[at].ID == fieldID(p.Input) {
				i = at
			}
		}
		switch {
		case i < 0:
			rest = append(rest, text)
		case given[p.Input] != nil:
			f.Fields[i].Error = upperFirst(text)
		}
	}
	f.Problem = strings.Join(rest, "\n")
}

// demand is complain that also says what is missing, for a form that was sent.
func (f *Form) demand(problems *playbooks.Problems) {
	for _, p := range problems.All() {
		for i := range f.Fields {
			if f.Fields[i].ID == fieldID(p.Input) && f.Fields[i].Error == "" {
				f.Fields[i].Error = "It is missing."
			}
		}
	}
}

// lastRun is the last run of a playbook that a person asked for and somebody may view; nil when there
// is none. That it cannot be found out is no reason to show no form.
func (c *Commands) lastRun(ctx context.Context, who engine.Actor, book *playbooks.Playbook) *engine.Run {
	const few = 5
	found, err := c.findViewable(ctx, who, engine.HistoryQuery{Playbook: book.Name, Limit: few}, func(s engine.Summary) bool { return s.Parent == nil })
	if err != nil || len(found) == 0 {
		return nil
	}
	run, err := c.loadVisible(ctx, who, found[0].Run)
	if err != nil {
		return nil
	}
	return run
}

// asking adds the form that asks for what a reply says is missing.
func asking(r Reply, f *Form) Reply {
	r.Form = f
	return r
}

// submitRun starts a run with what was filled in, as `run` does.
func (c *Commands) submitRun(ctx context.Context, s Submission) (Reply, error) {
	state, how := carried(s.State)
	parts, ok := taken(state, 2)
	if !ok {
		return Reply{}, staleForm()
	}
	book, err := c.book(s.Actor, parts[0])
	if err != nil {
		return Reply{}, err
	}
	given := map[string]any{}
	secrets := map[string]string{}
	for _, in := range book.Inputs {
		if v, ok := s.Private[fieldID(in.Name)]; ok && in.Secret() {
			secrets[in.Name] = v
		} else if v, ok := s.value(in); ok && asksFor(in) && !in.Secret() {
			given[in.Name] = v
		}
	}
	if !strings.HasPrefix(book.Digest, parts[1]) && c.engine.May(s.Actor, policy.Run, book.Name).Allowed {
		f := c.runForm(ctx, s.Actor, book, showable(Request{Secrets: secrets}, given), nil, beginChanged)
		how.carry(f)
		f.Problem = book.Name + " has changed since this form was opened, and nothing was started; look at it again, then start it."
		return asking(Reply{Private: true, Code: engine.CodeConflict, Blocks: []Block{say("%s", f.Problem)}}, f), nil
	}
	q := Request{Key: s.Key, Actor: s.Actor, Origin: engine.OriginForm, Secrets: secrets}
	r, err := c.launch(ctx, q, how, book, given)
	if r.Form != nil {
		how.carry(r.Form)
	}
	return r, err
}

// chooseForm asks which playbook is to be run.
func chooseForm() *Form {
	return &Form{
		Kind: FormChoose, State: chooseState, Title: "Run a playbook", Submit: "Next",
		Place: true,
		Fields: []FormField{{
			ID: chooseField, Label: "Playbook", Kind: FieldOne, Lookup: true, Required: true,
			Hint: "Those that you may run. What it asks for comes next.",
		}},
		Again: Button{Label: "Choose a playbook", Style: StylePrimary, Action: ActionForm, Value: "run"},
	}
}

const (
	chooseState = "-"
	chooseField = "playbook"
)

// RunForm asks which playbook is to be run, for who says so without a line.
func (c *Commands) RunForm(who engine.Actor) Reply {
	if len(c.runnable(who)) == 0 {
		return Reply{Private: true, Code: engine.CodeDenied, Blocks: []Block{
			paragraph(plain("There is no playbook that you may run. "), code("/playbook whoami"), plain(" shows your roles.")),
		}}
	}
	return asking(Reply{Private: true, Code: engine.CodeInvalid, Blocks: []Block{
		paragraph(plain("Say which playbook: "), code("/playbook run PLAYBOOK [INPUT=VALUE …]"), plain("; "), code("/playbook list"), plain(" shows what there is.")),
	}}, chooseForm())
}

// runnable are the playbooks that somebody may run, by name.
func (c *Commands) runnable(who engine.Actor) []*playbooks.Playbook {
	var out []*playbooks.Playbook
	for _, b := range c.visible(who) {
		if c.engine.May(who, policy.Run, b.Name).Allowed {
			out = append(out, b)
		}
	}
	return out
}

// submitChoice shows the form of the playbook that was chosen.
func (c *Commands) submitChoice(ctx context.Context, s Submission) (Reply, error) {
	name := s.first(chooseField)
	if name == "" || name == nothingFound {
		f := chooseForm()
		f.Fields[0].Error = "Choose one."
		return asking(Reply{Private: true, Code: engine.CodeInvalid, Blocks: []Block{say("Nothing was chosen; choose a playbook.")}}, f), nil
	}
	book, err := c.book(s.Actor, name)
	if err != nil {
		return Reply{}, err
	}
	if d := c.engine.May(s.Actor, policy.Run, book.Name); !d.Allowed {
		_, err = c.engine.Start(ctx, engine.StartRequest{Key: s.Key, Actor: s.Actor, Origin: engine.OriginForm, Playbook: book.Name})
		return Reply{}, err // the engine refuses and writes the refusal down
	}
	return asking(Reply{Private: true, Blocks: []Block{say("Fill in what %s asks for.", book.Name)}}, c.runForm(ctx, s.Actor, book, nil, nil, beginAnew)), nil
}
