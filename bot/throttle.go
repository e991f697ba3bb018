package bot

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// limitedFor is how long a method is left alone when Slack says 429 and not for how long.
const limitedFor = 30 * time.Second

// throttle keeps to what Slack says with a 429: the method is not called again in the workspace before
// that time is over, whoever wants to (docs.slack.dev/apis/web-api/rate-limits). A call that comes too
// early is answered here, with the time that is left.
type throttle struct {
	next http.RoundTripper
	api  string // what the addresses of the Web API begin with

	mu    sync.Mutex // guards what follows
	until map[string]time.Time
}

// throttled is a client that keeps to what Slack says with a 429.
func throttled(c *http.Client, api string) *http.Client {
	out := *c
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	if api == "" {
		api = slack.APIURL
	}
	out.Transport = &throttle{next: next, api: api, until: map[string]time.Time{}}
	return &out
}

// RoundTrip implements http.RoundTripper.
func (t *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	method := ""
	if address := r.URL.String(); strings.HasPrefix(address, t.api) {
		method = path.Base(r.URL.Path)
	}
	if wait := t.left(method); wait > 0 {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return early(r, wait), nil
	}
	resp, err := t.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		wait := retryAfter(resp.Header)
		resp.Header.Set("Retry-After", seconds(wait)) // in the form in which everybody reads it
		t.close(method, wait)
	}
	return resp, err
}

// left is how long a method may not be called.
func (t *throttle) left(method string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, closed := t.until[method]
	if !closed {
		return 0
	}
	wait := time.Until(until)
	if wait <= 0 {
		delete(t.until, method)
	}
	return wait
}

func (t *throttle) close(method string, wait time.Duration) {
	if method == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(wait); until.After(t.until[method]) {
		t.until[method] = until
	}
}

// retryAfter is how long Slack wants to be left alone.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64)
	if err != nil || n < 0 || n > 24*3600 {
		return limitedFor
	}
	return time.Duration(max(n, 1) * float64(time.Second))
}

// seconds are whole ones, and never fewer.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// early answers a call that comes before its time.
func early(r *http.Request, wait time.Duration) *http.Response {
	body := []byte(`{"ok":false,"error":"ratelimited"}`)
	return &http.Response{
		StatusCode: http.StatusTooManyRequests, Status: "429 Too Many Requests", Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: http.Header{"Retry-After": []string{seconds(wait)}, "Content-Type": []string{"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
