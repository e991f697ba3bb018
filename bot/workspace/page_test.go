package workspace_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/bot/workspace"
)

// ask makes a request of the page with whatever headers; it returns the status, the headers and the body.
func (w *world) ask(method, path, body string, change func(*http.Request)) (int, http.Header, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, w.URL()+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(raw)
}

// page asks the page's own API as its script does.
func (w *world) page(method, path string, in any) map[string]any {
	w.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	_, _, body := w.ask(method, "/pagetoken/api/"+path, string(raw), func(r *http.Request) { r.Header.Set("Origin", w.URL()) })
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		w.t.Fatalf("%s answered %q: %v", path, body, err)
	}
	return out
}

// The page can start runs, so only this machine, the right address and the page itself get in.
func TestPage_letsInOnlyWhoKnowsTheAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	port := w.URL()[strings.LastIndex(w.URL(), ":"):]
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	origin := func(o string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Origin", o) } }
	for what, c := range map[string]struct {
		path   string
		change func(*http.Request)
		want   int
	}{
		"the page":                  {"/pagetoken/", nil, 200},
		"its script":                {"/pagetoken/app.js", nil, 200},
		"by the name localhost":     {"/pagetoken/", host("localhost" + port), 200},
		"from itself":               {"/pagetoken/api/state", origin(w.URL()), 200},
		"without the token":         {"/", nil, 404},
		"with another token":        {"/pagetokem/", nil, 404},
		"with a part of the token":  {"/page/", nil, 404},
		"data with another token":   {"/pagetokem/api/state", nil, 404},
		"under a name of an enemy":  {"/pagetoken/", host("rebound.example" + port), 403},
		"on another port":           {"/pagetoken/", host("127.0.0.1:1"), 403},
		"from a page of an enemy":   {"/pagetoken/api/state", origin("https://evil.example"), 403},
		"from a sandboxed page":     {"/pagetoken/api/state", origin("null"), 403},
		"from another local server": {"/pagetoken/api/state", origin("http://127.0.0.1:1"), 403},
		"out of its folder":         {"/pagetoken/../page.go", nil, 404},
		"what is not there":         {"/pagetoken/nothing.js", nil, 404},
	} {
		status, header, body := w.ask(http.MethodGet, c.path, "", c.change)
		if status != c.want {
			t.Errorf("%s: %d, want %d", what, status, c.want)
		}
		if header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: other pages may read it", what)
		}
		if status == 403 && strings.Contains(body, "users") {
			t.Errorf("%s: it got %s", what, body)
		}
	}
	if status, _, _ := w.ask(http.MethodPost, "/pagetoken/api/say", `{"as":"ana","channel":"deploys","text":"hi"}`, origin("https://evil.example")); status != 403 || len(w.Everything(channel)) != 0 {
		t.Errorf("a page of an enemy said something: %d", status)
	}
	if w.PageURL() != w.URL()+"/pagetoken/" {
		t.Errorf("the page is at %q", w.PageURL())
	}
}

func TestPage_forbidsScriptsOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, path := range []string{"/pagetoken/", "/pagetoken/app.js", "/pagetoken/api/state?as=U0ANA"} {
		_, header, body := w.ask(http.MethodGet, path, "", nil)
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, header)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "<style") || strings.Contains(body, " onclick=") || strings.Contains(body, " style=") {
			t.Errorf("%s has inline script or style, which its policy forbids", path)
		}
	}
}

