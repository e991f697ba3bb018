package playbooks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"github.com/google/uuid"
	"github.com/itchyny/timefmt-go"
)

// names is what templates and expressions of one playbook may name.
type names struct {
	inputs, nodes, tasks []string
	noNodes              bool                  // inside the nodes block
	wave                 bool                  // inside a rolling task
	reply                bool                  // in a condition about a reply
	open                 bool                  // names were checked before: any may stand
	types                map[string]types.Type // of the inputs
}

// Expression is a condition or a computed value, compiled when the playbook was loaded. It has no I/O.
type Expression struct {
	source string
	prog   *vm.Program
	inputs []string // the inputs that it reads; only those are resolved
	types  map[string]types.Type
}

// maxExpression bounds the length of an expression: its parser recurses.
const maxExpression = 4096

// Source is the expression as it was written.
func (e *Expression) Source() string { return e.source }

// runItems are what run.x may name.
func runItems() []string { return []string{"id", "actor", "approvers", "started"} }

// compile checks names and types. The Pos of a problem is left to the caller.
func compile(source string, n *names) (*Expression, *Problem) {
	if len(source) > maxExpression {
		return nil, &Problem{Message: fmt.Sprintf("an expression has at most %d characters", maxExpression), Remedy: "let a task compute it"}
	}
	v := &nameVisitor{names: n}
	prog, err := expr.Compile(source, expr.Env(typingEnv(n)), expr.Patch(v), expr.DisableBuiltin("date"), expr.DisableBuiltin("now"))
	if v.problem != nil {
		return nil, v.problem
	}
	if err != nil {
		return nil, expressionProblem(source, err, n)
	}
	e := &Expression{source: source, prog: prog, inputs: v.inputs, types: n.types}
	switch {
	case v.whole > 0 && n.reply: // what it reads is bound beforehand
		return nil, &Problem{Message: fmt.Sprintf("expression %q does not say which input it reads", source), Remedy: "write inputs.name"}
	case v.whole > 0: // as in len(inputs): any of them
		e.inputs = n.inputs
	}
	return e, nil
}

// maybeBool reports whether the expression can be a condition, as far as its type is known.
func (e *Expression) maybeBool() bool {
	t := e.prog.Node().Type()
	return t == nil || t.Kind() == reflect.Bool || t.Kind() == reflect.Interface
}

// top lists the names that may begin an expression.
func (n *names) top() []string {
	all := []string{
		"inputs", "input", "nodes", "metadata", "tasks", "previous_task", "failed_task", "run",
		"uuid", "elapsed_time", "date", "utc_date",
	}
	if n.wave {
		all = append(all, "wave")
	}
	if n.reply {
		all = append(all, replyItems()...)
	}
	return all
}

// waveItems are what wave.x may name.
func waveItems() []string { return []string{"nodes", "number", "count"} }

// typingEnv gives the compiler the names and their types. Which names an entry such as inputs has
// is checked by nameVisitor, whose sentences are better.
func typingEnv(n *names) types.Map {
	anything := types.Map{types.Extra: types.Any}
	inputs := types.Map{types.Extra: types.Any}
	maps.Copy(inputs, n.types)
	task := types.Map{
		types.Extra: types.Any, "ran": types.Bool, "success": types.Bool, "status": types.String,
		"msg": types.String, "message": types.String, "description": types.String,
	}
	nodes := types.Map{types.Extra: types.TypeOf([]any{})}
	env := types.Map{
		"inputs": inputs, "input": inputs, "nodes": nodes, "metadata": anything,
		"tasks": types.Map{types.Extra: task}, "previous_task": task, "failed_task": task,
		"run": anything, "uuid": types.String, "elapsed_time": types.Float64,
		"date": types.TypeOf(formatTime(nil)), "utc_date": types.TypeOf(formatTime(nil)),
	}
	if n.wave || n.open {
		env["wave"] = types.Map{"nodes": types.TypeOf([]any{}), "number": types.Int, "count": types.Int}
	}
	if n.reply {
		maps.Copy(env, types.Map{"data": anything, "sender": types.String, "statuscode": types.Int, "statusmsg": types.String})
	}
	return env
}

