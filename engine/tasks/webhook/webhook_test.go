package webhook_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/webhook"
	"github.com/playbot/playbot/playbooks"
)

const secret = "hunter2hunter2"

// hook answers by path and remembers what it was asked.
type hook struct {
	mu      sync.Mutex // guards what follows
	seen    []*http.Request
	bodies  []string
	stuck   chan struct{} // closed when a request to /stuck is there
	release chan struct{}
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	h.seen, h.bodies = append(h.seen, r), append(h.bodies, string(body))
	h.mu.Unlock()
	switch r.URL.Path {
	case "/201":
		w.WriteHeader(http.StatusCreated)
	case "/404":
		http.Error(w, "no such hook", http.StatusNotFound)
	case "/500":
		http.Error(w, strings.Repeat("long ", 10_000), http.StatusInternalServerError)
	case "/302":
		http.Redirect(w, r, "/hook?token="+secret, http.StatusFound)
	case "/big":
		w.Write([]byte(strings.Repeat("\xff\x00<", 1<<20)))
	case "/broken":
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half"))
	case "/stuck":
		close(h.stuck)
		<-h.release
	case "/hang":
		<-h.release
	default:
		io.WriteString(w, "thank you")
	}
}

func server(t *testing.T) (*hook, string) {
	t.Helper()
	h := &hook{stuck: make(chan struct{}), release: make(chan struct{})}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(h.release) })
	return h, srv.URL
}

func run(t *testing.T, o webhook.Options, properties map[string]any) (engine.Result, error) {
	t.Helper()
	p := playbooks.FromMap(properties)
	task, err := webhook.Type(o).Decode(p)
	if err = errors.Join(err, p.Err()); err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	c := tasktest.Call(nil)
	c.Key = "0123456789abcdef0123456789abcdef"
	return task.Run(t.Context(), c)
}

func TestWebhook_passesTheSuite(t *testing.T) {
	t.Parallel()
	h, url := server(t)
	hidden := map[string]any{"Authorization": "Bearer " + secret}
	call := func(path string) map[string]any {
		return map[string]any{"uri": url + path + "?token=" + secret, "headers": hidden, "data": map[string]any{"password": secret}}
	}
	tasktest.Run(t, tasktest.Case{
		Type: webhook.Type(webhook.Options{}), Secret: secret, Good: call("/hook"), Bad: call("/302"), Big: call("/big"),
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return call("/stuck"), h.stuck },
	})
}

func TestWebhook_postSendsJSON(t *testing.T) {
	t.Parallel()
	for want, data := range map[string]any{
		`{}`:                        nil,
		`{"n":1000000,"who":["a"]}`: map[string]any{"n": 1000000.0, "who": []any{"a"}},
		`["a",1]`:                   []any{"a", 1},
		`"text"`:                    "text",
	} {
		h, url := server(t)
		properties := map[string]any{"uri": url + "/hook?a=b", "headers": map[string]any{"x-tier": "bravo", "X-N": 5}}
		if data != nil {
			properties["data"] = data
		}
		result, err := run(t, webhook.Options{}, properties)
		if err != nil || result.Message != "POST "+url+"/hook: 200 OK" || result.Data.([]any)[0] != "thank you" {
			t.Errorf("got %+v, %v", result, err)
		}
		r := h.seen[0]
		if r.Method != http.MethodPost || h.bodies[0] != want || r.URL.RawQuery != "a=b" {
			t.Errorf("got %s %s with %s, want %s", r.Method, r.URL, h.bodies[0], want)
		}
		for k, v := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "playbot", "X-Tier": "bravo", "X-N": "5",
			"X-Choria-Request-ID": "0123456789abcdef0123456789abcdef", "Idempotency-Key": "0123456789abcdef0123456789abcdef",
		} {
			if r.Header.Get(k) != v {
				t.Errorf("%s: got %q, want %q", k, r.Header.Get(k), v)
			}
		}
	}
}

