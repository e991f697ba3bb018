// Package webhook is the task type `webhook`: it tells an HTTP end point something.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Options are what the task type needs.
type Options struct {
	// Allow says whether an address may be called, after names are resolved. nil refuses only the
	// link-local addresses, where clouds keep the credentials of machines.
	Allow func(netip.AddrPort) error
	// TLS verifies servers, and may hold a certificate of our own; nil means the roots of the system.
	TLS *tls.Config
	// Timeout bounds a call, the answer included; 0 means 60 s. A task may have a shorter one.
	Timeout time.Duration
}

const (
	maxBody        = 256 << 10        // bytes of an answer that are kept
	dialTimeout    = 10 * time.Second // to connect
	defaultTimeout = 60 * time.Second
	maxQuoted      = 500 // bytes of an answer that a message quotes
)

// Type is the task type.
func Type(o Options) engine.TaskType {
	if o.Allow == nil {
		o.Allow = refuseLinkLocal
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return engine.TaskType{
		Name: "webhook", Summary: "calls an HTTP end point",
		Decode: func(p *playbooks.Properties) (engine.Task, error) { return decode(p, o) },
	}
}

func refuseLinkLocal(a netip.AddrPort) error {
	if ip := a.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
		return fmt.Errorf("%s is a link-local address; playbooks may not call those", ip)
	}
	return nil
}

type task struct {
	options Options
	uri     *url.URL
	method  string
	headers map[string]string
	data    any
	verify  bool
}

func decode(p *playbooks.Properties, o Options) (engine.Task, error) {
	t := &task{options: o, method: strings.ToUpper(p.Text("method", "POST")), headers: p.StringMap("headers"), data: p.Any("data")}
	if t.method != http.MethodGet && t.method != http.MethodPost {
		p.Remedy("method", "write GET or POST", "method cannot be %q", t.method)
	}
	if raw := p.RequireText("uri"); raw != "" {
		var err error
		t.uri, err = url.Parse(raw)
		if err != nil || t.uri.Host == "" || t.uri.Scheme != "http" && t.uri.Scheme != "https" {
			p.Remedy("uri", "write http://… or https://…", "%q is not a web address", raw)
		}
	}
	if _, isMap := t.data.(map[string]any); t.method == http.MethodGet && t.data != nil && !isMap {
		p.Remedy("data", "write key: value lines", "data of a GET must be a mapping")
	}
	t.verify = verifySSL(p)
	t.checkHeaders(p)
	return t, p.Err()
}

// checkHeaders refuses what would end the header, or the request; the value may be a secret and is not shown.
func (t *task) checkHeaders(p *playbooks.Properties) {
	for k, v := range t.headers {
		if k == "" || strings.ContainsAny(k, " \t\r\n:") {
			p.Problem("headers", "%q cannot be the name of a header", k)
		}
		if strings.ContainsAny(v, "\r\n\x00") {
			p.Problem("headers", "the value of %s must be one line", k)
		}
	}
}

// verifySSL accepts the spellings of 2017.
func verifySSL(p *playbooks.Properties) bool {
	switch strings.ToLower(p.Text("verify_ssl", "true")) {
	case "1", "yes", "true", "y", "t":
		return true
	case "0", "no", "false", "n", "f":
		return false
	}
	p.Remedy("verify_ssl", "write true or false", "verify_ssl must be true or false")
	return true
}

// Effect implements [engine.Task].
func (t *task) Effect() engine.Effect {
	if t.method == http.MethodGet {
		return engine.ReadOnly
	}
	return engine.Once
}

// Run implements [engine.Task]. Any answer of the 200s is success; redirects are not followed.
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.options.Timeout,
		engine.Errorf(engine.CodeTimeout, "%s: no answer within %s", t.name(), t.options.Timeout))
	defer cancel()
	req, err := t.request(ctx, c)
	if err != nil {
		return engine.Result{}, err
	}
	client := t.client()
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return engine.Result{}, t.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	return t.judge(ctx, resp)
}

// judge reads the answer, no further than what is kept of it.
func (t *task) judge(ctx context.Context, resp *http.Response) (engine.Result, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	body := strings.ToValidUTF8(string(raw), "\uFFFD")
	result := engine.Result{Message: t.name() + ": " + resp.Status, Data: []any{body}}
	switch {
	case err != nil && ctx.Err() != nil:
		result.Message += ", and then the answer broke off"
		return result, context.Cause(ctx)
	case err != nil:
		result.Message += fmt.Sprintf(", and then the answer broke off: %v", err)
	case resp.StatusCode/100 == 2:
		return result, nil
	case resp.StatusCode/100 == 3:
		result.Message += "; redirects are not followed: write the final address (" + final(resp) + ")"
	default:
		result.Message += "; it said: " + clip(body)
	}
	return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
}

// name says what is called. Queries and passwords in addresses are often secrets, so they are not shown.
func (t *task) name() string { return t.method + " " + show(t.uri) }

func show(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// final is where a redirect leads.
func final(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "it names none"
	}
	return show(u)
}

func (t *task) request(ctx context.Context, c *engine.Call) (*http.Request, error) {
	target := *t.uri
	var body io.Reader
	if t.method == http.MethodPost {
		data := t.data
		if data == nil {
			data = map[string]any{}
		}
		raw, err := json.Marshal(data)
		if err != nil {
			return nil, fmt.Errorf("encode data: %w", err)
		}
		body = bytes.NewReader(raw)
	} else if data, ok := t.data.(map[string]any); ok {
		q := make(url.Values, len(data))
		for k, v := range data {
			q.Set(k, word(v))
		}
		target.RawQuery = strings.Trim(target.RawQuery+"&"+q.Encode(), "&") // what is there stays as it is
	}
	req, err := http.NewRequestWithContext(ctx, t.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "playbot")
	req.Header.Set("X-Choria-Request-ID", c.Key)
	req.Header.Set("Idempotency-Key", c.Key)
	for k, v := range t.headers {
		req.Header.Set(k, v)
		if http.CanonicalHeaderKey(k) == "Host" {
			req.Host = v // where net/http looks for it
		}
	}
	return req, nil
}

// word writes a value into a query: text as it is, the rest as JSON.
func word(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// client checks every address that a name resolves to, at the moment of connecting, so that a name
// cannot point elsewhere after it was checked.
func (t *task) client() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read address %q: %w", address, err)
		}
		return t.options.Allow(a)
	}}
	conf := t.options.TLS.Clone()
	if !t.verify {
		if conf == nil {
			conf = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		conf.InsecureSkipVerify = true
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: dialTimeout,
			DisableKeepAlives: true, // and no proxy: the address that is checked must be the one that is reached
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// unreachable says whether anything left this machine.
func (t *task) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	code := engine.CodeFailed
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		code = engine.CodeNotSent
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // without the address, which is shown without its query
	}
	return engine.Errorf(code, "%s: %v", t.name(), err)
}

func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return s
}
