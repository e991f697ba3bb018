// Package jgrep reads and evaluates the assertion language of the `mcollective` task.
//
// An expression is statements such as `idling=true` or `summary.resources.failed=0`, joined by
// `and`, `or` and `not` and grouped by parentheses. `[a.b=1 and a.c=2]` holds when both hold in one
// element of an array. Operators stand without blanks around them. The language is that of 2017,
// with one difference: operators that could never match are refused.
package jgrep

// Expression is a parsed assertion. It is immutable.
type Expression struct {
	source string
	root   node // nil matches everything
}

// String returns the text of the expression.
func (e *Expression) String() string { return e.source }

// Match reports whether a document, as decoded from JSON, satisfies the expression.
func (e *Expression) Match(doc map[string]any) bool {
	return e.root == nil || e.root.match(document{root: doc})
}

// Shape tells what an expression compares and how its parts are joined, without the names and values
// in it: of equal shape are expressions that differ in those alone.
func (e *Expression) Shape() string {
	if e.root == nil {
		return ""
	}
	return shape(e.root)
}

func shape(n node) string {
	switch n := n.(type) {
	case both:
		return "(" + shape(n.left) + " and " + shape(n.right) + ")"
	case either:
		return "(" + shape(n.left) + " or " + shape(n.right) + ")"
	case negation:
		return "not " + shape(n.of)
	case element:
		return "[" + shape(n.of) + "]"
	case *statement:
		if n.expr != nil {
			return "s" + n.op + "/"
		}
		return "s" + n.op
	}
	return "?" // there is no other
}

// Paths lists the paths that the expression looks at, in order, each once.
func (e *Expression) Paths() []string {
	var out []string
	seen := make(map[string]bool)
	if e.root != nil {
		e.root.visit(func(s *statement) {
			if !seen[s.path] {
				seen[s.path] = true
				out = append(out, s.path)
			}
		})
	}
	return out
}

// Value returns what stands at a path of a document, as text; "nothing" when there is nothing.
func Value(doc map[string]any, path string) string {
	v, ok := document{root: doc}.lookup(path)
	if !ok || v == nil {
		return "nothing"
	}
	return text(v)
}

// node is a part of an expression.
type node interface {
	match(d document) bool
	visit(f func(*statement))
}

type both struct{ left, right node }

func (n both) match(d document) bool    { return n.left.match(d) && n.right.match(d) }
func (n both) visit(f func(*statement)) { n.left.visit(f); n.right.visit(f) }

type either struct{ left, right node }

func (n either) match(d document) bool    { return n.left.match(d) || n.right.match(d) }
func (n either) visit(f func(*statement)) { n.left.visit(f); n.right.visit(f) }

type negation struct{ of node }

func (n negation) match(d document) bool    { return !n.of.match(d) }
func (n negation) visit(f func(*statement)) { n.of.visit(f) }

// element holds when its condition holds for one element of an array.
type element struct{ of node }

func (n element) visit(f func(*statement)) { n.of.visit(f) }

func (n element) match(d document) bool {
	var first string
	n.of.visit(func(s *statement) {
		if first == "" {
			first = s.path
		}
	})
	prefix, items := d.array(first)
	for _, item := range items {
		if n.of.match(d.within(prefix, item)) {
			return true
		}
	}
	return false
}
