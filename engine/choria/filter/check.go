package filter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Check says what is wrong with a compound expression that servers would take without a word, and
// match nothing with it, or everything. What follows "; " in an error is the remedy. local is for an
// expression that no server sees: then functions of servers' data plugins are not known either.
func Check(text string, local bool) error {
	if _, err := compile(text); err != nil {
		return fmt.Errorf(`%w; write an expression such as with("roles::web") and with("country=uk")`, err)
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return err
	}
	names := &names{declared: known()}
	ast.Walk(&tree.Node, names)
	for _, name := range names.plain {
		if !slices.Contains(names.declared, name) {
			return fmt.Errorf(`no server knows %q; write with(%q), or put text in quotes`, name, name)
		}
	}
	for _, name := range names.called {
		if local && !slices.Contains(names.declared, name) {
			return fmt.Errorf("the function %s belongs to a plugin of the servers; let discovery_method be mc, which asks them", name)
		}
	}
	if local && names.endless {
		return errors.New("a range, and an iteration inside another, can take for ever on this machine; let discovery_method be mc, or compare lists of facts one by one")
	}
	for _, query := range names.queries {
		if err := checkQuery(query); err != nil {
			return err
		}
	}
	return nil
}

// checkQuery looks at what is written out inside with("…").
func checkQuery(query string) error {
	name, operator, value, isFact := split(query)
	if isFact && isPattern(value) && operator != "=" && operator != "==" && operator != "=~" {
		return fmt.Errorf("to a server with(%q) means =~; write not with(%q)", query, name+"="+value)
	}
	if !isFact && Everything(query) || isFact && Everything(value) {
		return fmt.Errorf("with(%q) holds for everything; write what is meant between the slashes", query)
	}
	return nil
}

// Everything reports whether a word is an empty regular expression, with which servers match whatever
// there is.
func Everything(word string) bool { return word == "/" || word == "//" }

// names collects what an expression names.
type names struct {
	declared []string // besides what servers know, the variables of the expression itself
	plain    []string
	called   []string
	queries  []string // the texts inside with("…")
	endless  bool     // it has a range, or an iteration inside another
}

// Visit implements [ast.Visitor]. Operands are visited before what they belong to.
func (n *names) Visit(node *ast.Node) {
	switch t := (*node).(type) {
	case *ast.IdentifierNode:
		n.plain = append(n.plain, t.Value)
	case *ast.BinaryNode:
		n.endless = n.endless || t.Operator == ".."
	case *ast.PredicateNode:
		inner := &iteration{}
		ast.Walk(&t.Node, inner)
		n.endless = n.endless || inner.found
	case *ast.VariableDeclaratorNode:
		n.declared = append(n.declared, t.Name)
	case *ast.CallNode:
		callee, ok := t.Callee.(*ast.IdentifierNode)
		if !ok {
			return
		}
		n.called = append(n.called, callee.Value)
		if i := slices.Index(n.plain, callee.Value); i >= 0 { // it was visited as a name
			n.plain = slices.Delete(n.plain, i, i+1)
		}
		if callee.Value == "with" && len(t.Arguments) == 1 {
			if text, ok := t.Arguments[0].(*ast.StringNode); ok {
				n.queries = append(n.queries, text.Value)
			}
		}
	}
}

// iteration looks for one in an expression.
type iteration struct{ found bool }

// Visit implements [ast.Visitor].
func (i *iteration) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		i.found = true
	}
}

// CheckWord refuses a pattern that no server can read, with which none would answer, and an empty one,
// with which all would.
func CheckWord(word string) error {
	if Everything(word) {
		return fmt.Errorf("%s holds for everything; write what is meant between the slashes", word)
	}
	if w := newWord(word, ""); w.isPattern && w.re == nil {
		_, err := regexp.Compile(w.text)
		return fmt.Errorf("%s is not a regular expression: %w", word, err)
	}
	return nil
}

// CheckFact does the same for a comparison.
func CheckFact(f wire.Fact) error {
	re := strings.Trim(f.Value, "/")
	switch {
	case f.Operator == "!=" && len(f.Value) > 1 && isPattern(f.Value):
		return fmt.Errorf(`%s!=%s compares with that text, and no server knows "does not match"; write compound: not with("%[1]s=%[2]s")`, f.Fact, f.Value)
	case f.Operator != "=~":
		return nil
	case re == "":
		return fmt.Errorf("%s=~%s holds for everything that has the fact; write what is meant between the slashes", f.Fact, f.Value)
	}
	if _, err := regexp.Compile(re); err != nil {
		return fmt.Errorf("%s is not a regular expression: %w", f.Value, err)
	}
	return nil
}