func TestListen_refusesWhatOthersCanReach(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"0.0.0.0:0": "not a loopback address", ":0": "not a loopback address", "192.0.2.1:0": "not a loopback address",
		"[::]:0": "not a loopback address", "example.com:0": "not a loopback address", "127.0.0.1": "missing port",
	} {
		w := workspace.New(workspace.Options{})
		t.Cleanup(w.Stop)
		if err := w.Listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", address, err, says)
		}
	}
	for _, address := range []string{"localhost:0", "127.0.0.2:0"} {
		w := workspace.New(workspace.Options{})
		t.Cleanup(w.Stop)
		if err := w.Listen(t.Context(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestPage_actsAndShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(formApp)
	ts := w.post(slack.MsgOptionText("fallback", false), slack.MsgOptionBlocks(sectionOf("ready?"), buttons("go")))
	w.post(slack.MsgOptionText("a reply", false), slack.MsgOptionTS(ts))

	state := w.page(http.MethodGet, "state?as=U0ANA", nil)
	if len(state["users"].([]any)) != 4 || len(state["channels"].([]any)) != 3 || state["view"] != nil || state["command"] != "/playbook" {
		t.Errorf("the state is %v", state)
	}
	shown := w.page(http.MethodGet, "messages?as=U0ANA&channel=C0DEPLOYS", nil)["messages"].([]any)
	card := shown[0].(map[string]any)
	if len(shown) != 1 || card["ts"] != ts || card["reply_count"] != 1.0 || card["is_bot"] != true {
		t.Errorf("the channel shows %v", shown)
	}
	if thread := w.page(http.MethodGet, "thread?as=U0ANA&channel=C0DEPLOYS&ts="+ts, nil)["messages"].([]any); len(thread) != 2 {
		t.Errorf("the thread shows %v", thread)
	}
	// What the page knows of a block is enough to press its button.
	block := card["blocks"].([]any)[1].(map[string]any)
	press := obj{"as": "U0ANA", "container": obj{"type": "message", "channel": "C0DEPLOYS", "ts": ts}, "block_id": block["block_id"], "action_id": "go"}
	if out := w.page(http.MethodPost, "act", press); out["ok"] != true {
		t.Errorf("the press: %v", out)
	}
	if out := w.page(http.MethodPost, "say", obj{"as": "U0ANA", "channel": "C0DEPLOYS", "text": "hello"}); out["ok"] != true {
		t.Errorf("the words: %v", out)
	}
	if out := w.page(http.MethodPost, "say", obj{"as": "U0ANA", "channel": "C0DEPLOYS", "text": "/giphy"}); out["ok"] != false || !strings.Contains(out["error"].(string), "not a command") {
		t.Errorf("another command: %v", out)
	}
	if out := w.page(http.MethodPost, "say", obj{"as": "U0ANA", "channel": "C0DEPLOYS", "text": "/playbook run"}); out["ok"] != true {
		t.Errorf("the command: %v", out)
	}
	view := w.page(http.MethodGet, "state?as=U0ANA", nil)["view"].(map[string]any)
	submit := func(name string) map[string]any {
		return w.page(http.MethodPost, "submit", obj{"as": "U0ANA", "view_id": view["id"], "values": obj{"who": obj{"name": obj{"value": name}}}})
	}
	if out := submit("wrong"); out["ok"] != false || out["errors"].(map[string]any)["who"] == "" {
		t.Errorf("a wrong submission: %v", out)
	}
	if out := submit("ben"); out["ok"] != true {
		t.Errorf("a submission: %v", out)
	}
	if out := w.page(http.MethodPost, "close", obj{"as": "U0ANA", "view_id": view["id"]}); out["ok"] != false {
		t.Errorf("closing what is closed: %v", out)
	}
	if out := w.page(http.MethodPost, "open_home", obj{"as": "U0ANA"}); out["ok"] != true {
		t.Errorf("the Home tab: %v", out)
	}
	if out := w.page(http.MethodGet, "home?as=U0ANA", nil); out["view"] != nil {
		t.Errorf("a Home tab that nobody published: %v", out)
	}
	if out := w.page(http.MethodPost, "options", press); out["error"] != nil {
		t.Errorf("options: %v", out)
	}
	if _, _, body := w.ask(http.MethodPost, "/pagetoken/api/say", "{", nil); !strings.Contains(body, "read the request") {
		t.Errorf("a broken request: %s", body)
	}
}

// The stream tells each person of what they may see.
func TestPage_streamsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.PageURL()+"api/stream?as=U0BEN", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := w.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || lines.Text() != ": open" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	if _, err := w.api.PostEphemeralContext(t.Context(), "C0DEPLOYS", "U0ANA", slack.MsgOptionText("for ana", false)); err != nil {
		t.Fatal(err)
	}
	ts := w.post(slack.MsgOptionText("for all", false))
	for lines.Scan() {
		raw, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var change map[string]any
		if err := json.Unmarshal([]byte(raw), &change); err != nil {
			t.Fatal(err)
		}
		if change["kind"] != "message" || change["ts"] != ts || change["channel"] != "C0DEPLOYS" {
			t.Errorf("ben is told first of %v, want the message for all", change)
		}
		return
	}
	t.Error("the stream ended")
}
