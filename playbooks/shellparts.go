package playbooks

import (
	"context"
	"fmt"
	"strings"
)

// shellName is what a command sees as $0.
const shellName = "playbot"

// Shell renders shell text without gluing values into it: each template becomes a reference to a
// variable, quoted for the place where it stands; the variable is set from a positional parameter,
// and the value is that parameter. The result is an argument list for /bin/sh; ok is false when the
// value is no text with templates, and there is nothing to do. Templates where no quoting is safe are
// an error, a *Problems.
func (v Value) Shell(ctx context.Context, s Scope) (argv []any, ok bool, err error) {
	if v.kind != templated {
		return nil, false, nil
	}
	script, bodies, err := v.tmpl.shellText()
	if err != nil {
		return nil, true, err
	}
	argv = []any{"/bin/sh", "-c", script, shellName}
	for _, p := range bodies {
		value, err := v.tmpl.eval(ctx, p, s)
		if err != nil {
			return nil, true, err
		}
		word := text(value)
		if strings.ContainsRune(word, 0) {
			return nil, true, &Problem{Pos: p.pos, Message: fmt.Sprintf("the value of {{ %s }} holds a zero byte, which no command can be given", p.body)}
		}
		argv = append(argv, word)
	}
	return argv, true, nil
}

// CheckShell reports every template that stands where no quoting is safe.
func (v Value) CheckShell() error {
	if v.kind != templated {
		return nil
	}
	_, _, err := v.tmpl.shellText()
	return err
}

// shellText replaces the templates by references to variables, which it sets first: functions and
// `set` change the positional parameters, but not these.
func (t *template) shellText() (script string, bodies []part, err error) {
	if t.broken != nil {
		return "", nil, t.broken
	}
	var set, out strings.Builder
	bad := &Problems{}
	q := quoting{}
	for _, p := range t.parts {
		if p.body == "" {
			q.read(p.text)
			out.WriteString(p.text)
			continue
		}
		if why := q.unsafe(); why != "" {
			bad.list = append(bad.list, &Problem{
				Pos: p.pos, Message: fmt.Sprintf("{{ %s }} stands %s, where no value can be passed safely", p.body, why),
				Remedy: "pass it through environment: and use the variable, or write command as a list",
			})
			continue
		}
		bodies = append(bodies, p)
		name := fmt.Sprintf("%s_%d", shellName, len(bodies))
		fmt.Fprintf(&set, "%s=${%d}; ", name, len(bodies))
		out.WriteString(q.reference(name))
	}
	if len(bad.list) > 0 {
		return "", nil, bad
	}
	return set.String() + out.String(), bodies, nil
}
