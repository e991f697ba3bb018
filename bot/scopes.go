package bot

import "slices"

// Scope is a permission of the bot token: what the manifest asks for, and what a person has to know who
// grants it or does not.
type Scope struct {
	Name     string
	Required bool     // without it there is no bot
	For      string   // what it is for
	Without  string   // what does not work without it
	Methods  []string // of the Web API, that this package calls with it
	Events   []string // that need it
}

// Scopes are the permissions that a bot uses, those first that it cannot do without. The manifest, the
// check at the start and `playbot doctor` all follow this list.
func Scopes() []Scope {
	return []Scope{
		{
			Name: "commands", Required: true, For: "the slash command and the shortcuts",
			Without: "nobody can type a command",
		},
		{
			Name: "chat:write", Required: true, For: "cards, threads, questions",
			Without: "nothing can be posted",
			Methods: []string{"chat.postMessage", "chat.postEphemeral", "chat.update", "chat.delete"},
		},
		{
			Name: "users:read", Required: true, For: "guests, bots, people who have left and people of other workspaces are refused",
			Without: "nobody can be looked up, and everybody is refused",
			Methods: []string{"users.info"},
		},
		{
			Name: "channels:read", Required: true, For: "channels that are shared with other companies are told apart, where commands do not count; `playbot doctor` looks for the ops channel",
			Without: "nobody can say which channels are shared, and commands in channels are refused",
			Methods: []string{"conversations.info", "conversations.list"},
		},
		{
			Name: "groups:read", Required: true, For: "the same, where that channel is private",
			Without: "the same of private channels",
			Methods: []string{"conversations.info", "conversations.list"},
		},
		{
			Name: "app_mentions:read", For: "a mention of the bot in a thread, where Slack offers no slash commands",
			Without: "mentions do not reach the bot; in threads only buttons work",
			Events:  []string{"app_mention"},
		},
		{
			Name: "usergroups:read", For: "roles of the policy that name user groups, which paid plans have",
			Without: "nobody has a role by a user group; people's ids work",
			Methods: []string{"usergroups.users.list"},
		},
		{
			Name: "channels:history", For: "a message of the bot itself is looked for, by its metadata, when Slack did not confirm that it was posted; nothing else is read",
			Without: "a message that Slack did not confirm may be posted twice",
			Methods: []string{"conversations.history", "conversations.replies"},
		},
		{
			Name: "groups:history", For: "the same in private channels",
			Without: "the same in private channels",
			Methods: []string{"conversations.history", "conversations.replies"},
		},
		{
			Name: "metadata.message:read", For: "the metadata by which the bot finds its message",
			Without: "the bot cannot tell its messages from each other, and a message that Slack did not confirm may be posted twice",
		},
	}
}

// free are the methods and events that need no scope of the bot token.
func free() (methods, events []string) {
	return []string{"auth.test", "apps.connections.open", "chat.getPermalink", "views.open", "views.publish", "views.update"}, []string{"app_home_opened"}
}

// ScopeNames are the names of the scopes; with minimal only of those that are required.
func ScopeNames(minimal bool) []string {
	var out []string
	for _, s := range Scopes() {
		if s.Required || !minimal {
			out = append(out, s.Name)
		}
	}
	return out
}

// Lacking returns those of [Scopes] that were not granted.
func Lacking(granted []string) []Scope {
	return slices.DeleteFunc(Scopes(), func(s Scope) bool { return slices.Contains(granted, s.Name) })
}
