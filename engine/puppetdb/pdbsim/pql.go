package pdbsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// token is a word, a string, a number or a sign.
type token struct {
	kind string // word, string, number, sign, end
	text string
	at   int
}

func lex(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case unicode.IsSpace(rune(c)):
			i++
		case c == '"' || c == '\'':
			text, n, err := lexString(s[i:])
			if err != nil {
				return nil, parseError(s, i, err.Error())
			}
			out = append(out, token{"string", text, i})
			i += n
		case unicode.IsDigit(rune(c)):
			j := i
			for j < len(s) && (unicode.IsDigit(rune(s[j])) || s[j] == '.') {
				j++
			}
			out = append(out, token{"number", s[i:j], i})
			i = j
		case isWord(c):
			j := i
			for j < len(s) && (isWord(s[j]) || s[j] == '.' || unicode.IsDigit(rune(s[j])) || s[j] == '-') {
				j++
			}
			out = append(out, token{"word", s[i:j], i})
			i = j
		default:
			n := 1
			if i+1 < len(s) && slices.Contains([]string{"!=", ">=", "<="}, s[i:i+2]) {
				n = 2
			}
			out = append(out, token{"sign", s[i : i+n], i})
			i += n
		}
	}
	return append(out, token{"end", "", len(s)}), nil
}

func isWord(c byte) bool { return c == '_' || unicode.IsLetter(rune(c)) }

func lexString(s string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), i + 1, nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, fmt.Errorf("the string is not closed")
}

// parseError is shaped as PuppetDB's: the place, the query and a caret.
func parseError(query string, at int, what string) error {
	return fmt.Errorf("PQL parse error at line 1, column %d:\n\n%s\n%s^\n\n%s", at+1, query, strings.Repeat(" ", at), what)
}

// query is a parsed query.
type query struct {
	entity string
	fields []string
	where  condition
	limit  int
	sorted bool
}

// condition holds for a row or not. A row is one node, with the fact or resource that is looked at.
type condition func(r row) bool

type row struct {
	node  Node
	name  string // of a fact, or type of a resource
	value any    // of a fact, or title of a resource
}

type parser struct {
	src        string
	tokens     []token
	pos        int
	everyState bool // node_state = "any" was asked for
	depth      int
}

// maxNesting bounds the nesting of conditions.
const maxNesting = 50

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != "end" {
		p.pos++
	}
	return t
}

func (p *parser) accept(text string) bool {
	if t := p.peek(); t.text == text && t.kind != "string" && t.kind != "end" {
		p.pos++
		return true
	}
	return false
}

func (p *parser) fail(what string) error { return parseError(p.src, p.peek().at, what) }

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.fail("expected " + strconv.Quote(text))
	}
	return nil
}

func parse(src string) (*query, bool, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, false, err
	}
	p := &parser{src: src, tokens: tokens}
	q, err := p.query()
	if err == nil && p.peek().kind != "end" {
		err = p.fail("expected the end of the query")
	}
	return q, p.everyState, err
}

