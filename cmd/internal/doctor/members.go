package doctor

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/bot"
)

// maxMembers bounds how many people are looked up: users.info allows about a hundred calls a minute, of
// which a running bot wants some.
const maxMembers = 40

// members looks up whom the policy names: a wrong id is somebody who cannot answer at night.
func (s site) members(ctx context.Context, n *notes) {
	ids := s.people()
	p, token, _ := s.probe()
	switch {
	case token == "":
		n.skip("there is no bot token to ask with")
		return
	case len(ids) == 0:
		n.skip("the policy names no Slack user")
		return
	}
	who, err := p.Installation(ctx)
	if err != nil {
		n.skip("Slack does not accept the bot token, or cannot be reached")
		return
	}
	asked := ids[:min(len(ids), maxMembers)]
	for _, id := range asked {
		team, user, qualified := strings.Cut(id, "/")
		if !qualified {
			team, user = who.TeamID, id
		}
		if team != who.TeamID {
			continue // the bot serves one workspace and cannot ask another
		}
		name, why, err := p.Person(ctx, team, user)
		if e, ok := errors.AsType[*bot.ProbeError](err); ok && e.Code == "missing_scope" {
			n.skip("the token lacks the scope %s", e.Needed)
			return
		}
		if err != nil {
			slackError(n, err, "the bot token", installRemedy)
			return
		}
		if why != "" {
			n.warn("correct it in policy.roles; a person's profile has \"Copy member ID\"", "%s %s, so whatever the policy allows is refused",
				strings.TrimSpace(user+" "+bracketed(name)), why)
		}
	}
	if n.good() {
		n.ok("%d of %s that the policy names were looked up and may use the bot", len(asked), counted(len(ids), "Slack user"))
	}
}

func bracketed(name string) string {
	if name == "" {
		return ""
	}
	return "(" + name + ")"
}

// people are the members of roles that are ids of Slack, each once. Others are names of this machine.
func (s site) people() []string {
	id := regexp.MustCompile(`^([TE][A-Z0-9]+/)?[UW][A-Z0-9]{2,}$`)
	var out []string
	for _, name := range sortedKeys(s.cfg.Policy.Roles) {
		for _, m := range s.cfg.Policy.Roles[name].Members {
			if id.MatchString(m) && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out
}
