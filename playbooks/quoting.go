package playbooks

import "strings"

// quoting follows the quotes of a shell text. Where it and the shell should ever disagree, a value
// is split into words or not replaced at all; it is never read as a command.
type quoting struct {
	quote   byte   // ', " or 0
	outer   []byte // the quotes around each open bracket
	escaped bool   // the last character was an active backslash
	comment bool
	last    byte
	tick    bool   // between back-quotes
	here    bool   // a here-document has begun
	arith   int    // open brackets of $(( )) and (( )), which evaluate what they are given
	square  bool   // after $[, an old spelling of the same
	braces  []byte // the quotes around each open ${, which may evaluate too
	test    bool   // inside [[ ]], and so may this
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
		q.last = s[i]
	}
}

// open handles a character that may change how the rest is read; it returns how many more it took.
func (q *quoting) open(s string) int {
	switch {
	case q.arith > 0 && s[0] == '(':
		q.arith++
	case q.arith > 0 && s[0] == ')':
		q.arith--
	case strings.HasPrefix(s, "$(("):
		q.arith = 2
		return 2
	case strings.HasPrefix(s, "$["):
		q.square = true
		return 1
	case strings.HasPrefix(s, "${"):
		q.braces = append(q.braces, q.quote)
		return 1
	case strings.HasPrefix(s, "$("):
		q.push()
		return 1
	case s[0] == '}' && len(q.braces) > 0 && q.braces[len(q.braces)-1] == q.quote:
		q.braces = q.braces[:len(q.braces)-1]
	case s[0] == '`':
		q.tick = !q.tick
	case s[0] == '"' && q.quote == '"':
		q.quote = 0
	case s[0] == '"':
		q.quote = '"'
	case q.quote == 0:
		return q.unquoted(s)
	}
	return 0
}

// unquoted handles what has a meaning only outside quotes.
func (q *quoting) unquoted(s string) int {
	begins := q.last == 0 || strings.IndexByte(" \t\n;|&(", q.last) >= 0 // a word begins here
	switch {
	case s[0] == '\'':
		q.quote = '\''
	case strings.HasPrefix(s, "(("):
		q.arith = 2
		return 1
	case s[0] == '(':
		q.push()
	case s[0] == ')' && len(q.outer) > 0:
		q.quote = q.outer[len(q.outer)-1]
		q.outer = q.outer[:len(q.outer)-1]
	case s[0] == '#' && begins:
		q.comment = true
	case strings.HasPrefix(s, "[[") && begins && len(s) > 2 && strings.IndexByte(" \t\n", s[2]) >= 0:
		q.test = true
		return 1
	case strings.HasPrefix(s, "]]") && begins && (len(s) == 2 || strings.IndexByte(" \t\n;|&)", s[2]) >= 0):
		q.test = false
		return 1
	case strings.HasPrefix(s, "<<<"):
		return 2
	case strings.HasPrefix(s, "<<") && q.arith == 0:
		q.here = true
		return 1
	}
	return 0
}

// push notes the quotes around a bracket; inside, quoting begins anew.
func (q *quoting) push() {
	q.outer = append(q.outer, q.quote)
	q.quote = 0
}

// unsafe names the place when no reference can stand here.
func (q *quoting) unsafe() string {
	switch {
	case q.escaped:
		return "after a backslash"
	case q.tick:
		return "between back-quotes"
	case q.arith > 0 || q.square:
		return "in arithmetic"
	case len(q.braces) > 0:
		return "inside ${ }"
	case q.test:
		return "inside [[ ]]"
	case q.here:
		return "after <<"
	}
	return ""
}

// reference refers to a variable, quoted for the present place.
func (q *quoting) reference(name string) string {
	q.last = 'x'
	switch q.quote {
	case '\'':
		return `'"${` + name + `}"'`
	case '"':
		return `${` + name + `}`
	default:
		return `"${` + name + `}"`
	}
}
