package doctor

import (
	"context"
	"net/http"
	"time"
)

// Servers of Choria refuse requests that are older than their time to live, which is 60 seconds, or from
// the future; certificates and approvals go by the clock too.
const (
	slightSkew = 2 * time.Second
	badSkew    = 20 * time.Second
)

// clock compares the clock of this machine with Slack's. Those of nodes are looked at where one answers.
func (s site) clock(ctx context.Context, n *notes) {
	if s.cfg.Slack.BotToken == "" && s.cfg.Slack.APIURL == "" {
		n.skip("there is nothing to compare it with without Slack")
		return
	}
	begin := time.Now()
	there, err := timeAt(ctx, s.apiURL()+"api.test")
	if err != nil {
		n.skip("there is nothing to compare it with: Slack does not tell the time (%v)", err)
		return
	}
	skewed(n, "Slack's", ahead(begin, time.Now(), there))
}

// ahead is how far this clock is ahead of another, of which all that is known is a time in whole seconds
// that it told between begin and end: as little as that allows.
func ahead(begin, end, there time.Time) time.Duration {
	if d := begin.Sub(there.Add(time.Second)); d > 0 {
		return d
	}
	if d := end.Sub(there); d < 0 {
		return d
	}
	return 0
}

// skewed says how far this clock is ahead of another.
func skewed(n *notes, whose string, ahead time.Duration) {
	const remedy = "keep the time with NTP, for instance with chrony or systemd-timesyncd"
	ahead = ahead.Round(time.Second)
	switch off := ahead.Abs(); {
	case off >= badSkew:
		n.broken(remedy, "the clock of this machine is %s %s: nodes refuse what they take for old", distance(ahead), whose)
	case off > slightSkew:
		n.warn(remedy, "the clock of this machine is %s %s", distance(ahead), whose)
	default:
		n.ok("within %v of %s", slightSkew, whose)
	}
}

func distance(ahead time.Duration) string {
	if ahead < 0 {
		return ahead.Abs().String() + " behind"
	}
	return ahead.String() + " ahead of"
}

// timeAt asks a web server for the time, which it tells in whole seconds.
func timeAt(ctx context.Context, url string) (time.Time, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return time.Time{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	return http.ParseTime(resp.Header.Get("Date"))
}
