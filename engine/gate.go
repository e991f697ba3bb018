package engine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

// ask seals what a task is about to do, or its next waves, and asks for approval of exactly that.
func (p *performer) ask(ctx context.Context, a action) []Payload {
	terms, own := p.terms(a.task)
	if why := p.unmeetable(terms, own.Escalate); why != "" {
		return p.cannotAsk(a, "the approval that this task asks for cannot be given: "+why)
	}
	now := time.Now()
	asked := ApprovalAsked{
		Approval: newNonce(), Number: len(p.run.Approvals) + 1, Path: a.path, Wave: a.wave,
		Expires: now.Add(terms.Expires), From: terms.From, Reason: terms.Reason, Scope: own.Scope,
		Posts: p.engine.opts.Posts, Policy: p.engine.opts.Policy.Digest(),
	}
	asked.remindAt(now, own.Escalate)
	if terms.Count > 1 {
		asked.Count = terms.Count
	}
	seal := p.sealTask
	if a.wave > 0 {
		seal = p.sealWaves
	}
	if err := seal(ctx, a, &asked); err != nil {
		return p.cannotAsk(a, err.Error())
	}
	if facts, ok := p.compare(ctx, a, &asked); !ok {
		return facts
	}
	asked.Digest = p.digest(&asked)
	asked.Groups = p.groupsNow(ctx, &asked)
	given := p.rest(&asked, now)
	return append([]Payload{asked}, given...)
}

// cannotAsk fails what would have asked: a try of the task, or the waves that are left.
func (p *performer) cannotAsk(a action, message string) []Payload {
	if a.wave == 0 {
		return p.failAttempt(a.path, message)
	}
	return []Payload{WavesStopped{Path: a.path, Reason: p.redact().text(message)}}
}

// sealTask renders what a task does, once.
func (p *performer) sealTask(ctx context.Context, a action, asked *ApprovalAsked) error {
	props, err := p.render(ctx, a.task)
	if err != nil {
		return err
	}
	task, err := p.decode(a.task, props)
	if err != nil {
		return err
	}
	asked.Sealed = p.redact().tree(props.Values())
	if target, ok := narrowed(task, p.run.Steps[a.path]).(Targeted); ok { // what is asked again after unknown is a further try
		asked.Nodes = target.Targets()
	}
	if roll, ok := task.(waveTask); ok {
		asked.Waves = sizes(roll.plan.Waves)
	}
	return nil
}

// outdated says why a granted approval does not cover what would be done now; empty when it does, as far as
// that is known without looking for nodes.
func (p *performer) outdated(ctx context.Context, a *Approval) string {
	for _, g := range a.Given {
		if err := p.engine.vouch(ctx, g.Actor); err != nil {
			return fmt.Sprintf("%s cannot approve any more: %v", g.Actor.Label(), err)
		}
		if d := p.engine.MayApprove(g.Actor, p.run, a, g.Limit); !d.Allowed {
			return fmt.Sprintf("%s may not approve any more: %s", g.Actor.Label(), d.Rule)
		}
	}
	if n := p.engine.opts.Policy.Tighten(policy.Terms{Count: a.Count}).Count; len(a.People()) < n {
		return fmt.Sprintf("it was approved by %d, and the policy asks for %d now", len(a.People()), n)
	}
	if a.Policy != "" && a.Policy != p.engine.opts.Policy.Digest() {
		return "the policy has changed since it was asked"
	}
	if got := p.digest(&a.ApprovalAsked); got != a.Digest {
		return "what was approved is not what would be done"
	}
	return ""
}

// covered is everything an approval is about. What is empty is left out, because a run that was read
// from the log has nothing where a live one has an empty map.
type covered struct {
	Playbook string              `json:"playbook"`
	Inputs   map[string]any      `json:"inputs,omitempty"`
	Secrets  map[string]string   `json:"secrets,omitempty"` // keyed digests: another secret is another approval
	Path     Path                `json:"path"`
	Sealed   map[string]any      `json:"sealed,omitempty"`
	Nodes    []string            `json:"nodes,omitempty"`
	Sets     map[string][]string `json:"sets,omitempty"`
	Policy   string              `json:"policy,omitempty"`
}

// digest identifies what an approval covers.
func (p *performer) digest(a *ApprovalAsked) string {
	data, err := json.Marshal(covered{
		Playbook: p.book.Digest, Inputs: p.inputs(), Secrets: p.run.Requested.Secrets, Path: a.Path, Sealed: a.Sealed, Nodes: a.Nodes, Sets: p.run.Prepared.Nodes, Policy: a.Policy,
	})
	if err != nil { // rendered values always marshal; a digest that matches nothing is the safe answer
		return newNonce()
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// grown lists the nodes that are in after and not in before, sorted.
func grown(before, after map[string][]string) []string {
	var more []string
	for set, nodes := range after {
		for _, n := range nodes {
			if !slices.Contains(before[set], n) && !slices.Contains(more, n) {
				more = append(more, n)
			}
		}
	}
	sort.Strings(more)
	return more
}

// newNonce returns 128 random bits in hexadecimal.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return hex.EncodeToString(b[:])
}
