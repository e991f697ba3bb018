// Package webhook is the task type `webhook`: it tells an HTTP end point something.
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/httpcall"
	"github.com/playbot/playbot/playbooks"
)

// Options are what the task type needs. The zero value is usable.
type Options = httpcall.Options

// Type is the task type.
func Type(o Options) engine.TaskType {
	return engine.TaskType{
		Name: "webhook", Summary: "calls an HTTP end point", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) { return decode(p, o) },
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "uri", Kind: playbooks.KindText, Required: true,
			Doc: "The address to call: `http://…` or `https://…`. Any answer of the 200s is success; redirects are not followed; an answer is waited for at most 60 seconds.",
		},
		{
			Name: "method", Kind: playbooks.KindText, Default: http.MethodPost, Choices: []string{http.MethodGet, http.MethodPost},
			Doc: "How it is called, in capitals or not. A `GET` counts as reading, so that a restart may repeat it.",
		},
		{
			Name: "data", Kind: playbooks.KindAny,
			Doc: "What is sent: with `POST` any value, as JSON (without it an empty mapping); with `GET` a mapping that is added to the query of the address, " +
				"in which values that are no text are written as JSON.",
		},
		httpcall.HeadersKey(),
		{Name: "verify_ssl", Kind: playbooks.KindBool, Default: "true", Doc: "Whether the certificate of an `https` server is verified. `1`, `y`, `t`, `0`, `n` and `f` are understood too."},
	}
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
	t := &task{
		options: o, method: strings.ToUpper(p.Text("method", http.MethodPost)), headers: httpcall.Headers(p),
		data: p.Any("data"), uri: httpcall.Address(p, "uri"), verify: verifySSL(p),
	}
	if t.method != http.MethodGet && t.method != http.MethodPost {
		p.Remedy("method", "write GET or POST", "method cannot be %q", t.method)
	}
	if _, isMap := t.data.(map[string]any); t.method == http.MethodGet && t.data != nil && !isMap {
		p.Remedy("data", "write key: value lines", "data of a GET must be a mapping")
	}
	return t, p.Err()
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

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	r := httpcall.Request{Method: t.method, URL: t.uri, Headers: t.headers, Insecure: !t.verify, ID: c.Key}
	switch {
	case t.method == http.MethodGet:
		r.URL = t.query()
	case t.data == nil:
		r.Data = map[string]any{}
	default:
		r.Data = t.data
	}
	return t.options.Do(ctx, r)
}

// query adds the data to the address; what is there stays as it is.
func (t *task) query() *url.URL {
	target := *t.uri
	if data, ok := t.data.(map[string]any); ok {
		q := make(url.Values, len(data))
		for k, v := range data {
			q.Set(k, word(v))
		}
		target.RawQuery = strings.Trim(target.RawQuery+"&"+q.Encode(), "&")
	}
	return &target
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
