package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func (c *Commands) listVerb() verb {
	return verb{
		name: "list", aliases: []string{"ls"}, form: "list [TEXT]", reads: true,
		summary: "the playbooks that you may see", run: c.list,
	}
}

func (c *Commands) list(_ context.Context, q Request, a args) (Reply, error) {
	if err := a.only(1, c.listVerb()); err != nil {
		return Reply{}, err
	}
	wanted := strings.ToLower(a.rest(0))
	items := List{}
	for _, b := range c.visible(q.Actor) {
		if !strings.Contains(strings.ToLower(b.Name+" "+b.Description+" "+strings.Join(b.Tags, " ")), wanted) {
			continue
		}
		item := []Span{bold(b.Name), plain(" %s — ", b.Version), outside(short(b.Description, 120))}
		if !c.engine.May(q.Actor, policy.Run, b.Name).Allowed {
			item = append(item, plain(" (you may look, not run)"))
		}
		items.Items = append(items.Items, item)
	}
	r := Reply{}
	switch {
	case len(items.Items) > 0:
		r.Title = plural(len(items.Items), "playbook")
		r.Blocks = append(r.Blocks, items, Context{Spans: []Span{code("/playbook describe NAME"), plain(" shows its inputs and its steps.")}})
	case wanted != "":
		r.Blocks = append(r.Blocks, paragraph(plain("No playbook that you may see matches "), outside(short(wanted, 60)), plain("; "), code("/playbook list"), plain(" shows all.")))
	default:
		r.Blocks = append(r.Blocks, paragraph(plain("There is no playbook that you may see. "), code("/playbook whoami"), plain(" shows your roles.")))
	}
	if broken := c.brokenFor(q); len(broken.Items) > 0 {
		r.Blocks = append(r.Blocks, paragraph(sentence(doFiles(len(broken.Items))+" not load; `playbot check` shows every problem:")...), broken)
	}
	return r, nil
}

func doFiles(n int) string {
	if n == 1 {
		return "1 file does"
	}
	return fmt.Sprintf("%d files do", n)
}

// brokenFor lists the files that do not load, to people who may see playbooks of their names.
func (c *Commands) brokenFor(q Request) List {
	var out List
	for _, b := range c.books.Broken() {
		name := b.Name
		if name == "" {
			name = strings.TrimSuffix(strings.TrimSuffix(b.File, ".yaml"), ".yml")
		}
		if !c.mayView(q.Actor, name) {
			continue
		}
		item := []Span{outside(firstLine(b.Problems))}
		if b.Name != "" {
			item = append(item, plain(" (the last good version of %s still runs)", b.Name))
		}
		out.Items = append(out.Items, item)
	}
	return out
}

func firstLine(err error) string {
	if p, ok := err.(*playbooks.Problems); ok { //nolint:errorlint // the list itself, not something that wraps it
		return short(p.Short(1), 300)
	}
	return short(err.Error(), 300)
}
