package booktest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// inside lists the task types that run as they are: they touch nothing but what the case simulates.
func inside() []string {
	return []string{"assert", "data", "log", "mcollective", "mcollective_assert", "playbook", "rolling", "sleep"}
}

// outsideType is a task type whose effect is answered by the case. It decodes as the real one does.
func (w *world) outsideType(real engine.TaskType) engine.TaskType {
	double := real
	double.Decode = func(p *playbooks.Properties) (engine.Task, error) {
		task, err := real.Decode(p)
		if err != nil || p.Checking() {
			return task, err
		}
		return outsideTask{Task: task, world: w, typ: real.Name, props: p.Values()}, nil
	}
	return double
}

// outsideTask is a task that acts outside.
type outsideTask struct {
	engine.Task

	world *world
	typ   string
	props map[string]any
}

// Targets implements [engine.Targeted].
func (t outsideTask) Targets() []string {
	if target, ok := t.Task.(engine.Targeted); ok {
		return target.Targets()
	}
	return nil
}

// ActionName implements [engine.ActionNamed].
func (t outsideTask) ActionName() string {
	if named, ok := t.Task.(engine.ActionNamed); ok {
		return named.ActionName()
	}
	return ""
}

// Run implements [engine.Task].
func (t outsideTask) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	switch t.typ {
	case "playbook":
		return t.child(ctx, c)
	case "shell":
		return t.command(ctx, c)
	case "webhook", "graphite_event":
		return t.request(ctx)
	case "slack":
		return t.message(ctx)
	}
	return t.other(ctx, c)
}

func (t outsideTask) text(key string) string {
	s, _ := t.props[key].(string)
	return s
}

// command answers a shell task, with the result that the real one makes of it.
func (t outsideTask) command(ctx context.Context, c *engine.Call) (engine.Result, error) {
	text := commandText(t.props["command"])
	if names := playbooks.FromMap(t.props).Strings("nodes"); len(names) > 0 {
		text += " --nodes " + strings.Join(names, ",") // as the real one appends them
	}
	a, ok := t.world.act("commands", acted{text: text}, func(a answer) bool { return a.match.in(text) })
	if !ok {
		return engine.Result{}, t.world.lack("no answer is declared for the command %s; add it under commands:, as in - command: %s", quoted(text), quoted(text))
	}
	if err := pause(ctx, a.takes); err != nil {
		return engine.Result{Message: "stopped"}, err
	}
	printed := a.output
	if printed != "" && !strings.HasSuffix(printed, "\n") {
		printed += "\n" // as programs end what they print
	}
	result := engine.Result{Message: fmt.Sprintf("exit %d", a.exit), Data: []any{printed}}
	for line := range strings.Lines(a.output) {
		c.Note(strings.TrimSuffix(line, "\n"))
	}
	if last := strings.TrimSpace(a.output[strings.LastIndexByte(strings.TrimSpace(a.output), '\n')+1:]); last != "" {
		result.Message += ": " + last
	}
	if a.exit != 0 {
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	}
	return result, nil
}

// commandText is a command as its author sees it: the parameters that templates became stand in it again.
func commandText(v any) string {
	list, isList := v.([]any)
	if !isList {
		return fmt.Sprint(v)
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = fmt.Sprint(w)
	}
	if len(words) < 4 || !slices.Equal([]string{words[0], words[1], words[3]}, []string{"/bin/sh", "-c", "playbot"}) {
		return strings.Join(words, " ")
	}
	text := words[2]
	for i := len(words) - 1; i >= 4; i-- {
		n := i - 3
		text = strings.Replace(text, fmt.Sprintf("playbot_%d=${%d}; ", n, n), "", 1)
		for _, ref := range []string{`'"${playbot_%d}"'`, `"${playbot_%d}"`, `${playbot_%d}`} {
			text = strings.ReplaceAll(text, fmt.Sprintf(ref, n), words[i])
		}
	}
	return text
}

// called is the request that a webhook or a graphite_event makes.
func (t outsideTask) called() acted {
	if t.typ == "graphite_event" {
		return acted{text: http.MethodPost + " " + t.text("graphite"), data: map[string]any{
			"what": t.props["what"], "data": t.props["data"], "tags": t.props["tags"],
		}}
	}
	method := strings.ToUpper(t.text("method"))
	if method == "" {
		method = http.MethodPost
	}
	return acted{text: method + " " + t.text("uri"), data: t.props["data"]}
}

// request answers a call over HTTP.
func (t outsideTask) request(ctx context.Context) (engine.Result, error) {
	done := t.called()
	text := done.text
	a, ok := t.world.act("requests", done, func(a answer) bool { return a.match.in(text) })
	if !ok {
		return engine.Result{}, t.world.lack("no answer is declared for the request %s; add it under requests:, as in - request: %s", text, text)
	}
	if err := pause(ctx, a.takes); err != nil {
		return engine.Result{}, err
	}
	text, _, _ = strings.Cut(text, "?") // queries are not shown: they are often secrets
	if a.fail != "" {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent, "%s: %s", text, a.fail)
	}
	result := engine.Result{Message: fmt.Sprintf("%s: %d %s", text, a.status, http.StatusText(a.status)), Data: []any{a.output}}
	if a.status/100 != 2 {
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	}
	return result, nil
}

// message takes what is posted to a channel; it arrives unless the case says otherwise.
func (t outsideTask) message(ctx context.Context) (engine.Result, error) {
	channel := t.text("channel")
	text := channel + ": " + t.text("text")
	a, _ := t.world.act("messages", acted{text: text}, func(a answer) bool { return a.match.in(text) })
	if err := pause(ctx, a.takes); err != nil {
		return engine.Result{}, err
	}
	if a.fail != "" {
		return engine.Result{}, engine.Errorf(engine.CodeFailed, "not posted to %s: %s", channel, a.fail)
	}
	return engine.Result{Message: "posted to " + channel}, nil
}

// child runs another playbook, unless the case stands in for it.
func (t outsideTask) child(ctx context.Context, c *engine.Call) (engine.Result, error) {
	name := t.text("name")
	a, ok := t.world.act("children", acted{text: name}, func(a answer) bool { return a.match.text == name || a.match.re != nil && a.match.in(name) })
	if !ok {
		return t.Task.Run(ctx, c)
	}
	if err := pause(ctx, a.takes); err != nil {
		return engine.Result{}, err
	}
	if a.fail != "" {
		return engine.Result{}, engine.Errorf(engine.CodeFailed, "%s: failed: %s", name, a.fail)
	}
	return engine.Result{Message: name + ": success"}, nil
}

// other answers a task of any further type.
func (t outsideTask) other(ctx context.Context, c *engine.Call) (engine.Result, error) {
	a, ok := t.world.act("tasks", acted{text: t.typ + ": " + c.Describe}, func(a answer) bool { return a.typ == t.typ && a.match.in(c.Describe) })
	if !ok {
		return engine.Result{}, t.world.lack("no answer is declared for the %s task %s; add it under tasks:, as in - task: %s", t.typ, quoted(c.Describe), t.typ)
	}
	if err := pause(ctx, a.takes); err != nil {
		return engine.Result{}, err
	}
	if a.fail != "" {
		return engine.Result{Data: a.data}, engine.Errorf(engine.CodeFailed, "%s", a.fail)
	}
	return engine.Result{Message: a.output, Data: a.data, OKNodes: t.Targets()}, nil
}

func quoted(s string) string { return fmt.Sprintf("%q", clip(s, 200)) }
