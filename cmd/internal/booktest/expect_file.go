package booktest

import (
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// expectation is what must come of a case. What is absent is not looked at.
type expectation struct {
	pos      playbooks.Pos
	outcome  string
	at       playbooks.Pos // of the outcome
	message  wantedText
	steps    *wantedSteps
	calls    *wantedList
	commands *wantedList
	requests *wantedList
	messages *wantedList
	log      *wantedList
	stores   []wantedValue
	took     *wantedSpan
	nodes    []wantedNodes
}

type wantedText struct {
	pos  playbooks.Pos
	find pattern
}

// wantedSteps are the steps of a run in their order.
type wantedSteps struct {
	pos  playbooks.Pos
	list []wantedStep
}

type wantedStep struct {
	pos      playbooks.Pos // of the step
	gap      bool          // any number of steps
	key      string        // path, or part of the description
	status   string
	at       playbooks.Pos // of the status
	message  wantedText
	attempts int
	tries    playbooks.Pos
	ok       *wantedNodes
	failed   *wantedNodes
	silent   *wantedNodes
	took     *wantedSpan
	steps    *wantedSteps // of the run that the step started
}

type wantedNodes struct {
	pos   playbooks.Pos
	name  string
	nodes []string
}

// wantedList is what was done outside, in its order.
type wantedList struct {
	pos  playbooks.Pos
	list []wantedEntry
}

type wantedEntry struct {
	pos   playbooks.Pos
	gap   bool
	find  pattern
	nodes []string // nil: any
	data  map[string]any
}

type wantedValue struct {
	pos        playbooks.Pos
	store, key string
	value      any // nil: the key is not there
}

// wantedSpan bounds a duration.
type wantedSpan struct {
	pos  playbooks.Pos
	text string
	op   string // = < <= > >=
	span time.Duration
}

// outcomes are how a case may end.
func outcomes() []string {
	return []string{"success", "failed", "denied", "expired", "cancelled", "refused"}
}

// statuses are how a step may end.
func statuses() []string {
	return []string{"ok", "failed", "tolerated", "skipped", "denied", "cancelled"}
}

func expectKeys() []string {
	return []string{"outcome", "message", "steps", "calls", "commands", "requests", "messages", "log", "stores", "took", "nodes"}
}

func readExpectation(v value, depth int) expectation {
	e := expectation{pos: v.pos(), outcome: "success"}
	m := v.object("expect", expectKeys()...)
	e.outcome, e.at = m["outcome"].choice("outcome", "success", outcomes()...), m["outcome"].pos()
	e.message, e.took = m["message"].wantedText("message"), m["took"].span("took")
	e.steps = m["steps"].wantedSteps(depth)
	e.calls = m["calls"].wantedList("calls", "nodes", "data")
	e.commands, e.requests = m["commands"].wantedList("commands"), m["requests"].wantedList("requests", "data")
	e.messages, e.log = m["messages"].wantedList("messages"), m["log"].wantedList("log")
	for _, s := range m["stores"].entries("stores") {
		for _, k := range s.value.entries("a data store") {
			e.stores = append(e.stores, wantedValue{pos: k.at, store: s.key, key: k.key, value: k.value.data()})
		}
	}
	for _, s := range m["nodes"].entries("nodes") {
		e.nodes = append(e.nodes, wantedNodes{pos: s.at, name: s.key, nodes: s.value.names("nodes")})
	}
	return e
}

func (v value) wantedText(what string) wantedText {
	if !v.there() {
		return wantedText{}
	}
	return wantedText{v.pos(), v.pattern(what)}
}

// isGap recognises the entry that stands for any others.
func (v value) isGap() bool {
	return v.there() && !v.isMapping() && !v.isList() && (v.node().Value == "..." || v.node().Value == "…")
}

func (v value) wantedSteps(depth int) *wantedSteps {
	if v.n == nil {
		return nil
	}
	if depth > maxDepth {
		v.problem("make it flatter", "the steps nest too deep")
		return nil
	}
	out := &wantedSteps{pos: v.pos()}
	for _, item := range v.items() {
		if item.isGap() {
			out.list = append(out.list, wantedStep{pos: item.pos(), gap: true})
			continue
		}
		entries := item.entries("a step")
		if len(entries) != 1 {
			item.problem(`write it as in - "1 Disable puppet": ok, or - ... for any steps`, "a step is one description or path with its status")
			continue
		}
		out.list = append(out.list, readStep(entries[0], depth))
	}
	return out
}

func readStep(e entry, depth int) wantedStep {
	s := wantedStep{pos: e.at, key: e.key}
	if !e.value.isMapping() {
		s.status, s.at = e.value.choice("the status of a step", "ok", statuses()...), e.value.pos()
		return s
	}
	m := e.value.object("a step", "status", "message", "attempts", "ok", "failed", "silent", "took", "steps")
	s.status, s.at = m["status"].choice("status", "", statuses()...), m["status"].pos()
	s.message, s.took = m["message"].wantedText("message"), m["took"].span("took")
	s.attempts, s.tries = m["attempts"].whole("attempts", -1), m["attempts"].pos()
	for name, to := range map[string]**wantedNodes{"ok": &s.ok, "failed": &s.failed, "silent": &s.silent} {
		if n, ok := m[name]; ok {
			*to = &wantedNodes{pos: n.pos(), name: name, nodes: n.names(name)}
		}
	}
	s.steps = m["steps"].wantedSteps(depth + 1)
	return s
}

// wantedList reads texts; a mapping of one key, such as puppet.disable: web1, adds what more names.
func (v value) wantedList(what string, more ...string) *wantedList {
	if v.n == nil {
		return nil
	}
	out := &wantedList{pos: v.pos()}
	for _, item := range v.items() {
		e := wantedEntry{pos: item.pos(), gap: item.isGap()}
		if entries := []entry(nil); item.isMapping() {
			if entries = item.entries(what); len(entries) != 1 || len(more) == 0 {
				item.problem("write a part of it, or ... for any others", "an entry of %s is text", what)
				continue
			}
			e.find = pattern{text: entries[0].key}
			e.detail(entries[0].value, what, more)
		} else if !e.gap {
			e.find = item.pattern(what)
		}
		out.list = append(out.list, e)
	}
	return out
}

func (e *wantedEntry) detail(v value, what string, more []string) {
	if !v.isMapping() && slices.Contains(more, "nodes") {
		e.nodes = v.names("nodes")
		return
	}
	m := v.object("an entry of "+what, more...)
	if n, ok := m["nodes"]; ok {
		e.nodes = n.names("nodes")
	}
	e.data = m["data"].mapping("data")
}

func (v value) span(what string) *wantedSpan {
	if !v.there() {
		return nil
	}
	s := &wantedSpan{pos: v.pos(), text: v.text(what, ""), op: "="}
	rest := s.text
	for _, op := range []string{"<=", ">=", "<", ">"} {
		if after, ok := strings.CutPrefix(rest, op); ok {
			s.op, rest = op, strings.TrimSpace(after)
			break
		}
	}
	d, err := playbooks.ParseDuration(rest)
	if err != nil {
		v.problem(`write it as in 90s, "< 5m" or ">= 30m"`, "%s must be a duration, not %s", what, v.describe())
	}
	s.span = d
	return s
}

func (s *wantedSpan) holds(d time.Duration) bool {
	switch s.op {
	case "<":
		return d < s.span
	case "<=":
		return d <= s.span
	case ">":
		return d > s.span
	case ">=":
		return d >= s.span
	}
	return d.Round(time.Millisecond) == s.span
}