func (p *parser) query() (*query, error) {
	t := p.next()
	if !slices.Contains([]string{"nodes", "inventory", "facts", "resources"}, t.text) {
		return nil, parseError(p.src, t.at, "expected one of nodes, inventory, facts, resources")
	}
	q := &query{entity: t.text, where: func(row) bool { return true }}
	if p.accept("[") {
		for !p.accept("]") {
			f := p.next()
			if f.kind != "word" {
				return nil, parseError(p.src, f.at, "expected a field")
			}
			if !slices.Contains(fields(q.entity), f.text) {
				return nil, p.unknownField(q.entity, f)
			}
			q.fields = append(q.fields, f.text)
			p.accept(",")
		}
	}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	if t := p.peek().text; t != "}" && t != "order" && t != "limit" {
		c, err := p.or(q.entity)
		if err != nil {
			return nil, err
		}
		q.where = c
	}
	for !p.accept("}") {
		if err := p.paging(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// paging is one of the clauses behind the condition.
func (p *parser) paging(q *query) error {
	switch {
	case p.accept("order"):
		if err := p.expect("by"); err != nil {
			return err
		}
		if p.next().text != "certname" {
			return p.fail("only order by certname is known here")
		}
		q.sorted = true
		p.accept("asc")
		return nil
	case p.accept("limit"):
		n, err := strconv.Atoi(p.next().text)
		q.limit = n
		if err != nil || n < 1 {
			return p.fail("limit wants a number")
		}
		return nil
	}
	return p.fail("expected and, or, order by, limit or }")
}

func (p *parser) or(entity string) (condition, error) {
	left, err := p.and(entity)
	for err == nil && p.accept("or") {
		var right condition
		right, err = p.and(entity)
		l := left
		left = func(r row) bool { return l(r) || right(r) }
	}
	return left, err
}

func (p *parser) and(entity string) (condition, error) {
	left, err := p.not(entity)
	for err == nil && p.accept("and") {
		var right condition
		right, err = p.not(entity)
		l := left
		left = func(r row) bool { return l(r) && right(r) }
	}
	return left, err
}

func (p *parser) not(entity string) (condition, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return nil, p.fail("nested too deep")
	}
	if p.accept("!") || p.accept("not") {
		c, err := p.not(entity)
		return func(r row) bool { return !c(r) }, err
	}
	if p.accept("(") {
		c, err := p.or(entity)
		if err == nil {
			err = p.expect(")")
		}
		return c, err
	}
	if t := p.peek(); (t.text == "facts" || t.text == "resources") && p.tokens[p.pos+1].text == "{" {
		return p.subquery()
	}
	return p.comparison(entity)
}

// subquery holds for a node of which any fact or resource matches.
func (p *parser) subquery() (condition, error) {
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return func(r row) bool { return slices.ContainsFunc(rowsOf(q.entity, r.node), q.where) }, nil
}

func (p *parser) comparison(entity string) (condition, error) {
	field := p.next()
	if field.kind != "word" {
		return nil, parseError(p.src, field.at, "expected a field, a sub-query or (")
	}
	op := p.next()
	if !slices.Contains([]string{"=", "!=", "~", ">", "<", ">=", "<=", "in"}, op.text) {
		return nil, parseError(p.src, op.at, "expected an operator")
	}
	want, err := p.operand(op.text)
	if err != nil {
		return nil, err
	}
	if field.text == "node_state" {
		return p.nodeState(op, want)
	}
	get, err := p.field(entity, field)
	if err != nil {
		return nil, err
	}
	test, err := compare(op.text, want)
	if err != nil {
		return nil, parseError(p.src, op.at, err.Error())
	}
	return func(r row) bool { return test(get(r)) }, nil
}

// nodeState also looks at nodes that are left out otherwise.
func (p *parser) nodeState(op token, want []string) (condition, error) {
	p.everyState = true
	if op.text != "=" {
		return nil, parseError(p.src, op.at, "node_state knows only =")
	}
	switch want[0] {
	case "any":
		return func(row) bool { return true }, nil
	case "active":
		return func(r row) bool { return !r.node.Deactivated }, nil
	case "inactive":
		return func(r row) bool { return r.node.Deactivated }, nil
	}
	return nil, parseError(p.src, op.at, "node_state is any, active or inactive")
}

func (p *parser) operand(op string) ([]string, error) {
	if op == "in" {
		if err := p.expect("["); err != nil {
			return nil, err
		}
		var list []string
		for !p.accept("]") {
			t := p.next()
			if t.kind != "string" && t.kind != "number" {
				return nil, parseError(p.src, t.at, "expected a value")
			}
			list = append(list, t.text)
			p.accept(",")
		}
		return list, nil
	}
	t := p.next()
	if t.kind == "string" || t.kind == "number" || t.text == "true" || t.text == "false" {
		return []string{t.text}, nil
	}
	return nil, parseError(p.src, t.at, "expected a value")
}
