package workspace_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/bot/workspace"
)

func strict(o *workspace.Options) { o.Strict = true }

func TestStrict_limitsByTierAndSaysHowLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, method string
		params       obj
		burst        int
		wait         time.Duration
	}{
		{"posts of a channel", "chat.postMessage", obj{"channel": "#deploys", "text": "x"}, 5, time.Second},
		{"tier 2", "conversations.list", obj{}, 20, 3 * time.Second},
		{"tier 3", "chat.update", obj{"channel": "C0DEPLOYS", "ts": "1.000001", "text": "x"}, 50, 2 * time.Second},
		{"tier 4", "views.publish", obj{"user_id": "U0ANA", "view": obj{"type": "home", "blocks": list()}}, 100, time.Second},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := pipedWorld(t, strict)
				for i := range c.burst {
					if a := w.call(c.method, w.BotToken(), c.params); a.status != 200 {
						t.Fatalf("call %d: %d %v", i, a.status, a.body)
					}
				}
				a := w.call(c.method, w.BotToken(), c.params)
				if a.status != 429 || a.problem() != "ratelimited" || a.header.Get("Retry-After") != fmt.Sprint(c.wait.Seconds()) ||
					!strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
					t.Errorf("one more: %d %v %v, want Retry-After %v", a.status, a.body, a.header, c.wait)
				}
				time.Sleep(c.wait)
				if a := w.call(c.method, w.BotToken(), c.params); a.status != 200 {
					t.Errorf("after the wait: %d %v", a.status, a.body)
				}
				w.noViolations()
			})
		})
	}
}

func TestStrict_limitsPostsOfTheWholeWorkspace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, func(o *workspace.Options) {
			o.Strict = true
			for i := range 100 {
				o.Channels = append(o.Channels, workspace.Channel{ID: fmt.Sprintf("C%d", i), Name: fmt.Sprintf("c%d", i), Members: []string{"U0PLAYBOT"}})
			}
		})
		refused := 0
		for i := range 400 {
			name := fmt.Sprintf("C%d", i%100)
			if i >= 200 {
				name = fmt.Sprintf("#c%d", i%100) // the same channel under its name
			}
			if a := w.call("chat.postMessage", w.BotToken(), obj{"channel": name, "text": "x"}); a.status == 429 {
				refused++
			}
		}
		if refused != 100 {
			t.Errorf("%d of 400 posts in 100 channels were refused, want 100", refused)
		}
	})
}

func TestLoose_doesNotLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 60 {
		w.post(slack.MsgOptionText("x", false))
	}
}

func TestStrict_isObeyedBySlackGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, strict)
		w.api = slack.New(w.BotToken(), slack.OptionAPIURL(w.APIURL()), slack.OptionHTTPClient(w.http), slack.OptionRetry(3))
		start := time.Now()
		for range 8 {
			w.post(slack.MsgOptionText("x", false))
		}
		if took := time.Since(start); took < 3*time.Second || took > 10*time.Second || len(w.Everything(channel)) != 8 {
			t.Errorf("8 posts took %v and left %d", took, len(w.Everything(channel)))
		}
	})
}
