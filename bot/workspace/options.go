package workspace

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
)

// Options describe a workspace. The zero value of each field takes what [Options.defaults] says.
type Options struct {
	Team        Team
	AppID       string
	BotUser     User
	BotToken    string // begins with "xoxb-"
	AppToken    string // begins with "xapp-"
	PageToken   string // part of the page's address
	Command     string // the slash command of the app, such as "/playbook"
	Hint        string // what the page suggests to type in an empty channel
	Users       []User
	Channels    []Channel
	Groups      []Group    // user groups
	Scopes      []string   // granted to the bot token
	Shortcuts   []Shortcut // of the app
	NoUserGroup bool       // usergroups.* answer plan_upgrade_required, as on free plans
	Strict      bool       // rate limits by tier, as Slack has them
	Logger      *slog.Logger
}

// Team is the workspace itself.
type Team struct{ ID, Name, Domain string }

// User is a person, or a bot.
type User struct {
	ID       string
	Name     string // what follows @
	RealName string
	Title    string // a word on their role, shown by the page
	Color    string // of the avatar
	IsBot    bool
	IsGuest  bool // is_restricted
	IsUltra  bool // is_ultra_restricted: a guest of one channel
	IsAdmin  bool
	Workflow bool // is_workflow_bot
	Deleted  bool
	Stranger bool   // of another workspace, in a shared channel
	TeamID   string // empty: this team
	TZ       string
}

// Channel is a channel, or a direct conversation with the bot.
type Channel struct {
	ID       string
	Name     string
	Topic    string
	Members  []string // user ids
	IM       string   // the person, when it is a direct conversation
	Archived bool
	Shared   bool // with another company
	Private  bool // whoever is not in it does not learn that it exists
}

// Shortcut opens what the app shows for it: from anywhere, or from a message.
type Shortcut struct {
	Name        string
	Type        string // "global" or "message"
	CallbackID  string
	Description string
}

// Group is a user group, as paid plans have them.
type Group struct {
	ID       string
	Handle   string // what follows @
	Name     string
	Users    []string // user ids
	Disabled bool
}

// defaults fills in a small team: ana deploys, ben approves, gus is a guest.
func (o Options) defaults() Options {
	if o.Team.ID == "" {
		o.Team = Team{ID: "T0PLAYBOT", Name: "Local workspace", Domain: "local"}
	}
	if o.BotUser.ID == "" {
		o.BotUser = User{ID: "U0PLAYBOT", Name: "playbot", RealName: "playbot", IsBot: true, Color: "#5b5bd6"}
	}
	fill(&o.AppID, "A0PLAYBOT")
	fill(&o.BotToken, "xoxb-"+secret())
	fill(&o.AppToken, "xapp-1-"+o.AppID+"-"+secret())
	fill(&o.PageToken, secret())
	fill(&o.Command, "/playbook")
	if o.Users == nil {
		o.Users = []User{
			{ID: "U0ANA", Name: "ana", RealName: "Ana", Title: "deployer", Color: "#0f766e", TZ: "Europe/Paris"},
			{ID: "U0BEN", Name: "ben", RealName: "Ben", Title: "approver", Color: "#b45309", TZ: "Europe/London"},
			{ID: "U0GUS", Name: "gus", RealName: "Gus", Title: "guest", Color: "#64748b", IsGuest: true, TZ: "America/New_York"},
		}
	}
	if o.Channels == nil {
		people := make([]string, 0, len(o.Users)+1)
		for _, u := range o.Users {
			people = append(people, u.ID)
		}
		withBot := append(append([]string(nil), people...), o.BotUser.ID)
		o.Channels = []Channel{
			{ID: "C0DEPLOYS", Name: "deploys", Topic: "Deployments, one thread each", Members: withBot},
			{ID: "C0OPS", Name: "ops", Topic: "The ops room", Members: withBot},
			{ID: "C0RANDOM", Name: "random", Topic: "Anything else; the bot is not here", Members: people},
		}
	}
	if o.Scopes == nil {
		o.Scopes = DefaultScopes()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// DefaultScopes are those that a bot of some talent asks for. A test of one that asks for less grants
// what its manifest asks for.
func DefaultScopes() []string {
	return []string{
		"app_mentions:read", "channels:read", "chat:write", "commands", "files:write", "groups:read",
		"im:history", "im:read", "im:write", "reactions:write", "team:read", "usergroups:read", "users:read",
	}
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// secret is 128 random bits in hexadecimal.
func secret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return hex.EncodeToString(b)
}
