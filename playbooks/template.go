package playbooks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/itchyny/timefmt-go"
)

// template is a string with templates in it.
type template struct {
	source string
	parts  []part
	broken *Problem // it cannot be read: there are no parts
}

// part is literal text, or one template.
type part struct {
	text string
	pos  Pos
	form *form
	expr *Expression
	body string
}

// form is one of the forms of 2017.
type form struct {
	kind string // input, nodes, metadata, previous_task, failed_task, date, utc_date, uuid, elapsed_time
	name string // of the input, set or item; the format of a date
}

// parseTemplate splits a string into text and templates. Names are checked later, by resolve.
func parseTemplate(s string, where *place) *template {
	t := &template{source: s}
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t.parts = append(t.parts, part{text: literal.String()})
			literal.Reset()
		}
	}
	for s != "" {
		before, rest, found := strings.Cut(s, "{{")
		literal.WriteString(before)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "{{") {
			literal.WriteString("{{")
			s = rest[2:]
			continue
		}
		s = s[len(before):]
		body, length, err := templateBody(s)
		if err != nil {
			first, _, _ := strings.Cut(s, "\n")
			t.broken = &Problem{Pos: where.find(first), Message: err.Error(), Remedy: "write {{ name }}, or {{{{ for two literal braces"}
			t.parts = nil
			return t
		}
		flush()
		t.parts = append(t.parts, part{pos: where.find(s[:length]), body: body, form: parseForm(body)})
		s = s[length:]
	}
	if literal.Len() > 0 || len(t.parts) == 0 {
		t.parts = append(t.parts, part{text: literal.String()})
	}
	return t
}

// templateBody returns the body of the template that s begins with, and the length of the whole.
func templateBody(s string) (body string, length int, err error) {
	start := 2
	if strings.HasPrefix(s, "{{{") {
		start = 3
	}
	var quote byte
	depth := 0
	for i := start; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case depth > 0 && (c == ')' || c == ']' || c == '}'):
			depth--
		case depth == 0 && strings.HasPrefix(s[i:], "}}"):
			end := i + 2
			if end < len(s) && s[end] == '}' {
				end++
			}
			body = strings.TrimSpace(s[start:i])
			if body == "" {
				return "", 0, errors.New("the template is empty")
			}
			return body, end, nil
		}
	}
	return "", 0, errors.New("the template is not closed")
}

// literal returns the text when there is no template in it.
func (t *template) literal() (string, bool) {
	if t.broken != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.body != "" {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

var (
	memberForm = regexp.MustCompile(`^(inputs?|nodes|metadata|previous_task|failed_task)\.([a-zA-Z0-9_-]+)$`)
	dateForm   = regexp.MustCompile(`(?s)^(date|utc_date)\(\s*(?:"([^"]*)"|'([^']*)'|([^"']*?))\s*\)$`)
)

// parseForm recognises the forms of 2017; anything else is an expression.
func parseForm(body string) *form {
	if m := memberForm.FindStringSubmatch(body); m != nil {
		kind := m[1]
		if kind == "inputs" {
			kind = "input"
		}
		return &form{kind: kind, name: m[2]}
	}
	if m := dateForm.FindStringSubmatch(body); m != nil {
		return &form{kind: m[1], name: m[2] + m[3] + m[4]}
	}
	if body == "uuid" || body == "elapsed_time" {
		return &form{kind: body}
	}
	return nil
}

// metadataItems are what metadata.x may name.
func metadataItems() []string {
	return []string{"name", "version", "author", "description", "tags", "on_fail", "loglevel", "run_as"}
}

// taskItems are what previous_task.x, failed_task.x and tasks.name.x may name.
func taskItems() []string {
	return []string{
		"success", "msg", "message", "data", "description", "runtime", "ran", "status",
		"path", "type", "ok_nodes", "failed_nodes", "silent_nodes", "unasked_nodes",
	}
}

// resolve checks the names of every template and compiles the expressions.
func (t *template) resolve(n *names) []*Problem {
	if t.broken != nil {
		return []*Problem{t.broken}
	}
	var problems []*Problem
	for i := range t.parts {
		p := &t.parts[i]
		var err *Problem
		switch {
		case p.body == "":
		case p.form != nil:
			err = p.form.check(n)
		default:
			p.expr, err = compile(p.body, n)
		}
		if err != nil {
			err.Pos = p.pos
			problems = append(problems, err)
		}
	}
	return problems
}

func (f *form) check(n *names) *Problem {
	known, what := []string(nil), ""
	switch f.kind {
	case "input":
		known, what = n.inputs, "input"
	case "nodes":
		known, what = n.nodes, "node set"
		if n.noNodes {
			return inNodes()
		}
	case "metadata":
		known, what = metadataItems(), "metadata item"
	case "previous_task", "failed_task":
		known, what = taskItems(), "task item"
	case "date", "utc_date":
		if f.name == "" {
			return &Problem{Message: f.kind + "() needs a format", Remedy: `write ` + f.kind + `("%F %T")`}
		}
		return nil
	default:
		return nil
	}
	if slices.Contains(known, f.name) {
		return nil
	}
	return &Problem{Message: fmt.Sprintf("unknown %s %q", what, f.name), Remedy: instead(f.name, known)}
}

func inNodes() *Problem {
	return &Problem{Message: "a node set cannot refer to another node set", Remedy: "repeat the query, or use an input"}
}

// render evaluates the templates. A string that is exactly one template keeps the value's type.
func (t *template) render(ctx context.Context, s Scope) (any, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	if len(t.parts) == 1 {
		return t.eval(ctx, t.parts[0], s)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.body == "" {
			b.WriteString(p.text)
			continue
		}
		v, err := t.eval(ctx, p, s)
		if err != nil {
			return nil, err
		}
		b.WriteString(text(v))
	}
	return b.String(), nil
}

func (t *template) eval(ctx context.Context, p part, s Scope) (any, error) {
	v, err := p.value(ctx, s)
	if err != nil {
		return nil, &Problem{Pos: p.pos, Message: fmt.Sprintf("template {{ %s }}: %s", p.body, err), cause: err}
	}
	return v, nil
}

func (p part) value(ctx context.Context, s Scope) (any, error) {
	switch {
	case p.body == "":
		return p.text, nil
	case p.form != nil:
		return p.form.value(ctx, s)
	case p.expr != nil:
		return p.expr.Eval(ctx, s)
	default:
		return nil, errors.New("it was not checked")
	}
}

func (f *form) value(ctx context.Context, s Scope) (any, error) {
	switch f.kind {
	case "input":
		if s.Input == nil {
			return nil, errors.New("there are no inputs here")
		}
		return s.Input(ctx, f.name)
	case "nodes":
		nodes, ok := s.Nodes[f.name]
		if !ok {
			return nil, errors.New("the node set is not resolved yet")
		}
		return anyStrings(nodes), nil
	case "metadata":
		return s.Metadata[f.name], nil
	case "previous_task":
		return s.previous()[f.name], nil
	case "failed_task":
		return s.failed()[f.name], nil
	case "date":
		return timefmt.Format(s.now(), f.name), nil
	case "utc_date":
		return timefmt.Format(s.now().UTC(), f.name), nil
	case "uuid":
		return uuid.NewString(), nil
	default:
		return elapsed(s), nil
	}
}

// elapsed is the time since the run was asked for, in seconds.
func elapsed(s Scope) float64 {
	return s.now().Sub(s.Started).Round(time.Millisecond).Seconds()
}
