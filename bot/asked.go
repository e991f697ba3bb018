package bot

import (
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// askedPeople mentions those whose word counts at a gate of a run and was not given yet: the requester is
// one of them only when the policy lets people approve what they asked for.
func (b *Bot) askedPeople(run *engine.Run, a *engine.Approval) string {
	if a == nil {
		return ""
	}
	const most = 10
	var out []string
	for _, id := range b.opts.Approvers(run.Requested.Playbook.Name, a.Roles()...) {
		team, user, qualified := strings.Cut(id, "/")
		if !qualified {
			team, user = run.Requested.Actor.Team, id
		}
		own := user == run.Requested.Actor.User && !b.opts.OwnApproval
		given := slices.ContainsFunc(a.Given, func(g engine.ApprovalGiven) bool {
			return g.Actor.Is(engine.Actor{Team: team, User: user})
		})
		switch {
		case user == "*" && b.opts.OwnApproval:
			return "anybody"
		case user == "*":
			return othersThan(a)
		case own || given || team != run.Requested.Actor.Team || !isID(user):
		case len(out) < most:
			out = append(out, "<@"+user+">")
		}
	}
	if len(out) == 0 {
		return "somebody who may approve; nobody else is configured for this playbook"
	}
	return strings.Join(out, " ")
}

// othersThan is everybody whose word still counts at a gate that is open to all.
func othersThan(a *engine.Approval) string {
	if len(a.Given) > 0 {
		return "anybody but the requester and those who have approved"
	}
	return "anybody but the requester"
}
