package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func (c *Commands) canVerb() verb {
	return verb{
		name: "can", form: "can VERB PLAYBOOK [INPUT=VALUE …] [@WHO]", reads: true,
		summary: "whether you, or somebody, may do something, and by which rule", run: c.can,
	}
}

func (c *Commands) can(ctx context.Context, q Request, a args) (Reply, error) {
	v := c.canVerb()
	if len(a.words) < 2 {
		return Reply{}, engine.Errorf(engine.CodeInvalid, "say what, and with which playbook, as in `can run web_upgrade`: %s", v.form)
	}
	if len(a.words) > 3 {
		return Reply{}, wrong(a.words[3].col, "%q is one word too many; it is written: %s", short(a.words[3].value.text, 60), v.form)
	}
	may, err := c.policyVerb(a.words[0])
	if err != nil {
		return Reply{}, err
	}
	name, err := a.words[1].called()
	if err != nil {
		return Reply{}, err
	}
	book, err := c.book(q.Actor, name)
	if err != nil {
		return Reply{}, err
	}
	ask, err := c.questionOf(q, a, may, book)
	if err != nil {
		return Reply{}, err
	}
	who := q.Actor
	if len(a.words) == 3 {
		who = somebody(q.Actor, a.words[2])
	}
	return c.verdict(ctx, q.Actor, who, ask), nil
}

// somebody is another person, asked about as if they stood where the asker does.
func somebody(asker engine.Actor, w word) engine.Actor {
	id := w.person(asker)
	if id == asker.User {
		return asker
	}
	return engine.Actor{Team: asker.Team, User: id, Channel: asker.Channel}
}

// policyVerb is the verb of the policy that a word means, itself or by a command that takes it.
func (c *Commands) policyVerb(w word) (policy.Verb, error) {
	name, err := w.called()
	if err != nil {
		return "", err
	}
	name = strings.ToLower(name)
	if slices.Contains(policy.Verbs(), policy.Verb(name)) {
		return policy.Verb(name), nil
	}
	if v, ok := c.find(name); ok && len(needs(v.name)) > 0 {
		return needs(v.name)[0], nil
	}
	known := make([]string, 0, len(policy.Verbs()))
	for _, v := range policy.Verbs() {
		known = append(known, string(v))
	}
	hint := "it is one of " + strings.Join(known, ", ")
	if near := playbooks.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return "", wrong(w.col, "%q is nothing that a role can allow; %s", Clean(short(name, 60)), hint)
}

// questionOf is what is asked, with the inputs that were named and the defaults of others.
func (c *Commands) questionOf(q Request, a args, may policy.Verb, book *playbooks.Playbook) (policy.Question, error) {
	if len(a.sets) == 0 {
		return policy.Question{Verb: may, Playbook: book.Name, Active: engine.Counted}, nil
	}
	if err := typedSecret(q.Origin, book, a); err != nil {
		return policy.Question{}, err
	}
	given, err := a.inputs(book)
	if err != nil {
		return policy.Question{}, err
	}
	bound, err := book.Bind(given, true)
	some := err != nil
	if some { // what is missing is left open; what is wrong stays wrong
		loose := *book
		loose.Inputs = slices.Clone(book.Inputs)
		for i := range loose.Inputs {
			loose.Inputs[i].Required = false
		}
		if bound, err = loose.Bind(given, true); err != nil {
			return policy.Question{}, engine.Errorf(engine.CodeInvalid, "%s", strings.ReplaceAll(err.Error(), "\n", ". "))
		}
	}
	return engine.Starting(may, book, bound, some), nil
}

// verdict says yes or no, and by which rule.
func (c *Commands) verdict(ctx context.Context, asker, who engine.Actor, ask policy.Question) Reply {
	them := "You"
	if !who.Is(asker) {
		them = "They"
	}
	d := c.engine.Ask(who, ask)
	if err := c.engine.Known(ctx, who); err != nil {
		d = policy.Decision{Rule: strings.TrimPrefix(err.Error(), "refused: ")}
	}
	head := []Span{bold("No.")}
	if d.Allowed {
		head = []Span{bold("Yes.")}
	}
	head = append(head, plain(" "))
	if them == "They" {
		head = append(head, mention(who), plain(" would hear: "))
	}
	head = append(head, outside(upperFirst(d.Rule)), plain("."))
	blocks := []Block{paragraph(head...)}
	if d.Allowed && d.Bounds != "" && ask.Verb != policy.View {
		blocks = append(blocks, paragraph(outside(upperFirst(d.Bounds)+".")))
	}
	if ask.Verb == policy.Approve && d.Allowed && !c.engine.Policy().OwnApproval() {
		blocks = append(blocks, say("%s may not approve what %s asked for.", them, strings.ToLower(them)))
	}
	blocks = append(blocks, Context{Spans: []Span{code("/playbook whoami"), plain(" shows your roles.")}})
	return Reply{Blocks: blocks}
}
