// Package puppetdb asks a PuppetDB for nodes over its query API, version 4: with PQL, or with the tree
// in JSON that PQL stands for.
package puppetdb

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// maxAnswer bounds an answer: 64 MiB is some hundred thousand nodes.
	maxAnswer = 64 << 20
	// errorText is how much of an error's body is shown.
	errorText      = 300
	defaultTimeout = 30 * time.Second
)

// Options say how to reach a PuppetDB.
type Options struct {
	URL     string // https://puppetdb.example.net:8081
	CA      string // PEM files; all three or, for plain http, none
	Cert    string
	Key     string
	Timeout time.Duration // of one query; default 30 s
	// Transport replaces the network, for tests.
	Transport http.RoundTripper
}

// Client queries a PuppetDB. Safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New checks the options and loads the certificates. It does not connect.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("puppetdb: %q is not an address; write it as in https://puppetdb.example.net:8081", o.URL)
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	transport := o.Transport
	if transport == nil {
		if transport, err = o.transport(); err != nil {
			return nil, err
		}
	}
	return &Client{base: strings.TrimSuffix(o.URL, "/"), http: &http.Client{
		Transport: transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (o Options) transport() (http.RoundTripper, error) {
	t := &http.Transport{Proxy: nil, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}
	if o.CA == "" && o.Cert == "" && o.Key == "" {
		return t, nil
	}
	if o.CA == "" || o.Cert == "" || o.Key == "" {
		return nil, errors.New("puppetdb: a CA, a certificate and a key are needed together; set all of puppetdb.ca, cert and key, or none")
	}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
	if err != nil {
		return nil, fmt.Errorf("puppetdb: certificate %s with key %s: %w", o.Cert, o.Key, err)
	}
	data, err := os.ReadFile(o.CA)
	if err != nil {
		return nil, fmt.Errorf("puppetdb: CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("puppetdb: %s holds no certificate in PEM form", o.CA)
	}
	t.TLSClientConfig = &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}
	return t, nil
}

// Close ends the connections that wait for another query. It may be called twice.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Query runs PQL and returns its rows.
func (c *Client) Query(ctx context.Context, pql string) ([]map[string]any, error) {
	return c.rows(ctx, pql)
}

// rows runs PQL or a tree. Both are sent as JSON, in which no value can end early.
func (c *Client) rows(ctx context.Context, query any) ([]map[string]any, error) {
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		return nil, fmt.Errorf("query PuppetDB: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/pdb/query/v4", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("query PuppetDB: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	data, err := c.do(req)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	if err := json.Unmarshal(data, &rows); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("it has a JSON %s", wrong.Value) // the library would name our Go type
		}
		return nil, fmt.Errorf("query PuppetDB at %s: the answer is not a list of rows: %w; is puppetdb.url right?", c.base, err)
	}
	return rows, nil
}

func (c *Client) do(req *http.Request) ([]byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("query PuppetDB at %s: read the answer: %w", c.base, err)
	case len(data) > maxAnswer:
		return nil, fmt.Errorf("query PuppetDB at %s: the answer has more than %d bytes; select fewer fields or nodes", c.base, maxAnswer)
	case resp.StatusCode != http.StatusOK:
		return nil, c.refusal(resp, string(data))
	}
	return data, nil
}

// refusal is what the server said, and what to look at.
func (c *Client) refusal(resp *http.Response, text string) error {
	text = strings.ToValidUTF8(strings.TrimSpace(text), "")
	if len(text) > errorText {
		text = strings.ToValidUTF8(text[:errorText], "") + "…"
	}
	hint := "is puppetdb.url right?"
	switch resp.StatusCode {
	case http.StatusBadRequest:
		hint = "correct the query"
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "let the server's allowlist name the certificate of puppetdb.cert"
	case http.StatusServiceUnavailable:
		hint = "wait until it has started, and look at its log"
	}
	return fmt.Errorf("query PuppetDB at %s: %s: %s; %s", c.base, resp.Status, text, hint)
}

// unreachable says what to look at when there is no answer.
func (c *Client) unreachable(err error) error {
	hint := "is it running, and is puppetdb.url right?"
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || strings.Contains(err.Error(), "tls:") {
		hint = "compare puppetdb.ca, cert and key with what the server trusts"
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return fmt.Errorf("query PuppetDB at %s: %w; %s", c.base, err, hint)
}

// Certnames runs PQL whose rows have a certname, and returns those, each once, in the order of the
// answer. Rows of deactivated or expired nodes are dropped.
func (c *Client) Certnames(ctx context.Context, pql string) ([]string, error) {
	rows, err := c.rows(ctx, pql)
	if err != nil {
		return nil, err
	}
	return certnames(rows)
}

// Select is Certnames for a query that is a tree, such as ["from", "nodes", ["=", "certname", "web1"]]. A
// value in it is a leaf of its own: whatever it holds, it cannot change the query.
func (c *Client) Select(ctx context.Context, tree []any) ([]string, error) {
	rows, err := c.rows(ctx, tree)
	if err != nil {
		return nil, err
	}
	return certnames(rows)
}

func certnames(rows []map[string]any) ([]string, error) {
	seen := make(map[string]bool)
	var out []string
	for _, row := range rows {
		name, ok := row["certname"]
		if !ok {
			return nil, errors.New("the rows of the query have no certname; begin it as in nodes[certname] { … }")
		}
		s, isText := name.(string)
		if !isText || s == "" || row["deactivated"] != nil && row["deactivated"] != false || row["expired"] != nil && row["expired"] != false || seen[s] {
			continue
		}
		seen[s] = true
		out = append(out, s)
	}
	return out, nil
}

// Ping asks whether the server is up.
func (c *Client) Ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/status/v1/simple", nil)
	if err != nil {
		return err
	}
	data, err := c.do(req)
	if err == nil && strings.TrimSpace(string(data)) != "running" {
		err = fmt.Errorf("PuppetDB at %s says %q and not that it is running; look at its log", c.base, data)
	}
	return err
}

// Version asks which version the server has.
func (c *Client) Version(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/pdb/meta/v1/version", nil)
	if err != nil {
		return "", err
	}
	data, err := c.do(req)
	if err != nil {
		return "", err
	}
	var answer struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.Version == "" {
		return "", fmt.Errorf("PuppetDB at %s does not tell its version; is puppetdb.url right?", c.base)
	}
	return answer.Version, nil
}
