package commands

import (
	"context"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// admit is an error when what somebody says counts for nothing, here or at all. Whoever has no role needs no
// look-up: they are refused by name at whatever they ask for.
func (c *Commands) admit(ctx context.Context, who engine.Actor, verb string) error {
	return c.counts(who, func() error { return c.engine.Admit(ctx, who, verb) })
}

// look is admit for what is drawn again and again: no refusal is written down.
func (c *Commands) look(ctx context.Context, who engine.Actor) error {
	return c.counts(who, func() error { return c.engine.Known(ctx, who) })
}

func (c *Commands) counts(who engine.Actor, lookUp func() error) error {
	if roles, _ := c.engine.Standing(who); len(roles) == 0 {
		return nil
	}
	if err := lookUp(); err != nil {
		return err
	}
	if _, d := c.engine.Standing(who); !d.Allowed { // the look-up may have said more of the channel
		return engine.Errorf(engine.CodeDenied, "refused: %s", d.Rule)
	}
	return nil
}

// needs are the verbs of the policy, one of which a word takes; none where it is for everybody.
func needs(word string) []policy.Verb {
	switch word {
	case "run", "rerun", "form":
		return []policy.Verb{policy.Run}
	case "plan":
		return []policy.Verb{policy.Plan}
	case "list", "describe", "status", "show", "history", "approvals", "locks":
		return []policy.Verb{policy.View}
	case "pause", "resume", "next", "slow", "stop":
		return []policy.Verb{policy.Steer}
	case "cancel":
		return []policy.Verb{policy.Cancel}
	case "approve", "withdraw":
		return []policy.Verb{policy.Approve}
	case "deny": // whoever asked for a run may deny its gates
		return []policy.Verb{policy.Approve, policy.Run}
	case "release":
		return []policy.Verb{policy.Release}
	case "freeze", "thaw":
		return []policy.Verb{policy.Freeze}
	case "audit":
		return []policy.Verb{policy.Audit}
	}
	return nil
}

// usable are the words that somebody has a use for, in the order of help.
func (c *Commands) usable(who engine.Actor) []verb {
	roles, _ := c.engine.Standing(who)
	may := c.engine.Policy().VerbsOf(roles)
	return slices.DeleteFunc(c.verbs(), func(v verb) bool {
		need := needs(v.name)
		return len(need) > 0 && !slices.ContainsFunc(need, func(n policy.Verb) bool { return slices.Contains(may, n) })
	})
}

// verbOf is what a line asks for, for the record of a refusal.
func verbOf(words []word) string {
	if len(words) == 0 || words[0].kind != bareWord {
		return "say"
	}
	return Clean(short(words[0].value.text, 40))
}

// nearestWord is the word that somebody may have meant: the one that begins so, else the nearest.
func nearestWord(typed string, known []string) string {
	var begin []string
	for _, k := range known {
		if strings.HasPrefix(k, strings.ToLower(typed)) {
			begin = append(begin, k)
		}
	}
	if len(begin) == 1 && len(typed) > 1 {
		return begin[0]
	}
	return playbooks.Nearest(typed, known)
}

// unknownBlocks asks whoever may answer what became of an attempt that was cut off.
func (c *Commands) unknownBlocks(who engine.Actor, r *engine.Run, s *engine.Step) []Block {
	what := []Span{plain("Nobody knows whether "), outside(s.Description), plain(" had its effect: playbot was stopped in the middle of it. ")}
	var may []Button
	for _, b := range ResolveButtons(r.ID, s.Path, s.Last().Attempt) {
		verb := policy.Run
		if b.Action == ActionAbort {
			verb = policy.Cancel
		}
		if c.engine.Ask(who, engine.About(verb, r)).Allowed {
			may = append(may, b)
		}
	}
	if len(may) == 0 {
		return []Block{paragraph(append(what, plain("Somebody who may run it has to say."))...)}
	}
	return []Block{paragraph(append(what, plain("Look at the nodes, then choose:"))...), Buttons{Items: may}}
}
