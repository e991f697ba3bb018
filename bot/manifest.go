package bot

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"
)

// Manifest describes the app to Slack, which creates it from that: docs.slack.dev/reference/app-manifest.
type Manifest struct {
	Metadata struct {
		MajorVersion int `json:"major_version" yaml:"major_version"`
	} `json:"_metadata" yaml:"_metadata"`
	Display struct {
		Name            string `json:"name" yaml:"name"`
		Description     string `json:"description" yaml:"description"`
		BackgroundColor string `json:"background_color" yaml:"background_color"`
	} `json:"display_information" yaml:"display_information"`
	Features manifestFeatures `json:"features" yaml:"features"`
	OAuth    struct {
		Scopes struct {
			Bot []string `json:"bot" yaml:"bot"`
		} `json:"scopes" yaml:"scopes"`
	} `json:"oauth_config" yaml:"oauth_config"`
	Settings manifestSettings `json:"settings" yaml:"settings"`
}

type manifestFeatures struct {
	AppHome struct {
		HomeTab          bool `json:"home_tab_enabled" yaml:"home_tab_enabled"`
		MessagesTab      bool `json:"messages_tab_enabled" yaml:"messages_tab_enabled"`
		MessagesReadOnly bool `json:"messages_tab_read_only_enabled" yaml:"messages_tab_read_only_enabled"`
	} `json:"app_home" yaml:"app_home"`
	BotUser struct {
		DisplayName  string `json:"display_name" yaml:"display_name"`
		AlwaysOnline bool   `json:"always_online" yaml:"always_online"`
	} `json:"bot_user" yaml:"bot_user"`
	Shortcuts     []Shortcut        `json:"shortcuts" yaml:"shortcuts"`
	SlashCommands []manifestCommand `json:"slash_commands" yaml:"slash_commands"`
}

// Shortcut opens a form: from anywhere (global), or from the menu of a message.
type Shortcut struct {
	Name        string `json:"name" yaml:"name"`
	Type        string `json:"type" yaml:"type"`
	CallbackID  string `json:"callback_id" yaml:"callback_id"`
	Description string `json:"description" yaml:"description"`
}

// Shortcuts are those that [Bot] answers. Two installations in one workspace are told apart by the name of the
// app, which Slack shows beside them.
func Shortcuts() []Shortcut {
	return []Shortcut{
		{Name: "Run a playbook", Type: "global", CallbackID: runShortcut, Description: "Choose a playbook, fill in its inputs, start it"},
		{Name: "Run a playbook here", Type: "message", CallbackID: runHereShortcut, Description: "The same, in the channel of a message"},
	}
}

type manifestCommand struct {
	Command      string `json:"command" yaml:"command"`
	Description  string `json:"description" yaml:"description"`
	UsageHint    string `json:"usage_hint" yaml:"usage_hint"`
	ShouldEscape bool   `json:"should_escape" yaml:"should_escape"` // off: names stay as they were typed
}

type manifestSettings struct {
	EventSubscriptions struct {
		BotEvents []string `json:"bot_events" yaml:"bot_events"`
	} `json:"event_subscriptions" yaml:"event_subscriptions"`
	Interactivity struct {
		Enabled bool `json:"is_enabled" yaml:"is_enabled"`
	} `json:"interactivity" yaml:"interactivity"`
	OrgDeploy     bool `json:"org_deploy_enabled" yaml:"org_deploy_enabled"`
	SocketMode    bool `json:"socket_mode_enabled" yaml:"socket_mode_enabled"`
	TokenRotation bool `json:"token_rotation_enabled" yaml:"token_rotation_enabled"`
}

// ManifestOptions change what an app asks for and is called.
type ManifestOptions struct {
	Name    string // of the app and its user; default "playbot", at most 35 characters
	Command string // default "/playbook", at most 32 characters
	Minimal bool   // only the scopes without which there is no bot
}

// Limits of a manifest: docs.slack.dev/reference/app-manifest.
const (
	maxAppName     = 35
	maxSlashLength = 32
)

// NewManifest is the manifest of an app that can do all that the bot does, or with Minimal what it
// cannot do without. The error says what of the options Slack would refuse.
func NewManifest(o ManifestOptions) (Manifest, error) {
	if o.Name == "" {
		o.Name = "playbot"
	}
	if o.Command == "" {
		o.Command = "/playbook"
	}
	if n := utf8.RuneCountInString(o.Name); n > maxAppName {
		return Manifest{}, fmt.Errorf("the name of an app has at most %d characters, not %d", maxAppName, n)
	}
	if !regexp.MustCompile(`^/[a-z0-9_-]+$`).MatchString(o.Command) || len(o.Command) > maxSlashLength {
		return Manifest{}, errors.New("a command begins with a slash and has at most 31 small letters, digits, - and _ after it, as in /playbook")
	}
	var m Manifest
	m.Metadata.MajorVersion = 1
	m.Display.Name, m.Display.BackgroundColor = o.Name, "#1f2d3d"
	m.Display.Description = "Run, watch and approve playbooks from Slack"
	m.Features.AppHome.HomeTab, m.Features.AppHome.MessagesTab = true, true
	m.Features.BotUser.DisplayName, m.Features.BotUser.AlwaysOnline = o.Name, true
	m.Features.Shortcuts = Shortcuts()
	m.Features.SlashCommands = []manifestCommand{{
		Command: o.Command, Description: "Run playbooks and see past runs", UsageHint: "run NAME key=value … | history | status | help",
	}}
	m.OAuth.Scopes.Bot = ScopeNames(o.Minimal)
	m.Settings.EventSubscriptions.BotEvents = events(m.OAuth.Scopes.Bot)
	m.Settings.Interactivity.Enabled, m.Settings.SocketMode = true, true
	return m, nil
}

// events are those that a bot with these scopes may subscribe to. Slack refuses a manifest with an
// event whose scope it does not ask for.
func events(scopes []string) []string {
	_, out := free()
	for _, s := range Scopes() {
		if slices.Contains(scopes, s.Name) {
			out = append(out, s.Events...)
		}
	}
	return out
}
