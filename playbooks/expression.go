package playbooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/google/uuid"
	"github.com/itchyny/timefmt-go"
)

// names is what templates and expressions of one playbook may name.
type names struct {
	inputs, nodes, tasks []string
	noNodes              bool // inside the nodes block
}

// Expression is a condition or a computed value, compiled when the playbook was loaded. It has no I/O.
type Expression struct {
	source string
	prog   *vm.Program
	inputs []string // the inputs that it reads; only those are resolved
}

// Source is the expression as it was written.
func (e *Expression) Source() string { return e.source }

// runItems are what run.x may name.
func runItems() []string { return []string{"id", "actor", "approvers", "started"} }

// compile checks names and types. The Pos of a problem is left to the caller.
func compile(source string, n *names) (*Expression, *Problem) {
	v := &nameVisitor{names: n}
	prog, err := expr.Compile(source, append(dateFunctions(time.Now), expr.Env(typingEnv(n)), expr.Patch(v))...)
	if v.problem != nil {
		return nil, v.problem
	}
	if err != nil {
		return nil, expressionProblem(source, err, n)
	}
	return &Expression{source: source, prog: prog, inputs: v.inputs}, nil
}

// expressionProblem makes a sentence of a compiler's error.
func expressionProblem(source string, err error, n *names) *Problem {
	message, remedy := err.Error(), "see the expressions page of the guide"
	if fe, ok := errors.AsType[*file.Error](err); ok {
		message = fe.Message
	}
	if word, ok := strings.CutPrefix(message, "unknown name "); ok {
		remedy = suggest(word, topNames())
		for _, in := range n.inputs {
			if strings.Contains(in, "-") && strings.Contains(source, "."+in) {
				remedy = fmt.Sprintf("in an expression write inputs[%q]", in)
			}
		}
	}
	return &Problem{Message: fmt.Sprintf("expression %q: %s", source, message), Remedy: remedy}
}

func topNames() []string {
	return []string{
		"inputs", "input", "nodes", "metadata", "tasks", "previous_task", "failed_task", "run",
		"uuid", "elapsed_time", "date", "utc_date",
	}
}

// typingEnv gives the compiler the names and their types.
func typingEnv(n *names) map[string]any {
	nodes := map[string]any{}
	if n.noNodes {
		nodes = nil
	}
	return map[string]any{
		"inputs": map[string]any{}, "input": map[string]any{}, "nodes": nodes, "metadata": map[string]any{},
		"tasks": map[string]map[string]any{}, "previous_task": map[string]any{}, "failed_task": map[string]any{},
		"run": map[string]any{}, "uuid": "", "elapsed_time": 0.0,
	}
}

// dateFunctions puts our date and utc_date in place of expr's date.
func dateFunctions(now func() time.Time) []expr.Option {
	format := func(at func() time.Time) func(...any) (any, error) {
		return func(args ...any) (any, error) {
			layout, ok := args[0].(string)
			if !ok {
				return nil, errors.New("the format of a date is a string")
			}
			return timefmt.Format(at(), layout), nil
		}
	}
	typ := new(func(string) string)
	return []expr.Option{
		expr.DisableBuiltin("date"), expr.DisableBuiltin("now"),
		expr.Function("date", format(now), typ),
		expr.Function("utc_date", format(func() time.Time { return now().UTC() }), typ),
	}
}

// nameVisitor checks the second part of names such as inputs.rev, and collects the inputs.
type nameVisitor struct {
	names   *names
	inputs  []string
	problem *Problem
}

// Visit implements ast.Visitor.
func (v *nameVisitor) Visit(node *ast.Node) {
	m, ok := (*node).(*ast.MemberNode)
	if !ok {
		return
	}
	prop, ok := m.Property.(*ast.StringNode)
	if !ok {
		if base, isName := m.Node.(*ast.IdentifierNode); isName && (base.Value == "inputs" || base.Value == "input") {
			v.inputs = v.names.inputs // computed: any of them
		}
		return
	}
	switch base := m.Node.(type) {
	case *ast.IdentifierNode:
		v.member(base.Value, prop.Value)
	case *ast.MemberNode:
		if root, isName := base.Node.(*ast.IdentifierNode); isName && root.Value == "tasks" {
			v.want("task item", prop.Value, taskItems())
		}
	}
}

func (v *nameVisitor) member(base, name string) {
	switch base {
	case "inputs", "input":
		v.want("input", name, v.names.inputs)
		v.inputs = append(v.inputs, name)
	case "nodes":
		v.want("node set", name, v.names.nodes)
	case "metadata":
		v.want("metadata item", name, metadataItems())
	case "tasks":
		v.want("task", name, v.names.tasks)
	case "previous_task", "failed_task":
		v.want("task item", name, taskItems())
	case "run":
		v.want("run item", name, runItems())
	}
}

func (v *nameVisitor) want(what, name string, known []string) {
	if v.problem != nil || slices.Contains(known, name) {
		return
	}
	remedy := suggest(name, known)
	if what == "task" {
		remedy = "give a task `as: " + name + "`; " + remedy
	}
	for _, k := range known {
		if what == "input" && strings.HasPrefix(k, name+"-") {
			remedy = fmt.Sprintf("in an expression write inputs[%q]", k)
		}
	}
	v.problem = &Problem{Message: fmt.Sprintf("unknown %s %q", what, name), Remedy: remedy}
}

// Eval computes the value.
func (e *Expression) Eval(ctx context.Context, s Scope) (any, error) {
	inputs := make(map[string]any, len(e.inputs))
	for _, name := range e.inputs {
		if s.Input == nil {
			return nil, errors.New("there are no inputs here")
		}
		v, err := s.Input(ctx, name)
		if err != nil {
			return nil, err
		}
		inputs[name] = v
	}
	out, err := expr.Run(e.prog, map[string]any{
		"inputs": inputs, "input": inputs, "nodes": s.nodeLists(), "metadata": s.Metadata, "tasks": s.Tasks,
		"previous_task": s.previous(), "failed_task": s.failed(), "run": s.Run,
		"uuid": uuid.NewString(), "elapsed_time": elapsed(s),
	})
	if err != nil {
		if fe, ok := errors.AsType[*file.Error](err); ok {
			return nil, errors.New(fe.Message)
		}
		return nil, err
	}
	return out, nil
}

// Bool computes a condition. Anything but true and false is an error.
func (e *Expression) Bool(ctx context.Context, s Scope) (bool, error) {
	v, err := e.Eval(ctx, s)
	if err != nil {
		return false, fmt.Errorf("expression %q: %w", e.source, err)
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("expression %q gives %v (%T); a condition is true or false", e.source, v, v)
	}
	return b, nil
}