// expressionType is what an expression may do with an input; a value without a default may be absent.
func (in Input) expressionType() types.Type {
	switch {
	case !in.Required && !in.HasDefault:
	case in.Type == "String":
		return types.String
	case in.Type == "Integer":
		return types.Int
	case in.Type == "Boolean":
		return types.Bool
	case in.Type == "Array":
		return types.TypeOf([]any{})
	}
	return types.Any
}

// formatTime is our date and utc_date, in place of expr's date.
type formatTime func(layout string) string

func dates(now time.Time) formatTime {
	return func(layout string) string { return timefmt.Format(now, layout) }
}

// nameVisitor checks the second part of names such as inputs.rev, and collects the inputs.
type nameVisitor struct {
	names   *names
	inputs  []string
	whole   int // how often inputs stands for all of them
	problem *Problem
}

// Visit implements ast.Visitor; it sees what is inside before what is around it.
func (v *nameVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.identifier(n.Value)
	case *ast.MemberNode:
		prop, ok := n.Property.(*ast.StringNode)
		if !ok {
			return // computed
		}
		switch base := n.Node.(type) {
		case *ast.IdentifierNode:
			v.member(base.Value, prop.Value)
		case *ast.MemberNode:
			if root, isName := base.Node.(*ast.IdentifierNode); isName && root.Value == "tasks" {
				v.want("task item", prop.Value, taskItems())
			}
		}
	}
}

func (v *nameVisitor) identifier(name string) {
	switch {
	case name == "inputs" || name == "input":
		v.whole++
	case name == "$env" && v.problem == nil:
		v.problem = &Problem{Message: `unknown name "$env"`, Remedy: suggest(name, v.names.top())}
	case name == "nodes" && v.names.noNodes && v.problem == nil:
		v.problem = inNodes()
	case name == "wave" && !v.names.wave && !v.names.open && v.problem == nil:
		v.problem = &Problem{Message: "wave is known inside a rolling task only", Remedy: "name a node set, as in nodes.web, or put the task into a rolling task"}
	case slices.Contains(replyItems(), name) && !v.names.reply && v.problem == nil:
		v.problem = &Problem{Message: name + " is known in the expect of a fleet task only", Remedy: "give the task that asks a name with as, and write tasks.name.data"}
	}
}

func (v *nameVisitor) member(base, name string) {
	switch base {
	case "inputs", "input":
		v.want("input", name, v.names.inputs)
		v.inputs = append(v.inputs, name)
		v.whole--
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
	case "wave":
		v.want("wave item", name, waveItems())
	}
}

func (v *nameVisitor) want(what, name string, known []string) {
	if v.problem != nil || v.names.open || slices.Contains(known, name) {
		return
	}
	remedy := instead(name, known)
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
	env, err := e.env(ctx, s)
	if err != nil {
		return nil, err
	}
	return e.run(env)
}

// env is what the expression sees of a scope.
func (e *Expression) env(ctx context.Context, s Scope) (map[string]any, error) {
	inputs := make(map[string]any, len(e.inputs))
	for _, name := range e.inputs {
		if s.Input == nil {
			return nil, errors.New("there are no inputs here")
		}
		v, err := s.Input(ctx, name)
		if err != nil && !errors.Is(err, ErrNoValue) {
			return nil, err
		}
		if f, ok := v.(float64); ok && e.types[name] == types.Int {
			v = int(f) // it went through JSON
		}
		inputs[name] = v
	}
	return map[string]any{
		"inputs": inputs, "input": inputs, "nodes": s.nodeLists(), "metadata": s.Metadata, "tasks": s.Tasks,
		"previous_task": s.previous(), "failed_task": s.failed(), "run": s.Run, "wave": s.Wave,
		"uuid": uuid.NewString(), "elapsed_time": elapsed(s),
		"date": dates(s.now()), "utc_date": dates(s.now().UTC()),
	}, nil
}

func (e *Expression) run(env map[string]any) (any, error) {
	out, err := expr.Run(e.prog, env)
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
