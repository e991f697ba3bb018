package jgrep

import (
	"fmt"
	"regexp"
	"strings"
)

// maxLength and maxDepth bound what is parsed; no sensible assertion comes near.
const (
	maxLength = 8 << 10
	maxDepth  = 64
)

// Parse reads an expression. Errors name the column, counted from one.
func Parse(source string) (*Expression, error) {
	if len(source) > maxLength {
		return nil, fmt.Errorf("the assertion is longer than %d characters", maxLength)
	}
	p := &parser{s: source}
	p.blanks()
	if p.end() {
		return &Expression{source: source}, nil
	}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.errorf("%q is not expected here; join statements with and, or", p.rest())
	}
	return &Expression{source: source, root: root}, nil
}

type parser struct {
	s string
	i int
}

func (p *parser) end() bool    { return p.i >= len(p.s) }
func (p *parser) rest() string { return p.s[p.i:min(len(p.s), p.i+20)] }

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("column %d: %s", p.i+1, fmt.Sprintf(format, args...))
}

func (p *parser) blanks() {
	for !p.end() && strings.IndexByte(" \t\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

// word takes one of the words when it stands here on its own.
func (p *parser) word(symbol string, words ...string) bool {
	p.blanks()
	if symbol != "" && strings.HasPrefix(p.s[p.i:], symbol) {
		p.i += len(symbol)
		return true
	}
	for _, w := range words {
		rest, ok := strings.CutPrefix(p.s[p.i:], w)
		if ok && (rest == "" || strings.IndexByte(" \t\n([", rest[0]) >= 0) {
			p.i += len(w)
			return true
		}
	}
	return false
}

func (p *parser) or(depth int) (node, error) {
	left, err := p.and(depth)
	for err == nil && p.word("||", "or") {
		var right node
		if right, err = p.and(depth); err == nil {
			left = either{left, right}
		}
	}
	return left, err
}

func (p *parser) and(depth int) (node, error) {
	left, err := p.not(depth)
	for err == nil && p.word("&&", "and") {
		var right node
		if right, err = p.not(depth); err == nil {
			left = both{left, right}
		}
	}
	return left, err
}

func (p *parser) not(depth int) (node, error) {
	if depth > maxDepth {
		return nil, p.errorf("nested deeper than %d", maxDepth)
	}
	if p.word("!", "not") {
		of, err := p.not(depth + 1)
		return negation{of}, err
	}
	switch {
	case p.word("("):
		of, err := p.group(depth, ")")
		return of, err
	case p.word("["):
		of, err := p.group(depth, "]")
		return element{of}, err
	}
	return p.statement()
}

func (p *parser) group(depth int, closing string) (node, error) {
	of, err := p.or(depth + 1)
	if err == nil && !p.word(closing) {
		err = p.errorf("%s is missing", closing)
	}
	return of, err
}

func (p *parser) statement() (node, error) {
	p.blanks()
	if p.end() {
		return nil, p.errorf("a statement such as name=value is missing")
	}
	if c := p.s[p.i]; c == '+' || c == '-' {
		p.i++
		path, err := p.path()
		return &statement{path: path, op: string(c)}, err
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	op, err := p.operator(path)
	if err != nil || op == "" {
		return &statement{path: path}, err
	}
	s := &statement{path: path, op: op}
	return s, p.value(s)
}

func (p *parser) path() (string, error) {
	start := p.i
	for !p.end() && strings.IndexByte(" \t\n=<>!()&|", p.s[p.i]) < 0 {
		if p.s[p.i] == ']' && !strings.Contains(p.s[start:p.i], "[") {
			break
		}
		p.i++
	}
	if p.i == start {
		return "", p.errorf("a name is missing before %q; write name=value without blanks", p.rest())
	}
	return p.s[start:p.i], nil
}

func (p *parser) operator(path string) (string, error) {
	rest := p.s[p.i:]
	switch {
	case strings.HasPrefix(rest, "!="):
		return "", p.errorf("!= never matches; write: not %s=value", path)
	case strings.HasPrefix(rest, "=~"):
		return "", p.errorf("=~ never matches; write: %s=/expression/", path)
	}
	for _, op := range []string{"<=", ">=", "==", "=", "<", ">"} {
		if strings.HasPrefix(rest, op) {
			p.i += len(op)
			return strings.Replace(op, "==", "=", 1), nil
		}
	}
	return "", nil
}

func (p *parser) value(s *statement) error {
	if p.end() {
		return p.errorf("a value is missing after %s%s", s.path, s.op)
	}
	switch c := p.s[p.i]; c {
	case '"', '\'':
		text, err := p.until(c)
		s.text, s.value = text, literal(text)
		return err
	case '/':
		text, err := p.until(c)
		if err != nil {
			return err
		}
		s.text = "/" + text + "/"
		s.expr, err = regexp.Compile(text)
		if err != nil {
			return p.errorf("%s is no regular expression: %v", s.text, err)
		}
		return nil
	}
	start := p.i
	for !p.end() && strings.IndexByte(" \t\n()]&|", p.s[p.i]) < 0 {
		p.i++
	}
	s.text = p.s[start:p.i]
	if s.text == "" {
		return p.errorf("a value is missing after %s%s; write it without blanks", s.path, s.op)
	}
	s.value = typed(s.text)
	return nil
}

func typed(word string) any {
	switch word {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return literal(word)
}

// until reads up to the closing quote; a backslash keeps the quote itself.
func (p *parser) until(quote byte) (string, error) {
	start := p.i
	var b strings.Builder
	for p.i++; !p.end(); p.i++ {
		c := p.s[p.i]
		if c == quote {
			p.i++
			return b.String(), nil
		}
		if c == '\\' && p.i+1 < len(p.s) && p.s[p.i+1] == quote {
			p.i++
			c = quote
		}
		b.WriteByte(c)
	}
	p.i = start
	return "", p.errorf("%c is not closed", quote)
}
