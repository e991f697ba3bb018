package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/tidwall/gjson"
)

// maxCompound bounds the length of a compound expression, in bytes: its parser recurses.
const maxCompound = 4096

// compound is an expression over agents, classes and facts. Servers have functions of their own beside
// ours, those of their data plugins; an expression that calls one holds nowhere here.
type compound struct{ prog *vm.Program }

// newCompound reads one compound filter of the wire.
func newCompound(c []map[string]string) (*compound, error) {
	if len(c) != 1 {
		return nil, fmt.Errorf("a compound filter has one expression, not %d", len(c))
	}
	text, ok := c[0]["expr"]
	if !ok {
		return nil, errors.New("a compound filter without an expression")
	}
	prog, err := compile(text)
	if err != nil {
		return nil, err
	}
	return &compound{prog}, nil
}

func compile(text string) (*vm.Program, error) {
	if len(text) > maxCompound {
		return nil, fmt.Errorf("a compound filter has at most %d characters", maxCompound)
	}
	prog, err := expr.Compile(text, expr.Env(environment(Server{})), expr.AsBool(), expr.AllowUndefinedVariables())
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(first)
	}
	return prog, nil
}

// holds runs the expression. One that fails, for instance because a fact is not there, does not hold.
func (c *compound) holds(s Server) bool {
	result, err := expr.Run(c.prog, environment(s))
	yes, ok := result.(bool)
	return err == nil && ok && yes
}

// environment is what an expression may name.
func environment(s Server) map[string]any {
	return map[string]any{
		"agents": s.Agents, "classes": s.Classes, "facts": s.Facts,
		"with":    func(query string) bool { return s.with(query) },
		"fact":    func(path string) any { return gjson.GetBytes(s.Facts, path).Value() },
		"include": include,
		"semver":  satisfies,
	}
}

// with holds for a server with such a fact, class or agent.
func (s Server) with(query string) bool {
	if fact, ok := parseQuery(query); ok {
		return newComparison(fact).holds(s.Facts)
	}
	return slices.ContainsFunc(s.Classes, newClass(query).matches) || slices.ContainsFunc(s.Agents, newWord(query, "").matches)
}

// include reports whether a list holds a value; numbers in facts are always float64.
func include(hay []any, needle any) bool {
	if n, isInt := needle.(int); isInt {
		needle = float64(n)
	}
	return slices.ContainsFunc(hay, func(have any) bool { return reflect.DeepEqual(have, needle) })
}

// satisfies compares versions: `semver(fact("app.version"), ">= 1.2")`.
func satisfies(version, constraint string) (bool, error) {
	want, err := semver.NewConstraint(constraint)
	if err != nil {
		return false, err
	}
	have, err := semver.NewVersion(version)
	if err != nil {
		return false, err
	}
	return want.Check(have), nil
}

// known lists the names that every server knows in a compound expression.
func known() []string {
	return []string{"agents", "classes", "facts", "with", "fact", "include", "semver"}
}

// Raw makes facts of what was read elsewhere, as a server has them.
func Raw(facts map[string]any) (json.RawMessage, error) {
	if len(facts) == 0 {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(facts)
}
