package commands

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// waits says what a run waits for, and, to whoever may, how to answer: first that it is paused, because what else it waits for
// does not let it go on then.
func (c *Commands) waits(who engine.Actor, r *engine.Run) []Block {
	return slices.Concat(pausedBlocks(r), spoken(r), held(r), c.question(who, r))
}

// spoken says what people said that does not count yet.
func spoken(r *engine.Run) []Block {
	var out []Block
	for _, w := range r.Words {
		out = append(out, paragraph(mention(w.Actor), plain(" wants to %s; that counts as soon as it is looked up who they are.", Wanted(w.Fact.Kind()))))
	}
	return out
}

// held is what a run waits for that is no person: others, nodes, secrets that a restart has lost.
func held(r *engine.Run) []Block {
	var out []Block
	if w := r.Awaits; w != nil {
		out = append(out, paragraph(plain("It waits for the lock "), outside(w.Lock), plain(", which "), runRef(w.Holder.Run),
			plain(" ("), outside(w.Holder.Who), plain(") holds since %s.", stamp(w.Holder.Since))))
	}
	if w := r.AwaitsNodes; w != nil {
		out = append(out, paragraph(plain("It waits for "), outside(Waiting(w)), plain(" since %s.", Took(time.Since(w.Holder.Since)))))
	}
	if text := Comparing(r); text != "" {
		out = append(out, paragraph(outside(text), plain(".")))
	}
	if text := Lingering(r); text != "" && time.Now().Before(r.Lingers()) {
		out = append(out, paragraph(plain("%s.", text)))
	}
	if len(r.SecretsNeeded) > 0 {
		out = append(out, paragraph(outside(LostSecrets(r)), plain(" "), code("/playbook cancel "+r.ID.Short()), plain(" stops it without.")))
		if give := SecretsButtons(r); give != nil {
			out = append(out, Buttons{Items: give})
		}
	}
	return out
}

// question is the gate or the attempt that a person is asked about.
func (c *Commands) question(who engine.Actor, r *engine.Run) []Block {
	if a := r.Pending(); a != nil {
		name := fmt.Sprintf("%s.%d", r.ID.Short(), a.Number)
		what := []Span{outside(r.Steps[a.Path].Description), plain("%s", WhichWaves(a))}
		if len(a.Nodes) > 0 {
			what = append(what, plain(" on %s, ", plural(len(a.Nodes), "node")), outside(short(strings.Join(a.Nodes, ", "), 200)), plain(","))
		}
		what = append(what, plain(" waits for an approval until %s", stamp(a.Deadline())))
		if asks := Asks(a); asks != "" {
			what = append(what, plain("; it "), outside(asks))
		}
		if text := Uncompared(a); text != "" {
			what = append(what, plain("; "), outside(text))
		}
		if len(a.Given) > 0 {
			what = append(what, plain(" (approved so far: "), outside(a.Progress()), plain(")"))
		}
		answer := func(verb string) Span {
			line := "/playbook " + verb + " " + name
			if a.WantsReason(verb == "approve") {
				line += " REASON"
			}
			return code(line)
		}
		denies := c.engine.Ask(who, engine.About(policy.Approve, r)).Allowed || who.Is(r.Requested.Actor)
		switch {
		case c.mayApprove(who, r, a):
			what = append(what, plain(": "), answer("approve"), plain(" or "), answer("deny"))
		case denies:
			what = append(what, plain("; "), code("/playbook why "+name), plain(" says of whom, and "), answer("deny"), plain(" refuses it"))
		default:
			what = append(what, plain("; "), code("/playbook why "+name), plain(" says of whom"))
		}
		return []Block{paragraph(what...)}
	}
	if s := r.Unknown(); s != nil && !answered(r, s) {
		return c.unknownBlocks(who, r, s)
	}
	return nil
}

// answered reports whether somebody has said what became of an attempt, and is being looked up.
func answered(r *engine.Run, s *engine.Step) bool {
	return slices.ContainsFunc(r.Words, func(w engine.Word) bool {
		p, ok := w.Fact.(engine.AttemptResolved)
		return ok && p.Path == s.Path && p.Attempt == s.Last().Attempt
	})
}
