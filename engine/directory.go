package engine

import (
	"context"
	"maps"
	"strings"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// Directory knows the people, user groups and channels of the place that requests come from. Whoever comes
// from elsewhere, such as a terminal, is none of its business.
type Directory interface {
	// Admit is an error when the word of somebody counts for nothing: a guest, a bot, somebody who has left or
	// belongs to another company, and everybody whom nobody can look up. What it knows is a minute old at most.
	Admit(ctx context.Context, a Actor) error
	// Standing is what is known of somebody without asking anybody.
	Standing(a Actor) Standing
	// Members are the people in a user group now, by their ids.
	Members(ctx context.Context, group string) ([]string, error)
}

// Standing is in which user groups somebody is, and what is known of the channel that they stand in.
type Standing struct {
	In, Unsure  []string // of the groups that the policy names
	Shared      bool     // the channel is shared with another company
	SharedDoubt bool     // nobody can say whether it is
}

// Admit says whether the word of somebody counts at all. A refusal is written down with what they wanted.
func (e *Engine) Admit(ctx context.Context, who Actor, verb string) error {
	err := e.Known(ctx, who)
	if err != nil && CodeOf(err) == CodeDenied {
		e.refuse(context.WithoutCancel(ctx), Refused{Actor: who, Verb: verb, Rule: err.Error()})
	}
	return err
}

// Ask fills in who asks, and from where, and lets the policy answer.
func (e *Engine) Ask(who Actor, q policy.Question) policy.Decision {
	q = e.asked(who, q)
	if q.Active == Counted {
		q.Active = e.active.count(q.Who)
	}
	return e.opts.Policy.Ask(q)
}

// Counted in a question asks about one more run beside those that are under way.
const Counted = -1

// Standing are the names of the roles that somebody has, and whether any of them counts where they stand.
func (e *Engine) Standing(who Actor) (roles []string, here policy.Decision) {
	q := e.asked(who, policy.Question{})
	return e.opts.Policy.RolesOf(q), e.opts.Policy.Present(q)
}

// Known is Admit for somebody who asks for nothing: no refusal is written down.
func (e *Engine) Known(ctx context.Context, who Actor) error {
	if e.opts.Directory == nil {
		return nil
	}
	return e.opts.Directory.Admit(ctx, who)
}

// asked is a question with what is known of who asks it.
func (e *Engine) asked(who Actor, q policy.Question) policy.Question {
	q.Who, q.Place = subject(who), policy.Place{Channel: placeOf(who)}
	if e.opts.Directory != nil {
		s := e.opts.Directory.Standing(who)
		q.In, q.Unsure, q.Place.Shared, q.Place.Unsure = s.In, s.Unsure, s.Shared, s.SharedDoubt
	}
	return q
}

// placeOf is where somebody stands, as the policy names it.
func placeOf(a Actor) string {
	switch {
	case a.Team == "":
		return policy.Terminal
	case a.Channel == "" || strings.HasPrefix(a.Channel, "D"):
		return policy.Direct
	}
	return a.Channel
}

// About is a question about a run that there is.
func About(verb policy.Verb, r *Run) policy.Question {
	return policy.Question{Verb: verb, Playbook: r.Requested.Playbook.Name, Inputs: plainInputs(r.Requested.Inputs, r.Requested.Secrets)}
}

// plainInputs are inputs without secrets, of which no rule is to tell anything. They are never nil.
func plainInputs(inputs map[string]any, secrets map[string]string) map[string]any {
	out := maps.Clone(inputs)
	if out == nil {
		out = map[string]any{}
	}
	for name := range secrets {
		delete(out, name)
	}
	return out
}

// Starting is a question about a run that there is not yet. With some, inputs are not all that it will have.
func Starting(verb policy.Verb, book *playbooks.Playbook, inputs map[string]any, some bool) policy.Question {
	q := policy.Question{Verb: verb, Playbook: book.Name, Inputs: plainInputs(inputs, nil), Partial: some, Active: Counted}
	for _, in := range book.Inputs {
		if in.Secret() {
			delete(q.Inputs, in.Name)
		}
	}
	return q
}

// mayRun asks about a run again when more is known: who is in which group now, and how many nodes there are.
func (p *performer) mayRun(ctx context.Context, nodes int) error {
	of := p.run
	if parent := p.run.Requested.Parent; parent != nil { // it belongs to what its ancestor was allowed
		top := parent.Run
		if len(parent.Above) > 0 {
			top = parent.Above[0]
		}
		var err error
		if of, err = p.engine.Load(ctx, top); err != nil {
			return err
		}
	}
	q := p.engine.asked(of.Requested.Actor, About(policy.Run, of))
	q.Active, q.Nodes = 0, nodes // it is one of those that are under way
	if d := p.engine.opts.Policy.Ask(q); !d.Allowed {
		return Errorf(CodeDenied, "refused: %s", d.Rule)
	}
	return nil
}

// withinNodes asks the policy again about a task whose nodes are in no node set, so that the preparation could
// not count them.
func (p *performer) withinNodes(ctx context.Context, nodes []string) error {
	if !p.engine.opts.Policy.BoundsNodes() || p.run.Prepared == nil {
		return nil
	}
	all := maps.Clone(p.run.Prepared.Nodes)
	before := countNodes(all)
	if all == nil {
		all = map[string][]string{}
	}
	all[""] = nodes
	if countNodes(all) == before {
		return nil
	}
	for _, path := range p.run.Order {
		for i := range p.run.Steps[path].Attempts {
			all["/"+string(path)] = append(all["/"+string(path)], p.run.Steps[path].Attempts[i].Nodes...)
		}
	}
	return p.mayRun(ctx, countNodes(all))
}

// countNodes is how many different nodes some sets have.
func countNodes(sets map[string][]string) int {
	seen := map[string]bool{}
	for _, nodes := range sets {
		for _, n := range nodes {
			seen[n] = true
		}
	}
	return len(seen)
}
