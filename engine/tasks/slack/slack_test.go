package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/playbooks"
)

const token = "xoxb-123-secret-token"

// api is Slack's API as far as one task needs it: by the name of the channel it answers or refuses.
type api struct {
	mu       sync.Mutex // guards what follows
	requests []*http.Request
	bodies   []map[string]any
	stuck    chan struct{} // closed when a request to #stuck is there
	release  chan struct{}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	a.mu.Lock()
	a.requests, a.bodies = append(a.requests, r), append(a.bodies, body)
	a.mu.Unlock()
	switch body["channel"] {
	case "#gone":
		fmt.Fprint(w, `{"ok": false, "error": "channel_not_found"}`)
	case "#busy":
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"ok": false, "error": "ratelimited"}`)
	case "#down":
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, `<html>`)
	case "#big":
		fmt.Fprintf(w, `{"ok": true, "message": %q}`, strings.Repeat("x", 50_000))
	case "#stuck":
		close(a.stuck)
		<-a.release
	default:
		fmt.Fprint(w, `{"ok": true, "ts": "1.2", "channel": "C1"}`)
	}
}

func server(t *testing.T) (*api, slack.Options) {
	t.Helper()
	a := &api{stuck: make(chan struct{}), release: make(chan struct{})}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(a.release) })
	return a, slack.Options{APIURL: srv.URL + "/api"}
}

func message(channel string, more ...any) map[string]any {
	m := map[string]any{"channel": channel, "text": "*bravo* is done"}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func run(t *testing.T, o slack.Options, properties map[string]any) (engine.Result, error) {
	t.Helper()
	task, err := slack.Type(o).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	c := tasktest.Call(nil)
	c.Describe = "tell <!channel> & all"
	return task.Run(t.Context(), c)
}

func TestSlack_passesTheSuite(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	tasktest.Run(t, tasktest.Case{
		Type: slack.Type(o), Secret: token,
		Good: message("#ops", "token", token), Bad: message("#gone", "token", token), Big: message("#big", "token", token),
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return message("#stuck", "token", token), a.stuck },
	})
}

func TestSlack_withTokenPostsAnAttachment(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	result, err := run(t, o, message("#ops", "token", token))
	if err != nil || result.Message != "posted to #ops" {
		t.Fatalf("got %q, %v", result.Message, err)
	}
	want := map[string]any{
		"channel": "#ops", "username": "playbot", "unfurl_links": false, "unfurl_media": false,
		"attachments": []any{map[string]any{
			"fallback": "*bravo* is done", "text": "*bravo* is done", "color": "#ffa449", "footer": "playbot",
			"pretext": "Task: tell &lt;!channel&gt; &amp; all",
			"fields": []any{
				map[string]any{"title": "user", "value": "ana", "short": true},
				map[string]any{"title": "playbook", "value": "suite", "short": true},
			},
		}},
	}
	if d := cmp.Diff(want, a.bodies[0]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]any{map[string]any{"ok": true, "ts": "1.2", "channel": "C1"}}, result.Data); d != "" {
		t.Error(d)
	}
}

func TestSlack_tokenTravelsInTheHeaderAlone(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	if _, err := run(t, o, message("#ops", "token", token)); err != nil {
		t.Fatal(err)
	}
	r := a.requests[0]
	if r.Method != http.MethodPost || r.URL.String() != "/api/chat.postMessage" || r.Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("got %s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}
	if raw, _ := json.Marshal(a.bodies[0]); strings.Contains(string(raw), token) {
		t.Errorf("the token is in the body: %s", raw)
	}
}

func TestSlack_looksAreTheTasksOwn(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	if _, err := run(t, o, message("#ops", "token", token, "color", "danger", "username", "deployer")); err != nil {
		t.Fatal(err)
	}
	attachment := a.bodies[0]["attachments"].([]any)[0].(map[string]any)
	if a.bodies[0]["username"] != "deployer" || attachment["color"] != "danger" {
		t.Errorf("got %v", a.bodies[0])
	}
}

func TestSlack_refusalsAreFailuresThatSaySlacksWord(t *testing.T) {
	t.Parallel()
	_, o := server(t)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for _, row := range []struct {
		channel, url, want string
		code               engine.Code
	}{
		{"#gone", o.APIURL, "channel_not_found", engine.CodeFailed},
		{"#busy", o.APIURL, "ratelimited", engine.CodeFailed},
		{"#down", o.APIURL, "502 Bad Gateway", engine.CodeFailed},
		{"#ops", nobody.URL, "connection refused", engine.CodeNotSent},
	} {
		result, err := run(t, slack.Options{APIURL: row.url}, message(row.channel, "token", token))
		if engine.CodeOf(err) != row.code || !strings.Contains(result.Message, row.want) || !strings.Contains(result.Message, row.channel) {
			t.Errorf("%s: got %q, %v; want %q", row.channel, result.Message, err, row.want)
		}
	}
}

// poster remembers what the bot was asked to say.
type poster struct {
	said []slack.Message
	err  error
}

func (p *poster) Post(_ context.Context, m slack.Message) error {
	p.said = append(p.said, m)
	return p.err
}

func TestSlack_withoutTokenSpeaksThroughTheBot(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	p := &poster{}
	o.Poster = p
	result, err := run(t, o, message("#ops"))
	if err != nil || result.Message != "posted to #ops" || len(p.said) != 1 || len(a.requests) != 0 {
		t.Fatalf("got %q, %v; the bot said %v, Slack heard %d", result.Message, err, p.said, len(a.requests))
	}
	got := p.said[0]
	if got.Channel != "#ops" || got.Text != "*bravo* is done" || got.Color != "#ffa449" || got.Title != "tell <!channel> & all" || got.Run.Playbook.Name != "suite" {
		t.Errorf("got %+v", got)
	}
	p.err = errors.New("not_in_channel")
	if result, err := run(t, o, message("#ops")); !errors.Is(err, p.err) || !strings.Contains(result.Message, "not_in_channel") {
		t.Errorf("when the bot cannot: got %q, %v", result.Message, err)
	}
}

func TestSlack_withoutBotOrTokenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	if _, err := run(t, slack.Options{}, message("#ops")); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "token") {
		t.Errorf("got %v", err)
	}
}

func TestSlack_channelAndTextAreNeeded(t *testing.T) {
	t.Parallel()
	_, err := slack.Type(slack.Options{}).Decode(playbooks.FromMap(map[string]any{"token": token}))
	if err == nil || !strings.Contains(err.Error(), "channel is missing") || !strings.Contains(err.Error(), "text is missing") {
		t.Errorf("got %v", err)
	}
}
