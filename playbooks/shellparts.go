package playbooks

import (
	"context"
	"fmt"
	"strings"
)

// shellName is what a command sees as $0.
const shellName = "playbot"

// Shell renders shell text without gluing values into it: each template becomes a reference to a
// positional parameter, quoted for the place where it stands, and its value becomes that
// parameter. The result is an argument list for /bin/sh; ok is false when the value is no text with
// templates, and there is nothing to do. Templates where no quoting is safe are an error.
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

// CheckShell reports templates that stand where no quoting is safe.
func (v Value) CheckShell() error {
	if v.kind != templated {
		return nil
	}
	_, _, err := v.tmpl.shellText()
	return err
}

// shellText replaces the templates by references to positional parameters.
func (t *template) shellText() (script string, bodies []part, err error) {
	var out strings.Builder
	q := quoting{}
	for _, p := range t.parts {
		if p.body == "" {
			q.read(p.text)
			out.WriteString(p.text)
			continue
		}
		if why := q.unsafe(); why != "" {
			return "", nil, &Problem{
				Pos: p.pos, Message: fmt.Sprintf("{{ %s }} stands %s, where no value can be passed safely", p.body, why),
				Remedy: "pass it through environment: and use the variable, or write command as a list",
			}
		}
		bodies = append(bodies, p)
		out.WriteString(q.reference(len(bodies)))
	}
	return out.String(), bodies, nil
}

// quoting follows the quotes of a shell text. Where it and the shell should ever disagree, a value
// is split into words or not replaced at all; it is never read as a command.
type quoting struct {
	quote   byte // ', " or 0
	outer   []byte
	escaped bool // the last character was an active backslash
	comment bool
	last    byte
	tick    bool // between back-quotes
	here    bool // a here-document has begun
	arith   int  // depth of $(( ))
}

func (q *quoting) read(s string) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case q.comment:
			q.comment = c != '\n'
		case q.escaped:
			q.escaped = false
		case q.quote == '\'':
			if c == '\'' {
				q.quote = 0
			}
		case c == '\\':
			q.escaped = true
		default:
			i += q.open(s[i:])
		}
		q.last = c
	}
}

// open handles a character that may change how the rest is read; it returns how many more it took.
func (q *quoting) open(s string) int {
	switch {
	case strings.HasPrefix(s, "$(("):
		q.arith++
		return 2
	case q.arith > 0 && strings.HasPrefix(s, "))"):
		q.arith--
		return 1
	case strings.HasPrefix(s, "$("):
		q.outer = append(q.outer, q.quote)
		q.quote = 0
		return 1
	case s[0] == '`':
		q.tick = !q.tick
	case s[0] == '"' && q.quote == '"':
		q.quote = 0
	case s[0] == '"':
		q.quote = '"'
	case q.quote == '"':
	case s[0] == '\'':
		q.quote = '\''
	case s[0] == ')' && len(q.outer) > 0:
		q.quote = q.outer[len(q.outer)-1]
		q.outer = q.outer[:len(q.outer)-1]
	case s[0] == '#' && (q.last == 0 || strings.IndexByte(" \t\n;|&(", q.last) >= 0):
		q.comment = true
	case strings.HasPrefix(s, "<<"):
		q.here = true
		return 1
	}
	return 0
}

// unsafe names the place when no reference can stand here.
func (q *quoting) unsafe() string {
	switch {
	case q.escaped:
		return "after a backslash"
	case q.tick:
		return "between back-quotes"
	case q.arith > 0:
		return "inside $(( ))"
	case q.here:
		return "after <<"
	case q.comment:
		return "in a comment"
	}
	return ""
}

// reference refers to the n-th parameter, quoted for the present place.
func (q *quoting) reference(n int) string {
	q.last = 'x'
	switch q.quote {
	case '\'':
		return fmt.Sprintf(`'"${%d}"'`, n)
	case '"':
		return fmt.Sprintf(`${%d}`, n)
	default:
		return fmt.Sprintf(`"${%d}"`, n)
	}
}
