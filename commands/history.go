package commands

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) historyVerb() verb {
	return verb{
		name: "history", aliases: []string{"hist"}, reads: true,
		form:    "history [PLAYBOOK] [--user @WHO|me] [--status STATUS] [--since 7d] [--limit N]",
		summary: "past runs, the newest first", run: c.past,
		flags: []flag{
			{name: "user", value: "@WHO", about: "asked by this person; me is you"},
			{name: "status", value: "STATUS", about: strings.Join(statuses(), ", ")},
			{name: "since", value: "7d", about: "requested at most so long ago: 90s, 5m, 2h, 7d"},
			{name: "limit", value: "N", about: "at most this many"},
		},
	}
}

func statuses() []string {
	return []string{
		string(engine.RunSuccess), string(engine.RunFailed), string(engine.RunCancelled),
		string(engine.RunRunning), string(engine.RunWaiting), string(engine.RunPreparing),
	}
}

const (
	defaultHistory = 10
	maxHistory     = 50
)

func (c *Commands) past(ctx context.Context, q Request, a args) (Reply, error) {
	if err := a.only(1, c.historyVerb()); err != nil {
		return Reply{}, err
	}
	query, err := historyQuery(a)
	if err != nil {
		return Reply{}, err
	}
	asked := anybody
	if w, ok := a.flags["user"]; ok {
		who := w.person(q.Actor)
		if isID(who) {
			query.User = who
		} else { // a name, as clients send it where they do not name people by id
			asked = func(s engine.Summary) bool { return s.Actor.User == who || strings.EqualFold(s.Actor.Name, who) }
		}
	}
	runs, err := c.findViewable(ctx, q.Actor, query, asked)
	if err != nil {
		return Reply{}, err
	}
	if len(runs) == 0 {
		if _, err := c.book(q.Actor, query.Playbook); query.Playbook != "" && err != nil {
			return Reply{}, err // of a playbook that is gone there may be runs
		}
		return Reply{Blocks: []Block{paragraph(plain("No run that you may see matches. "), code("/playbook run PLAYBOOK"), plain(" starts one."))}}, nil
	}
	list := List{}
	for _, s := range runs {
		list.Items = append(list.Items, summarySpans(s, time.Now()))
	}
	title := plural(len(runs), "run") + ", the newest first"
	if len(runs) == query.Limit {
		title = "The newest " + plural(len(runs), "run")
	}
	return Reply{Title: title, Blocks: []Block{list, Context{Spans: []Span{code("/playbook show RUN"), plain(" shows one of them in full.")}}}}, nil
}

func historyQuery(a args) (engine.HistoryQuery, error) {
	out := engine.HistoryQuery{Limit: defaultHistory}
	var err error
	if out.Playbook, err = a.name(); err != nil {
		return out, err
	}
	if s, ok := a.flag("status"); ok {
		if !slices.Contains(statuses(), s) {
			return out, engine.Errorf(engine.CodeInvalid, "--status cannot be %q; give one of %s", Clean(short(s, 40)), strings.Join(statuses(), ", "))
		}
		out.Status = engine.RunStatus(s)
	}
	if s, ok := a.flag("since"); ok {
		d, err := ParseSpan(s)
		if err != nil {
			return out, engine.Errorf(engine.CodeInvalid, "--since: %v", err)
		}
		out.Since = time.Now().Add(-d)
	}
	if s, ok := a.flag("limit"); ok {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxHistory {
			return out, engine.Errorf(engine.CodeInvalid, "--limit cannot be %q; give a number from 1 to %d", Clean(short(s, 40)), maxHistory)
		}
		out.Limit = n
	}
	return out, nil
}

func anybody(engine.Summary) bool { return true }

// findViewable pages through history until there are enough runs that somebody may view and that
// fit, and returns at most q.Limit.
func (c *Commands) findViewable(ctx context.Context, who engine.Actor, q engine.HistoryQuery, fits func(engine.Summary) bool) ([]engine.Summary, error) {
	limit := q.Limit
	var out []engine.Summary
	for range maxPages {
		page, err := c.history.Find(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range c.viewable(ctx, who, page) {
			if fits(s) {
				out = append(out, s)
			}
		}
		if len(page) < q.Limit || len(out) >= limit {
			break
		}
		q.Before = page[len(page)-1].Run
	}
	return out[:min(len(out), limit)], nil
}

// maxPages bounds how far one answer looks back for runs that its reader may view.
const maxPages = 20

// summarySpans is a run in one line, its id last.
func summarySpans(s engine.Summary, now time.Time) []Span {
	out := []Span{
		plain("%s ", RunMark(s.Status)), bold(s.Playbook.Name), plain(" %s, asked by ", s.Status), mention(s.Actor),
		plain(" %s (%s)", Ago(now.Sub(s.Requested)), s.Requested.UTC().Format("Jan 2 15:04 UTC")),
	}
	if !s.Ended.IsZero() {
		out = append(out, plain(", took %s", Took(s.Ended.Sub(s.Requested))))
	} else if w := s.AwaitsNodes; w != nil {
		out = append(out, plain(", waits for "), outside(Waiting(w)), plain(" since %s", Took(now.Sub(w.Holder.Since))))
	} else if w := s.Awaits; w != nil {
		out = append(out, plain(", waits for the lock "), outside(w.Lock), plain(", which "), runRef(w.Holder.Run), plain(" holds since %s", Took(now.Sub(w.Holder.Since))))
	} else if s.Step != "" {
		out = append(out, plain(", at "), outside(short(s.Step, 80)))
	}
	if s.Parent != nil {
		out = append(out, plain(", started by "), runRef(s.Parent.Run))
	}
	for i, child := range s.Children {
		if i == 0 {
			out = append(out, plain(", started "))
		} else {
			out = append(out, plain(" and "))
		}
		out = append(out, runRef(child))
	}
	return append(out, plain(" — "), runRef(s.Run))
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