func TestWebhook_everyDefaultHeaderCanBeReplaced(t *testing.T) {
	t.Parallel()
	h, url := server(t)
	_, err := run(t, webhook.Options{}, map[string]any{"uri": url, "headers": map[string]any{
		"content-type": "text/plain", "User-Agent": "me", "X-Choria-Request-ID": "mine", "host": "hooks.example.net",
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := h.seen[0]
	if r.Header.Get("Content-Type") != "text/plain" || r.UserAgent() != "me" || r.Header.Get("X-Choria-Request-ID") != "mine" || r.Host != "hooks.example.net" {
		t.Errorf("got %v for host %s", r.Header, r.Host)
	}
}

func TestWebhook_getPutsDataIntoTheQuery(t *testing.T) {
	t.Parallel()
	h, url := server(t)
	result, err := run(t, webhook.Options{}, map[string]any{
		"uri": url + "/hook?z=1&a=%20b", "method": "get", "data": map[string]any{"tier": "a&b", "n": 1000000.0, "list": []any{"x", 1}},
	})
	if err != nil || result.Message != "GET "+url+"/hook: 200 OK" {
		t.Errorf("got %q, %v", result.Message, err)
	}
	r := h.seen[0]
	if got, want := r.URL.RawQuery, "z=1&a=%20b&list=%5B%22x%22%2C1%5D&n=1000000&tier=a%26b"; r.Method != http.MethodGet || got != want {
		t.Errorf("got %s %s, want %s", r.Method, got, want)
	}
	if h.bodies[0] != "" || r.Header.Get("Content-Type") != "" {
		t.Errorf("got the body %q of type %q", h.bodies[0], r.Header.Get("Content-Type"))
	}
}

func TestWebhook_answersDecide(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/201":    "",
		"/404":    "404 Not Found; it said: no such hook",
		"/500":    "500 Internal Server Error; it said: long",
		"/302":    "302 Found; redirects are not followed: write the final address (",
		"/broken": "200 OK, and then the answer broke off",
	} {
		h, url := server(t)
		result, err := run(t, webhook.Options{}, map[string]any{"uri": url + path})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: got %v", path, err)
		case want != "" && (engine.CodeOf(err) != engine.CodeFailed || !strings.Contains(err.Error(), want) || err.Error() != result.Message):
			t.Errorf("%s: got %q, %v; want %q", path, result.Message, err, want)
		}
		if len(result.Message) > 800 || len(h.seen) != 1 {
			t.Errorf("%s: %d requests, a message of %d bytes", path, len(h.seen), len(result.Message))
		}
	}
}

func TestWebhook_slowServerIsATimeout(t *testing.T) {
	t.Parallel()
	_, url := server(t)
	_, err := run(t, webhook.Options{Timeout: 50 * time.Millisecond}, map[string]any{"uri": url + "/hang"})
	if engine.CodeOf(err) != engine.CodeTimeout || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("got %v", err)
	}
}

func TestWebhook_unreachableServerIsNotSent(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	for _, uri := range []string{srv.URL + "/x?token=" + secret, "http://no-such-host.invalid/"} {
		_, err := run(t, webhook.Options{}, map[string]any{"uri": uri})
		if engine.CodeOf(err) != engine.CodeNotSent || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v (%s)", uri, err, engine.CodeOf(err))
		}
	}
}

func TestWebhook_addressesAreCheckedBeforeConnecting(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"http://169.254.169.254/latest", "http://[fe80::1%25lo]/", "http://[::ffff:169.254.169.254]/"} {
		_, err := run(t, webhook.Options{}, map[string]any{"uri": uri})
		if engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "link-local") {
			t.Errorf("%s: got %v", uri, err)
		}
	}
	h, url := server(t)
	refuse := func(a netip.AddrPort) error { return errors.New("not " + a.Addr().String()) }
	if _, err := run(t, webhook.Options{Allow: refuse}, map[string]any{"uri": url}); err == nil || !strings.Contains(err.Error(), "not 127.0.0.1") || len(h.seen) != 0 {
		t.Errorf("got %v after %d requests", err, len(h.seen))
	}
}

func TestWebhook_serversAreVerifiedUnlessSaidOtherwise(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	t.Cleanup(srv.Close)
	srv.Config.ErrorLog = nil
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	known := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	for _, row := range []struct {
		verify any
		conf   *tls.Config
		ok     bool
	}{{nil, nil, false}, {nil, known, true}, {true, known, true}, {"yes", nil, false}, {"n", nil, true}, {false, nil, true}, {0, known, true}} {
		properties := map[string]any{"uri": srv.URL}
		if row.verify != nil {
			properties["verify_ssl"] = row.verify
		}
		_, err := run(t, webhook.Options{TLS: row.conf}, properties)
		if (err == nil) != row.ok {
			t.Errorf("verify_ssl %v, roots known %v: got %v", row.verify, row.conf != nil, err)
		}
	}
	if known.InsecureSkipVerify {
		t.Error("verify_ssl: false of one task changed the options of all")
	}
}

func TestWebhook_refusesWhatItCannotSend(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"uri is missing":             {},
		"is not a web address":       {"uri": "ftp://x/"},
		`method cannot be "PUT"`:     {"uri": "http://x/", "method": "put"},
		"data of a GET must be a":    {"uri": "http://x/", "method": "GET", "data": []any{"a"}},
		"verify_ssl must be true":    {"uri": "http://x/", "verify_ssl": "maybe"},
		"headers must be a mapping":  {"uri": "http://x/", "headers": []any{"a"}},
		"the value of X must be one": {"uri": "http://x/", "headers": map[string]any{"X": "a\r\nY: " + secret}},
		"cannot be the name of a he": {"uri": "http://x/", "headers": map[string]any{"X Y": "a"}},
	} {
		_, err := webhook.Type(webhook.Options{}).Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

func TestWebhook_onlyReadingIsRepeatable(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]engine.Effect{"GET": engine.ReadOnly, "POST": engine.Once} {
		task, err := webhook.Type(webhook.Options{}).Decode(playbooks.FromMap(map[string]any{"uri": "http://x/", "method": method}))
		if err != nil || task.Effect() != want {
			t.Errorf("%s: got %v, %v; want %v", method, task, err, want)
		}
	}
}
