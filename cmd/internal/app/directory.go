package app

import (
	"context"
	"errors"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// lateDirectory is the bot, which is made after the engine that asks it. Without Slack everybody counts who is
// at the terminal, and nobody is in a user group.
type lateDirectory struct{ app *App }

var _ engine.Directory = lateDirectory{}

// Admit implements [engine.Directory].
func (d lateDirectory) Admit(ctx context.Context, a engine.Actor) error {
	if d.app.bot == nil {
		return nil
	}
	return d.app.bot.Admit(ctx, a)
}

// Standing implements [engine.Directory].
func (d lateDirectory) Standing(a engine.Actor) engine.Standing {
	if d.app.bot == nil {
		return engine.Standing{}
	}
	return d.app.bot.Standing(a)
}

// Members implements [engine.Directory].
func (d lateDirectory) Members(ctx context.Context, group string) ([]string, error) {
	if d.app.bot == nil {
		return nil, errors.New("user groups are Slack's, and this playbot is not connected to it")
	}
	return d.app.bot.Members(ctx, group)
}

// approvers names whom a question goes to: those of the policy, and the members of its user groups as they were
// looked up last.
func (a *App) approvers(rules *policy.Policy) func(playbook string, from ...string) []string {
	return func(playbook string, from ...string) []string {
		out := rules.Approvers(playbook, from...)
		for _, g := range rules.ApproverGroups(policy.Question{Playbook: playbook}, from...) {
			out = append(out, a.bot.MembersKnown(g)...)
		}
		return out
	}
}
