package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) helpVerb() verb {
	return verb{name: "help", form: "help [VERB]", reads: true, summary: "this list, or one verb in full", run: c.help}
}

func (c *Commands) help(_ context.Context, q Request, a args) (Reply, error) {
	if err := a.only(1, c.helpVerb()); err != nil {
		return Reply{}, err
	}
	if len(a.words) == 0 {
		return Reply{Title: "What can be said", Blocks: []Block{c.verbFields(q.Actor), Context{Spans: []Span{
			code("/playbook help VERB"), plain(" explains one of them. Read-only verbs may be shortened."),
		}}}}, nil
	}
	name, err := a.name()
	if err != nil {
		return Reply{}, err
	}
	v, ok := c.find(strings.ToLower(name))
	if !ok {
		if book, err := c.book(q.Actor, name); err == nil {
			return c.description(q.Actor, book), nil
		}
		return Reply{}, engine.Errorf(engine.CodeNotFound, "%q is neither a verb nor a playbook; `help` and `list` show what there is", Clean(short(name, 60)))
	}
	r := verbHelp(v)
	if !slices.ContainsFunc(c.usable(q.Actor), func(u verb) bool { return u.name == v.name }) {
		r.Blocks = append(r.Blocks, Context{Spans: []Span{plain("None of your roles lets you do this; "), code("/playbook whoami"), plain(" shows them.")}})
	}
	return r, nil
}

func verbHelp(v verb) Reply {
	blocks := []Block{paragraph(sentence(upperFirst(v.summary) + ".")...), paragraph(code("/playbook " + v.form))}
	if len(v.aliases) > 0 {
		blocks = append(blocks, say("Also: %s.", strings.Join(v.aliases, ", ")))
	}
	var f Fields
	for _, one := range v.flags {
		f.Items = append(f.Items, Field{Label: strings.TrimSpace("--" + one.name + " " + one.value), Value: []Span{plain("%s", one.about)}})
	}
	if len(f.Items) > 0 {
		blocks = append(blocks, f)
	}
	return Reply{Title: v.name, Blocks: blocks}
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// verbFields lists what somebody has a use for.
func (c *Commands) verbFields(who engine.Actor) Fields {
	var f Fields
	for _, v := range c.usable(who) {
		f.Items = append(f.Items, Field{Label: v.form, Value: sentence(v.summary)})
	}
	return f
}

func latest(n int) string {
	if n == 1 {
		return "The latest run"
	}
	return fmt.Sprintf("The latest %d runs", n)
}

// welcome answers a line with nothing in it: what is under way, what was, and how to go on.
func (c *Commands) welcome(ctx context.Context, q Request) (Reply, error) {
	runs, err := c.findViewable(ctx, q.Actor, engine.HistoryQuery{Limit: 3}, anybody)
	if err != nil {
		return Reply{}, err
	}
	blocks := []Block{paragraph(plain("I run playbooks. "), code("/playbook list"), plain(" shows them, "), code("/playbook help"), plain(" what can be said."))}
	if len(runs) > 0 {
		list := List{}
		for _, s := range runs {
			list.Items = append(list.Items, summarySpans(s, time.Now()))
		}
		blocks = append(blocks, paragraph(bold(latest(len(runs)))), list)
	}
	return Reply{Private: true, Blocks: blocks}, nil
}
