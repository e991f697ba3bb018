package filter

import (
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Shape is what a compound expression compares, without the values that it compares with. Two texts of
// one shape differ in values only. "" is the shape of what cannot be read.
func Shape(text string) string {
	if len(text) > maxCompound {
		return ""
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return ""
	}
	v := &values{queries: make(map[ast.Node]bool), callees: make(map[ast.Node]bool)}
	ast.Walk(&tree.Node, finder{v})
	ast.Walk(&tree.Node, v)
	return tree.Node.String()
}

// queryShape is the shape of a text inside with("…"): which operator, and whether a pattern follows.
func queryShape(query string) string {
	signs := strconv.Itoa(len(sign.FindAllString(query, -1)))
	_, operator, value, isFact := split(query)
	switch {
	case isFact && isPattern(value):
		return "pattern of a fact " + operator + signs
	case isFact:
		return "fact " + operator + signs
	case isPattern(query):
		return "pattern " + signs
	}
	return "word " + signs
}

// values puts the same word in the place of every value.
type values struct {
	queries map[ast.Node]bool // texts somewhere inside with(…)
	callees map[ast.Node]bool // names of functions
}

// finder notes what the parts of calls are, before values replaces them.
type finder struct{ *values }

// Visit implements [ast.Visitor].
func (f finder) Visit(node *ast.Node) {
	call, ok := (*node).(*ast.CallNode)
	if !ok {
		return
	}
	f.callees[call.Callee] = true
	if callee, ok := call.Callee.(*ast.IdentifierNode); ok && callee.Value == "with" {
		for i := range call.Arguments {
			ast.Walk(&call.Arguments[i], texts(f))
		}
	}
}

// texts notes every text below with(…).
type texts struct{ *values }

// Visit implements [ast.Visitor].
func (t texts) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.StringNode); ok {
		t.queries[*node] = true
	}
}

// Visit implements [ast.Visitor].
func (v *values) Visit(node *ast.Node) {
	switch t := (*node).(type) {
	case *ast.StringNode:
		if v.queries[*node] {
			*node = &ast.StringNode{Value: queryShape(t.Value)}
			return
		}
	case *ast.IdentifierNode:
		if v.callees[*node] {
			return
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode:
	case *ast.UnaryNode: // a sign belongs to its number
		if !slices.Contains([]string{"-", "+"}, t.Operator) || t.Node.String() != "value" {
			return
		}
	default:
		return
	}
	*node = &ast.IdentifierNode{Value: "value"}
}
