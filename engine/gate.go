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
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// ask seals what a task is about to do and asks for approval of exactly that.
func (p *performer) ask(ctx context.Context, path Path, t *playbooks.Task) []Payload {
	props, err := p.render(ctx, t)
	if err != nil {
		return p.failAttempt(path, err.Error())
	}
	task, err := p.decode(t, props)
	if err != nil {
		return p.failAttempt(path, err.Error())
	}
	found, err := p.discoverAll(ctx)
	if err != nil {
		return p.failAttempt(path, "before asking: "+err.Error())
	}
	expires := t.Expires
	if limit := p.engine.opts.Policy.Expires(); expires == 0 || expires > limit {
		expires = limit
	}
	asked := ApprovalAsked{
		Approval: newNonce(), Number: len(p.run.Approvals) + 1, Path: path,
		Sealed: p.engine.redact.tree(props.Values()), Discovered: found,
		Grown: grown(p.run.Prepared.Nodes, found), Expires: time.Now().Add(expires),
	}
	if target, ok := task.(Targeted); ok {
		asked.Nodes = target.Targets()
	}
	asked.Digest = p.digest(&asked)
	return []Payload{asked}
}

// outdated says why a granted approval does not cover what would be done now; empty when it does.
func (p *performer) outdated(ctx context.Context, a *Approval) string {
	for _, g := range a.Given {
		if err := p.engine.vouch(ctx, g.Actor); err != nil {
			return fmt.Sprintf("%s cannot approve any more: %v", g.Actor.Label(), err)
		}
		d := p.engine.opts.Policy.DecideApproval(subject(g.Actor), subject(p.run.Requested.Actor), p.book.Name)
		if !d.Allowed {
			return fmt.Sprintf("%s may not approve any more: %s", g.Actor.Label(), d.Rule)
		}
	}
	if got := p.digest(&a.ApprovalAsked); got != a.Digest {
		return "what was approved is not what would be done"
	}
	found, err := p.discoverAll(ctx)
	if err != nil {
		return "the nodes could not be compared: " + err.Error()
	}
	if more := grown(a.Discovered, found); len(more) > 0 {
		return fmt.Sprintf("nodes appeared since the approval: %s", strings.Join(more, ", "))
	}
	return ""
}

// covered is everything an approval is about. What is empty is left out, because a run that was read
// from the log has nothing where a live one has an empty map.
type covered struct {
	Playbook string              `json:"playbook"`
	Inputs   map[string]any      `json:"inputs,omitempty"`
	Path     Path                `json:"path"`
	Sealed   map[string]any      `json:"sealed,omitempty"`
	Nodes    []string            `json:"nodes,omitempty"`
	Sets     map[string][]string `json:"sets,omitempty"`
}

// digest identifies what an approval covers.
func (p *performer) digest(a *ApprovalAsked) string {
	data, err := json.Marshal(covered{
		Playbook: p.book.Digest, Inputs: p.inputs(), Path: a.Path, Sealed: a.Sealed, Nodes: a.Nodes, Sets: p.run.Prepared.Nodes,
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
