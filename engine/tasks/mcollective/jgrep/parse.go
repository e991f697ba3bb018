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
	s      string
	i      int
	inside int // brackets that are open
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

// keyword takes one of the words when it stands here on its own.
func (p *parser) keyword(symbol string, words ...string) bool {
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
	for err == nil && p.keyword("||", "or") {
		var right node
		if right, err = p.and(depth); err == nil {
			left = either{left, right}
		}
	}
	return left, err
}

func (p *parser) and(depth int) (node, error) {
	left, err := p.not(depth)
	for err == nil && p.keyword("&&", "and") {
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
	if p.keyword("!", "not") {
		of, err := p.not(depth + 1)
		return negation{of}, err
	}
	switch {
	case p.keyword("("):
		of, err := p.group(depth, ")")
		return of, err
	case p.keyword("["):
		p.inside++
		of, err := p.group(depth, "]")
		p.inside--
		return element{of}, err
	}
	return p.statement()
}

func (p *parser) group(depth int, closing string) (node, error) {
	of, err := p.or(depth + 1)
	if err == nil && !p.keyword(closing) {
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

// foreign is an operator of another language.
type foreign struct {
	op         string
	instead    string // what stands for it, before and after the path
	expression bool   // its value is a regular expression
}

// foreignOperators are those that 2017 read and that then never matched: they are refused with the
// spelling that works.
func foreignOperators() []foreign {
	return []foreign{
		{op: "!=", instead: "not %s="},
		{op: "!~", instead: "not %s=", expression: true},
		{op: "=~", instead: "%s=", expression: true},
		{op: "==", instead: "%s="},
		{op: "=>", instead: "%s>="},
		{op: "=<", instead: "%s<="},
		{op: "<>", instead: "not %s="},
	}
}

// spelling is how the language says the same about a path; rest is what follows the operator.
func (f foreign) spelling(path, rest string) string {
	word := rest[:(&parser{s: rest}).word()]
	value := strings.Trim(word, "/")
	if value == "" {
		value = "value"
	}
	if f.expression || strings.HasPrefix(word, "/") {
		value = "/" + value + "/"
	}
	return fmt.Sprintf(f.instead, path) + value
}

func (p *parser) operator(path string) (string, error) {
	rest := p.s[p.i:]
	if p.inside > 0 && strings.HasPrefix(rest, "==") { // between brackets 2017 took it for =
		p.i += len("==")
		return "=", nil
	}
	for _, f := range foreignOperators() {
		if after, ok := strings.CutPrefix(rest, f.op); ok {
			return "", p.errorf("%s never matches; write: %s", f.op, f.spelling(path, after))
		}
	}
	for _, op := range []string{"<=", ">=", "=", "<", ">"} {
		if strings.HasPrefix(rest, op) {
			p.i += len(op)
			return op, nil
		}
	}
	return "", nil
}

// word is where the unquoted word that begins here ends.
func (p *parser) word() int {
	i := p.i
	for i < len(p.s) && strings.IndexByte(" \t\n()]&|", p.s[i]) < 0 {
		i++
	}
	return i
}

func (p *parser) value(s *statement) error {
	if p.end() {
		return p.errorf("a value is missing after %s%s", s.path, s.op)
	}
	var err error
	switch c := p.s[p.i]; c {
	case '"', '\'':
		s.want, err = p.until(c)
		return err
	case '/':
		return p.expression(s)
	}
	start := p.i
	p.i = p.word()
	s.want = p.s[start:p.i]
	if s.want == "" {
		return p.errorf("a value is missing after %s%s; write it without blanks", s.path, s.op)
	}
	return nil
}

// expression reads a value between slashes.
func (p *parser) expression(s *statement) error {
	start := p.i
	source, err := p.until('/')
	if err != nil {
		return err
	}
	if s.op != "=" {
		p.i = start
		return p.errorf("%s cannot compare with an expression; write: %s=/%s/", s.op, s.path, source)
	}
	s.expr, err = regexp.Compile(source)
	if err != nil {
		return p.errorf("/%s/ is no regular expression: %v", source, err)
	}
	return nil
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
