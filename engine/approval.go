package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// Needs is how many people must say yes.
func (a *Approval) Needs() int { return max(a.Count, 1) }

// People are those who said yes, each once, in the order in which they did.
func (a *Approval) People() []Actor {
	var out []Actor
	for _, g := range a.Given {
		out = appendActor(out, g.Actor)
	}
	return out
}

// Missing is how many people must still say yes.
func (a *Approval) Missing() int { return max(a.Needs()-len(a.People()), 0) }

// Progress says how many of how many people said yes, and who: "1 of 2: ben". It is empty where one
// person is enough.
func (a *Approval) Progress() string {
	people := a.People()
	switch {
	case a.Needs() == 1:
		return ""
	case len(people) == 0:
		return fmt.Sprintf("0 of %d", a.Needs())
	}
	return fmt.Sprintf("%d of %d: %s", len(people), a.Needs(), labels(people, ", "))
}

// MayRest reports whether a yes to this gate may cover the later gates of the run: the playbook
// lets it, and everybody who has said yes so far wants it.
func (a *Approval) MayRest() bool {
	return a.Scope == playbooks.ScopeRun && !slices.ContainsFunc(a.Given, func(g ApprovalGiven) bool { return !g.Rest })
}

// WantsReason reports whether an answer needs a reason.
func (a *Approval) WantsReason(yes bool) bool {
	return a.Reason == policy.ReasonAlways || a.Reason == policy.ReasonOnDeny && !yes
}

// Outcome says in words how an approval stands: who decided what, and when.
func (a *Approval) Outcome() string {
	at := a.When.UTC().Format(time.RFC3339)
	switch a.State {
	case ApprovalPending:
		text := "waiting until " + a.Deadline().UTC().Format(time.RFC3339)
		if len(a.Given) > 0 {
			text += ", approved by " + a.Progress()
		}
		if len(a.Taken) > 0 {
			text += ", taken back by " + labels(a.regretting(), " and ")
		}
		return text
	case ApprovalGranted, ApprovalUsed:
		text := "approved by " + labels(a.People(), " and ") + " at " + at
		switch {
		case !a.Limit().IsZero():
			text += ", " + a.Limit().String()
		case a.Rests != "":
			text += ", with the rest of the run"
		case a.MayRest():
			text += ", for the rest of the run too"
		}
		return text
	case ApprovalRefused:
		return denial(a) + " at " + at
	case ApprovalTimedOut:
		return "expired at " + at
	default:
		return "voided at " + at + ": " + a.Why
	}
}

func labels(people []Actor, and string) string {
	names := make([]string, len(people))
	for i, who := range people {
		names[i] = who.Label()
	}
	return strings.Join(names, and)
}

// late says that nobody, or not everybody, approved in time.
func (a *Approval) late() string {
	until := a.Deadline().UTC().Format(time.RFC3339)
	if n := len(a.People()); n > 0 {
		return fmt.Sprintf("only %d of %d people approved until %s", n, a.Needs(), until)
	}
	return "nobody approved until " + until
}

// terms are what a gate of a task asks for: what the policy does, and where it is stricter, what the playbook does.
func (p *performer) terms(t *playbooks.Task) (terms policy.Terms, own playbooks.Approval) {
	own = t.Approval.Or(p.book.Approval)
	return p.engine.opts.Policy.Tighten(policy.Terms{From: own.From, Count: own.Count, Expires: own.Expires, Reason: own.Reason}), own
}

// rest are the yeses that a gate has from an earlier one, whose people approved the rest; none when
// people are to be asked.
func (p *performer) rest(asked *ApprovalAsked, now time.Time) []Payload {
	if asked.Scope == playbooks.ScopeStep || len(asked.Grown) > 0 || asked.Uncompared != "" || p.run.asksAgain(asked) {
		return nil
	}
	for _, root := range slices.Backward(p.run.Approvals) {
		if !p.covers(root, asked, now) {
			continue
		}
		asked.Rests = root.Approval
		var facts []Payload
		for _, g := range root.Given[:max(asked.Count, 1)] {
			facts = append(facts, ApprovalGiven{Approval: asked.Approval, Actor: g.Actor, Reason: g.Reason, Role: g.Role})
		}
		return facts
	}
	return nil
}

// asksAgain reports whether a task was at a gate before and so asks people: its yes was taken back, what
// became of it is not known, or less was given than it asked for. The gate of a further wave is none of these.
func (r *Run) asksAgain(asked *ApprovalAsked) bool {
	before := r.approvalFor(asked.Path)
	return before != nil && (asked.Wave == 0 || before.State != ApprovalUsed || !before.Limit().IsZero())
}

// covers reports whether a gate that asks now asks for nothing that an earlier one was not given, for
// the rest of the run. A yes is never older than one that this gate would wait for.
func (p *performer) covers(root *Approval, asked *ApprovalAsked, now time.Time) bool {
	if root.Policy != asked.Policy { // a yes under other rules is another yes
		return false
	}
	if root.State != ApprovalUsed || len(root.Given) < max(asked.Count, 1) || !now.Before(root.When.Add(asked.Expires.Sub(now))) {
		return false
	}
	for _, g := range root.Given {
		role := len(asked.From) == 0 || slices.Contains(asked.From, g.Role)
		reason := asked.Reason != policy.ReasonAlways || g.Reason != ""
		if !g.Rest || !role || !reason || !p.mayRest(g, asked) {
			return false
		}
	}
	return true
}
