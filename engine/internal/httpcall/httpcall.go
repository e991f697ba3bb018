// Package httpcall makes the calls of task types that tell an HTTP end point something: to allowed
// addresses only, with bounds on time and on the answer, and without showing what is secret.
package httpcall

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
)

// Options bound every call. The zero value is usable.
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

// Request is one call.
type Request struct {
	Method   string
	URL      *url.URL
	Headers  map[string]string // in place of the defaults, which are for playbot, the request's id and JSON
	Data     any               // the body, as JSON; nil: none
	Insecure bool              // the server is not verified
	ID       string            // equal when a call that was cut off goes again
}

// name says what is called. Queries and passwords in addresses are often secrets, so they are not shown.
func (r Request) name() string { return r.Method + " " + show(r.URL) }

func show(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Do makes a call. Any answer of the 200s is success; redirects are not followed. The result holds
// the answer also when it is an error.
func (o Options) Do(ctx context.Context, r Request) (engine.Result, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout,
		engine.Errorf(engine.CodeTimeout, "%s: no answer within %s", r.name(), o.Timeout))
	defer cancel()
	req, err := r.build(ctx)
	if err != nil {
		return engine.Result{}, err
	}
	client := o.client(r.Insecure)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return engine.Result{}, r.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	return r.judge(ctx, resp)
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.Data != nil {
		raw, err := json.Marshal(r.Data)
		if err != nil {
			return nil, fmt.Errorf("encode data: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), body)
	if err != nil {
		return nil, fmt.Errorf("build the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "playbot")
	req.Header.Set("X-Choria-Request-ID", r.ID)
	req.Header.Set("Idempotency-Key", r.ID)
	for k, v := range r.Headers {
		req.Header.Set(k, v)
		if http.CanonicalHeaderKey(k) == "Host" {
			req.Host = v // where net/http looks for it
		}
	}
	return req, nil
}

// client checks every address that a name resolves to, at the moment of connecting, so that a name
// cannot point elsewhere after it was checked.
func (o Options) client(insecure bool) *http.Client {
	allow := o.Allow
	if allow == nil {
		allow = refuseLinkLocal
	}
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read address %q: %w", address, err)
		}
		return allow(a)
	}}
	conf := o.TLS.Clone()
	if insecure {
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

func refuseLinkLocal(a netip.AddrPort) error {
	if ip := a.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
		return fmt.Errorf("%s is a link-local address; playbooks may not call those", ip)
	}
	return nil
}

// judge reads the answer, no further than what is kept of it.
func (r Request) judge(ctx context.Context, resp *http.Response) (engine.Result, error) {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	body := strings.ToValidUTF8(string(raw), "\uFFFD")
	result := engine.Result{Message: r.name() + ": " + resp.Status, Data: []any{body}}
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

// final is where a redirect leads.
func final(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "it names none"
	}
	return show(u)
}

// unreachable says whether anything left this machine.
func (r Request) unreachable(ctx context.Context, err error) error {
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
	return engine.Errorf(code, "%s: %v", r.name(), err)
}

func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return s
}
