package doctor

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/playbot/playbot/bot"
)

const (
	slackAPI = "https://slack.com/api/"

	installRemedy = "reinstall the app and copy the Bot User OAuth Token from its page \"OAuth & Permissions\""
	appRemedy     = "create an App-Level Token with connections:write on the app's page \"Basic Information\""
	scopeRemedy   = "add it on the app's page \"OAuth & Permissions\" (`playbot slack manifest` prints the whole manifest) and reinstall the app"
)

// apiURL is the address of the Web API, with a slash at its end.
func (s site) apiURL() string {
	if u := s.cfg.Slack.APIURL; u != "" {
		return strings.TrimSuffix(u, "/") + "/"
	}
	return slackAPI
}

// probe is a look at Slack, with the tokens that can be read; a token that cannot is empty.
func (s site) probe() (p *bot.Probe, botToken, appToken string) {
	botToken, _ = s.cfg.Slack.BotToken.Read("slack.bot_token") // secrets says why it cannot be read
	appToken, _ = s.cfg.Slack.AppToken.Read("slack.app_token")
	return bot.NewProbe(bot.ProbeOptions{BotToken: botToken, AppToken: appToken, APIURL: s.apiURL()}), botToken, appToken
}

// slack asks whose the bot token is, and what it may do.
func (s site) slack(ctx context.Context, n *notes) {
	if s.cfg.Slack.BotToken == "" && s.cfg.Slack.AppToken == "" {
		n.warn("set slack.bot_token and slack.app_token; docs/guide/slack.md has the clicks", "Slack is not configured; `playbot serve` needs it, `playbot run` does not")
		return
	}
	s.address(n)
	p, token, _ := s.probe()
	if token == "" {
		n.broken("set slack.bot_token to env:NAME or file:PATH", "there is no bot token")
		return
	}
	if err := bot.CheckBotToken(token); err != nil {
		n.problem(err, installRemedy)
		return
	}
	who, err := p.Installation(ctx)
	if err != nil {
		slackError(n, err, "the bot token", installRemedy)
		return
	}
	if n.good() {
		n.ok("@%s (%s) in %s (%s)", who.User, who.UserID, who.Team, who.TeamID)
	}
	scopes(n.about("slack scopes"), who.Scopes)
}

// scopes compares what was granted with what the bot uses.
func scopes(n *notes, granted []string) {
	if len(granted) == 0 {
		n.warn("compare the page \"OAuth & Permissions\" of the app with docs/guide/slack.md", "Slack does not tell which scopes the token has")
		return
	}
	for _, missing := range bot.Lacking(granted) {
		if missing.Required {
			n.broken(scopeRemedy, "%s is missing: %s", missing.Name, missing.Without)
		} else {
			n.warn(scopeRemedy, "%s is missing: %s", missing.Name, missing.Without)
		}
	}
	if n.good() {
		n.ok("all %d that the bot uses", len(bot.Scopes()))
	}
}

// address looks at slack.api_url, which only tests need.
func (s site) address(n *notes) {
	raw := s.cfg.Slack.APIURL
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		n.broken("leave slack.api_url out, or write it as "+slackAPI, "slack.api_url: %q is no address", raw)
	case !strings.HasSuffix(raw, "/"):
		n.broken("write a slash at its end, as in "+slackAPI, "slack.api_url: %q does not end with a slash", raw)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		n.broken("use https", "slack.api_url: the tokens would go to %s in the clear", u.Host)
	}
}

// slackError says why Slack did not do what was asked with a token.
func slackError(n *notes, err error, what, remedy string) {
	e, ok := errors.AsType[*bot.ProbeError](err)
	switch {
	case ok && e.Wait > 0:
		n.warn("try again then", "Slack wants to be left alone for %v", e.Wait.Round(time.Second))
	case ok && e.Code == "missing_scope" && e.Needed != "":
		n.broken(remedy, "%s lacks the scope %s", what, e.Needed)
	case ok && e.Refused():
		n.broken(remedy, "Slack refuses %s: %s", what, e.Code)
	case ok && e.Code != "":
		n.broken("try again; https://slack-status.com says whether Slack has trouble", "Slack answers %s", e.Code)
	default:
		n.broken("let this machine reach it: outgoing HTTPS, DNS, HTTPS_PROXY where there is a proxy", "Slack cannot be reached: %v", plain(err))
	}
}

// plain is an error without the address that was asked: that of a socket holds a secret.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
