package workspace_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/goleak"

	"github.com/playbot/playbot/bot/workspace"
)

func TestMain(m *testing.M) {
	// net/http waits half a second before it closes on a client that sent too much.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	channel = "deploys"
	patient = 20 * time.Second // bounds every wait; nothing takes so long
)

// world is a workspace, and an app on the real slack-go client that is connected to it.
type world struct {
	*workspace.Server

	t    *testing.T
	http *http.Client
	dial *websocket.Dialer
	api  *slack.Client
	sock *socketmode.Client
	seen chan socketmode.Event // what reached the app, after it was handled
}

// handler is what an app does with one event; it acks.
type handler func(w *world, e socketmode.Event)

// ack is the handler of an app without words.
func ack(w *world, e socketmode.Event) { w.ack(e) }

func (w *world) ack(e socketmode.Event, payload ...any) {
	if e.Request != nil {
		_ = w.sock.Ack(*e.Request, payload...) // the connection may be gone, which is what tests look at
	}
}

// newWorld starts a workspace on a real socket.
func newWorld(t *testing.T, change func(*workspace.Options)) *world {
	t.Helper()
	transport := &http.Transport{}
	w := build(t, change, &http.Client{Transport: transport}, websocket.DefaultDialer)
	if err := w.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return w.client()
}

// pipedWorld starts a workspace in a synctest bubble, where waiting takes no time.
func pipedWorld(t *testing.T, change func(*workspace.Options)) *world {
	t.Helper()
	pipe := workspace.NewPipe()
	w := build(t, change, pipe.Client(), &websocket.Dialer{NetDialContext: pipe.Dial})
	w.Serve(pipe)
	return w.client()
}

func build(t *testing.T, change func(*workspace.Options), client *http.Client, dial *websocket.Dialer) *world {
	t.Helper()
	o := workspace.Options{BotToken: "xoxb-test", AppToken: "xapp-test", PageToken: "pagetoken", AppID: "A1"}
	if change != nil {
		change(&o)
	}
	w := &world{Server: workspace.New(o), t: t, http: client, dial: dial, seen: make(chan socketmode.Event, 1000)}
	t.Cleanup(w.Stop)
	return w
}

func (w *world) client() *world {
	w.api = slack.New(w.BotToken(), slack.OptionAppLevelToken(w.AppToken()), slack.OptionAPIURL(w.APIURL()), slack.OptionHTTPClient(w.http))
	return w
}

// connect starts an app and waits until the workspace counts its socket.
func (w *world) connect(handle handler) *world {
	w.t.Helper()
	w.start(handle)
	w.until("the app to connect", func() bool { return w.Connected() > 0 })
	return w
}

func (w *world) start(handle handler) {
	w.sock = socketmode.New(w.api, socketmode.OptionDialer(w.dial))
	ctx, cancel := context.WithCancel(context.Background())
	ran, read := make(chan error, 1), make(chan struct{})
	go func() { ran <- w.sock.RunContext(ctx) }()
	go func() {
		defer close(read)
		for {
			select {
			case e := <-w.sock.Events:
				handle(w, e)
				w.seen <- e
			case <-ctx.Done():
				return
			}
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		<-read
		<-ran
	})
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	if err := w.Until(ctx, ok); err != nil {
		w.t.Fatalf("waited for %s in vain; #%s shows:\n%s", what, channel, w.transcript())
	}
}

func (w *world) transcript() string {
	var b strings.Builder
	for _, m := range w.Everything(channel) {
		b.WriteString(w.PlainText(m) + "\n---\n")
	}
	return b.String()
}

// next waits for an event of one kind that reached the app.
func (w *world) next(kind socketmode.EventType) socketmode.Event {
	w.t.Helper()
	timeout := time.NewTimer(patient)
	defer timeout.Stop()
	for {
		select {
		case e := <-w.seen:
			if e.Type == kind {
				return e
			}
		case <-timeout.C:
			w.t.Fatalf("no %s reached the app", kind)
		}
	}
}

// noViolations fails the test when the workspace would have refused something.
func (w *world) noViolations() {
	w.t.Helper()
	for _, v := range w.Violations() {
		w.t.Errorf("refused: %s %s %v", v.Method, v.Error, v.Details)
	}
}

// post posts blocks as the bot and returns the ts.
func (w *world) post(options ...slack.MsgOption) string {
	w.t.Helper()
	_, ts, err := w.api.PostMessageContext(w.t.Context(), "#"+channel, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	return ts
}

// answer is what a method of the Web API answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) problem() string {
	name, _ := a.body["error"].(string)
	return name
}

func (a answer) messages() string {
	meta, _ := a.body["response_metadata"].(map[string]any)
	raw, _ := json.Marshal(meta["messages"])
	return string(raw)
}

// send makes a request as no client would.
func (w *world) send(url, token, kind, body string) (int, http.Header, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
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

// call calls a method with JSON.
func (w *world) call(method, token string, params any) answer {
	w.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.callRaw(method, token, "application/json; charset=utf-8", string(raw))
}

func (w *world) callRaw(method, token, kind, body string) answer {
	w.t.Helper()
	a := answer{}
	status, header, text := w.send(w.APIURL()+method, token, kind, body)
	a.status, a.header = status, header
	if err := json.Unmarshal([]byte(text), &a.body); err != nil {
		w.t.Fatalf("%s answered %d %q: %v", method, status, text, err)
	}
	return a
}

// inner is an Events API event as the app sees it.
func inner(e socketmode.Event) any {
	outer, _ := e.Data.(slackevents.EventsAPIEvent)
	return outer.InnerEvent.Data
}

// press is a press on an element of a view.
func press(user, view, action string) workspace.Press {
	return workspace.Press{User: user, View: view, ActionID: action}
}

// drain forgets the events that have reached the app so far.
func (w *world) drain() {
	for {
		select {
		case <-w.seen:
		default:
			return
		}
	}
}
