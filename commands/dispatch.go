package commands

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// verb is something that people can say.
type verb struct {
	name    string
	aliases []string
	form    string // how it is written
	summary string // one line for help
	flags   []flag
	reads   bool // it changes nothing: it may be abbreviated, and its answer is for the asker alone
	run     func(ctx context.Context, q Request, a args) (Reply, error)
}

// flag is what may follow as --name.
type flag struct {
	name  string
	value string // what it takes, for help; empty: nothing
	about string
}

// verbs lists everything that can be said, in the order of help.
func (c *Commands) verbs() []verb {
	list := []verb{
		c.runVerb(), c.listVerb(), c.describeVerb(), c.statusVerb(), c.showVerb(), c.historyVerb(),
		c.pauseVerb(), c.resumeVerb(), c.nextVerb(), c.slowVerb(), c.stopVerb(), c.cancelVerb(),
		c.approveVerb(), c.denyVerb(), c.withdrawVerb(), c.approvalsVerb(), c.canVerb(), c.whyVerb(), c.whoamiVerb(), c.helpVerb(),
	}
	for i := range list {
		if list[i].reads {
			list[i].flags = append(list[i].flags, flag{name: "here", about: "answer in the channel"})
		}
	}
	return list
}

func (v verb) flag(name string) (flag, bool) {
	i := slices.IndexFunc(v.flags, func(f flag) bool { return f.name == name })
	if i < 0 {
		return flag{}, false
	}
	return v.flags[i], true
}

// Say answers a line. It never fails: what went wrong is in the reply.
func (c *Commands) Say(ctx context.Context, q Request) Reply {
	r, err := c.say(ctx, q)
	if err != nil {
		return c.refuse(ctx, q.Key, err)
	}
	return r
}

func (c *Commands) say(ctx context.Context, q Request) (Reply, error) {
	words, err := parse(q.Text, q.Origin)
	if err != nil {
		return Reply{}, err
	}
	if len(words) > 0 && words[0].addresses() {
		words = words[1:]
	}
	if err := c.admit(ctx, q.Actor, verbOf(words)); err != nil {
		return Reply{}, err
	}
	if len(words) == 0 {
		return c.welcome(ctx, q)
	}
	if words[0].kind != bareWord {
		return Reply{}, wrong(words[0].col, "a line begins with a verb, such as run or history; `help` lists them")
	}
	name, err := words[0].called()
	if err != nil {
		return Reply{}, err
	}
	v, ok := c.find(strings.ToLower(name))
	if !ok {
		return c.unknown(q, words)
	}
	a, err := readArgs(words[1:], v)
	if err != nil {
		return Reply{}, err
	}
	r, err := v.run(ctx, q, a)
	if _, here := a.flag("here"); v.reads && !here {
		r.Private = true
	}
	return r, err
}

// find resolves a verb by its name, an alias, or a beginning that only one verb has and that only reads.
func (c *Commands) find(name string) (verb, bool) {
	var begins []verb
	for _, v := range c.verbs() {
		if v.name == name || slices.Contains(v.aliases, name) {
			return v, true
		}
		if strings.HasPrefix(v.name, name) {
			begins = append(begins, v)
		}
	}
	if len(begins) == 1 && begins[0].reads {
		return begins[0], true
	}
	return verb{}, false
}

// unknown answers a line whose first word is no verb: a playbook's name describes it; anything
// else is never carried out.
func (c *Commands) unknown(q Request, words []word) (Reply, error) {
	typed := words[0].value.text
	book, err := c.book(q.Actor, typed)
	if _, broken := errors.AsType[*brokenError](err); broken {
		return Reply{}, err
	}
	if err == nil {
		if len(words) > 1 {
			return c.suggestion(again("run", c.unsecret(q.Actor, words)), "%q is a playbook; to run it, say so:", typed), nil
		}
		r := c.description(q.Actor, book)
		r.Private = true
		return r, nil
	}
	var known []string
	for _, v := range c.usable(q.Actor) {
		if len(v.name) > 3 || len(typed) <= len(v.name)+1 { // else a short word is near to everything
			known = append(append(known, v.name), v.aliases...)
		}
	}
	if near := nearestWord(typed, known); near != "" {
		return c.suggestion(again(near, c.unsecret(q.Actor, words[1:])), "I do not know %q. Nothing was done. Did you mean:", typed), nil
	}
	var names []string
	for _, b := range c.visible(q.Actor) {
		names = append(names, b.Name)
	}
	if near := playbooks.Nearest(typed, names); near != "" {
		return c.suggestion("describe "+near, "I do not know %q. Nothing was done. Did you mean:", typed), nil
	}
	return Reply{}, engine.Errorf(engine.CodeInvalid, "I do not know %q, and nothing was done; `help` lists what can be said", short(typed, 60))
}

func again(verb string, words []word) string {
	parts := []string{verb}
	for _, w := range words {
		parts = append(parts, w.quoted())
	}
	return strings.Join(parts, " ")
}

// suggestion shows a line to copy. It never runs it.
func (c *Commands) suggestion(line, format string, args ...any) Reply {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = Clean(short(s, 60))
		}
	}
	full := "/playbook " + line
	blocks := []Block{say(format, args...), paragraph(code(full))}
	if len(full) <= maxButtonValue {
		blocks = append(blocks, Buttons{Items: []Button{suggestButton(full)}})
	}
	return Reply{Private: true, Code: engine.CodeInvalid, Blocks: blocks}
}

// book finds a playbook that somebody may view. What they may not view does not exist for them.
func (c *Commands) book(who engine.Actor, name string) (*playbooks.Playbook, error) {
	visible := c.visible(who)
	for _, b := range visible {
		if b.Name == name {
			return b, nil
		}
	}
	if c.mayView(who, name) {
		if _, err := c.books.Get(name); err != nil && !playbooks.IsNotFound(err) {
			return nil, &brokenError{name: Clean(short(name, 60)), err: err}
		}
	}
	names := make([]string, len(visible))
	for i, b := range visible {
		names[i] = b.Name
	}
	return nil, &playbooks.NotFoundError{Name: Clean(short(name, 60)), Nearest: playbooks.Nearest(name, names)}
}

func (c *Commands) visible(who engine.Actor) []*playbooks.Playbook {
	return slices.DeleteFunc(c.books.List(), func(b *playbooks.Playbook) bool { return !c.mayView(who, b.Name) })
}
