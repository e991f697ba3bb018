// Package graphiteevent is the task type `graphite_event`: it marks a moment in Graphite.
package graphiteevent

import (
	"context"
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
		Name: "graphite_event", Summary: "marks a moment in Graphite", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) { return decode(p, o) },
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "what", Kind: playbooks.KindText, Required: true, Doc: "What happened: the title of the event."},
		{Name: "data", Kind: playbooks.KindAny, Required: true, Doc: "More about it. Graphite shows text."},
		{
			Name: "graphite", Kind: playbooks.KindText, Required: true,
			Doc: "The address of Graphite's events, such as `https://graphite.example.net/events/`. It is called as a `webhook` is, with `POST`.",
		},
		{Name: "tags", Kind: playbooks.KindTexts, Default: "[choria]", Doc: "The tags of the event; Graphite gets them joined by commas."},
		httpcall.HeadersKey(),
	}
}

type task struct {
	options  Options
	graphite *url.URL
	what     string
	data     any
	tags     []string
	headers  map[string]string
}

func decode(p *playbooks.Properties, o Options) (engine.Task, error) {
	t := &task{
		options: o, what: p.RequireText("what"), data: p.Any("data"), graphite: httpcall.Address(p, "graphite"),
		tags: p.Strings("tags"), headers: httpcall.Headers(p),
	}
	if t.data == nil && !p.Deferred("data") {
		p.Remedy("data", "add data: …", "data is missing")
	}
	if !p.Has("tags") {
		t.tags = []string{"choria"} // 2017's default
	}
	return t, p.Err()
}

// Effect implements [engine.Task]: Graphite keeps what it is told twice as two events.
func (*task) Effect() engine.Effect { return engine.Once }

// Run implements [engine.Task]. The moment is that of the attempt's start.
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	return t.options.Do(ctx, httpcall.Request{
		Method: http.MethodPost, URL: t.graphite, Headers: t.headers, ID: c.Key,
		Data: map[string]any{"what": t.what, "tags": strings.Join(t.tags, ","), "when": c.Started.Unix(), "data": t.data},
	})
}
