package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"github.com/playbot/playbot/bot"
)

// sockets is how many addresses are asked for: a bot that reconnects has two for a moment.
const sockets = 2

// socket asks where sockets would be opened, and whether this machine can reach that.
func (s site) socket(ctx context.Context, n *notes) {
	p, _, token := s.probe()
	if token == "" {
		if s.cfg.Slack.AppToken != "" || s.cfg.Slack.BotToken != "" {
			n.broken("set slack.app_token to env:NAME or file:PATH", "there is no app token")
		} else {
			n.skip("Slack is not configured")
		}
		return
	}
	if err := bot.CheckAppToken(token); err != nil {
		n.problem(err, appRemedy)
		return
	}
	for range sockets {
		address, err := p.Socket(ctx)
		if err != nil {
			slackError(n, err, "the app token", appRemedy)
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" {
			n.broken("try again; https://slack-status.com says whether Slack has trouble", "Slack names no address for a socket")
			return
		}
		if err := reach(ctx, u); err != nil {
			n.broken("let this machine reach it: outgoing HTTPS, DNS, HTTPS_PROXY where there is a proxy", "%s cannot be reached: %v", u.Host, err)
			return
		}
	}
	n.ok("Socket Mode is on; %d addresses, which can be reached, and are left alone so that a running bot misses nothing", sockets)
}

// reach connects to where a socket would be opened. Behind a proxy only that knows the way.
func reach(ctx context.Context, u *url.URL) error {
	secure := u.Scheme == "wss"
	asked := &http.Request{URL: &url.URL{Scheme: map[bool]string{true: "https", false: "http"}[secure], Host: u.Host}}
	if proxy, err := http.ProxyFromEnvironment(asked); err != nil || proxy != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[secure]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	var conn net.Conn
	var err error
	if secure {
		conn, err = (&tls.Dialer{}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
