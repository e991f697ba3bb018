package bot

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// ProbeOptions say which installation is looked at.
type ProbeOptions struct {
	BotToken string
	AppToken string
	APIURL   string       // of the Web API, with a slash at its end; empty: Slack's
	HTTP     *http.Client // nil: one that gives up after 30 seconds
}

// Probe looks at an installation from Slack's side. It posts nothing and opens no socket: Slack would
// hand that one a part of what people type and press, which a bot that runs would then never get.
// Safe for concurrent use.
type Probe struct{ api *slack.Client }

// NewProbe returns a probe. It does not connect.
func NewProbe(o ProbeOptions) *Probe {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	settings := []slack.Option{slack.OptionAppLevelToken(o.AppToken), slack.OptionHTTPClient(o.HTTP)}
	if o.APIURL != "" {
		settings = append(settings, slack.OptionAPIURL(o.APIURL))
	}
	return &Probe{api: slack.New(o.BotToken, settings...)}
}

// ProbeError is why Slack did not answer a question.
type ProbeError struct {
	Code   string        // Slack's name of the error; empty when Slack did not answer
	Needed string        // the scope that is missing, when Slack says so
	Wait   time.Duration // how long Slack wants to be left alone, when it says so
	Err    error
}

// Error implements error.
func (e *ProbeError) Error() string { return e.Err.Error() }

// Unwrap implements the interface of package errors.
func (e *ProbeError) Unwrap() error { return e.Err }

// Refused reports whether Slack answered, and said no for good.
func (e *ProbeError) Refused() bool { return e.Code != "" && permanent(e.Err) }

func probeError(err error) error {
	if err == nil {
		return nil
	}
	out := &ProbeError{Code: refused(err), Err: err}
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		out.Needed = answer.Needed
	}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		out.Wait = limited.RetryAfter
	}
	return out
}

// Installation is what Slack says of a bot token.
type Installation struct {
	Team, TeamID string
	User, UserID string
	Scopes       []string // nil when Slack does not tell
}

// Installation asks whose the bot token is. The error is a *[ProbeError].
func (p *Probe) Installation(ctx context.Context) (Installation, error) {
	who, err := p.api.AuthTestContext(ctx)
	if err != nil {
		return Installation{}, probeError(err)
	}
	out := Installation{Team: who.Team, TeamID: who.TeamID, User: who.User, UserID: who.UserID}
	if s := who.Header.Get("X-OAuth-Scopes"); s != "" {
		for scope := range strings.SplitSeq(s, ",") {
			out.Scopes = append(out.Scopes, strings.TrimSpace(scope))
		}
	}
	return out, nil
}

// Socket asks with the app token where a socket would be opened, and does not open it. The address
// is good for once and holds a secret. The error is a *[ProbeError].
func (p *Probe) Socket(ctx context.Context) (string, error) {
	_, url, err := p.api.StartSocketModeContext(ctx)
	return url, probeError(err)
}

// Channel is what Slack says of a channel.
type Channel struct {
	ID, Name string
	Private  bool
	Archived bool
	Shared   bool // with another company
	Member   bool // the bot is in it
}

// ErrManyChannels says that a channel was not found by its name among so many that it may be there all the
// same; by its id it would be.
var ErrManyChannels = errors.New("there are too many channels to look at every name")

// Channel looks for a channel by its id, or by its name with or without "#"; nil when there is none
// that the bot can see. The error is a *[ProbeError] or [ErrManyChannels].
func (p *Probe) Channel(ctx context.Context, key string) (*Channel, error) {
	name, named := strings.CutPrefix(key, "#")
	if !named && isChannelID(key) {
		ch, err := p.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: key})
		if refused(err) == "channel_not_found" {
			return nil, nil //nolint:nilnil // as documented: there is none
		}
		if err != nil {
			return nil, probeError(err)
		}
		return channelOf(*ch), nil
	}
	found, err := p.named(ctx, name, "public_channel")
	if err != nil || found != nil {
		return found, err
	}
	return p.named(ctx, name, "private_channel")
}

// pageSize is the most channels that Slack tells at a time, and maxPages how many pages are read of each
// kind: conversations.list allows about 20 calls a minute.
const (
	pageSize = 999
	maxPages = 9
)

// named looks through the channels of one kind.
func (p *Probe) named(ctx context.Context, name, kind string) (*Channel, error) {
	ask := &slack.GetConversationsParameters{Types: []string{kind}, Limit: pageSize}
	for range maxPages {
		page, next, err := p.api.GetConversationsContext(ctx, ask)
		if err != nil {
			return nil, probeError(err)
		}
		if i := slices.IndexFunc(page, func(c slack.Channel) bool { return c.Name == name }); i >= 0 {
			return channelOf(page[i]), nil
		}
		if next == "" {
			return nil, nil //nolint:nilnil // there is none
		}
		ask.Cursor = next
	}
	return nil, ErrManyChannels
}

func channelOf(c slack.Channel) *Channel {
	return &Channel{ID: c.ID, Name: c.Name, Private: c.IsPrivate, Archived: c.IsArchived, Shared: c.IsExtShared, Member: c.IsMember}
}

// isChannelID reports whether a word is an id and not a name, which has no capitals.
func isChannelID(s string) bool {
	return len(s) > 1 && strings.ContainsRune("CGD", rune(s[0])) && strings.ToUpper(s) == s
}

// Person says by which name Slack knows a user of a team, and why their word does not count; that is
// empty when it does. The error is a *[ProbeError].
func (p *Probe) Person(ctx context.Context, team, id string) (name, why string, err error) {
	u, err := p.api.GetUserInfoContext(ctx, id)
	switch {
	case refused(err) == "user_not_found":
		return "", "is nobody in this workspace", nil
	case err != nil:
		return "", "", probeError(err)
	}
	return u.Name, unfit(u, team), nil
}

// CheckBotToken says whether a token can be that of a bot, without asking Slack.
func CheckBotToken(token string) error {
	if !strings.HasPrefix(token, "xoxb-") {
		return errors.New("the Slack bot token must begin with \"xoxb-\"; copy the Bot User OAuth Token from the app's page \"OAuth & Permissions\"")
	}
	return nil
}

// CheckAppToken says whether a token can be that of an app, without asking Slack.
func CheckAppToken(token string) error {
	if !strings.HasPrefix(token, "xapp-") {
		return errors.New("the Slack app token must begin with \"xapp-\"; create an App-Level Token with connections:write on the app's page \"Basic Information\"")
	}
	return nil
}
