package pdbsim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// query is a parsed query.
type query struct {
	entity string
	fields []string
	where  condition
	limit  int
	sorted bool
}

type row struct {
	node   Node
	name   string // of a fact, or type of a resource
	value  any    // of a fact, or title of a resource
	tags   []any  // of a resource
	anyTag bool   // it has whichever tag is asked for
}

// entities are those that can be asked.
func entities() []string { return []string{"nodes", "inventory", "facts", "resources"} }

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

func parsePQL(src string) (*query, bool, error) {
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
	if !slices.Contains(entities(), t.text) {
		return nil, parseError(p.src, t.at, "expected one of nodes, inventory, facts, resources")
	}
	q := &query{entity: t.text, where: always}
	if p.accept("[") {
		for !p.accept("]") {
			f := p.next()
			if f.kind != "word" {
				return nil, parseError(p.src, f.at, "expected a field")
			}
			if !slices.Contains(fields(q.entity), f.text) {
				return nil, parseError(p.src, f.at, fmt.Sprintf("'%s' is not a queryable field of %s", f.text, q.entity))
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
		left = either(left, right)
	}
	return left, err
}

func (p *parser) and(entity string) (condition, error) {
	left, err := p.not(entity)
	for err == nil && p.accept("and") {
		var right condition
		right, err = p.not(entity)
		left = both(left, right)
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
		return contrary(c), err
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
	return related(q.entity, q.where), nil
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
	if _, err := fieldOf(entity, field.text); err != nil {
		return nil, parseError(p.src, field.at, err.Error())
	}
	c, err := test(entity, field.text, op.text, want)
	if err != nil {
		return nil, parseError(p.src, op.at, err.Error())
	}
	return c, nil
}

// nodeState also looks at nodes that are left out otherwise.
func (p *parser) nodeState(op token, want []any) (condition, error) {
	p.everyState = true
	if op.text != "=" {
		return nil, parseError(p.src, op.at, "node_state knows only =")
	}
	c, err := nodeState(want[0])
	if err != nil {
		return nil, parseError(p.src, op.at, err.Error())
	}
	return c, nil
}

func nodeState(want any) (condition, error) {
	switch want {
	case "any":
		return always, nil
	case "active":
		return func(r row) truth { return holds(!r.node.Deactivated) }, nil
	case "inactive":
		return func(r row) truth { return holds(r.node.Deactivated) }, nil
	}
	return nil, errors.New("node_state is any, active or inactive")
}

func (p *parser) operand(op string) ([]any, error) {
	if op != "in" {
		v, err := p.value()
		return []any{v}, err
	}
	at := p.peek().at
	if err := p.expect("["); err != nil {
		return nil, err
	}
	var list []any
	for !p.accept("]") {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.accept(",")
	}
	if err := asValues(list); err != nil {
		return nil, parseError(p.src, at, err.Error())
	}
	return list, nil
}

func (p *parser) value() (any, error) {
	t := p.next()
	switch {
	case t.kind == "string":
		return t.text, nil
	case t.kind == "number":
		if n, err := strconv.ParseFloat(t.text, 64); err == nil {
			return n, nil
		}
	case t.text == "true" || t.text == "false":
		return t.text == "true", nil
	}
	return nil, parseError(p.src, t.at, "expected a value")
}
