package playbooks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Condition is an expression about something that is not known yet when a task's properties are
// rendered, such as the reply of a node. What it reads of the run is bound by then, so that an
// approval covers it. Safe for concurrent use.
type Condition struct {
	expr *Expression
	with map[string]any // what it reads of the run, by the first name
}

// replyItems are what a condition may name of a reply.
func replyItems() []string { return []string{"data", "sender", "statuscode", "statusmsg"} }

const conditionRemedy = `write a condition such as data.status == "running"`

// Condition reads an expression about a reply; nil when there is none, or when it cannot be used,
// which is a problem then.
func (p *Properties) Condition(key string) *Condition {
	e, ok := p.get(key)
	if !ok || e.source.IsZero() {
		return nil
	}
	source, with, err := conditionParts(e)
	if err != nil {
		p.add(e.pos, conditionRemedy, "%s %s", key, err)
		return nil
	}
	known := names{open: true}
	if p.names != nil {
		known = *p.names
	}
	known.reply = true
	x, problem := compile(source, &known)
	switch {
	case problem != nil:
		problem = e.source.whyCut(problem)
		p.add(e.source.pos, problem.Remedy, "%s", problem.Message)
		return nil
	case !x.maybeBool():
		p.add(e.source.pos, conditionRemedy, "expression %q is neither true nor false", source)
		return nil
	}
	return &Condition{expr: x, with: with}
}

// conditionParts reads a condition as it is written, or as bind made it.
func conditionParts(e property) (source string, with map[string]any, err error) {
	if bound, ok := e.value.(map[string]any); ok {
		source, _ = bound["if"].(string)
		with, _ = bound["with"].(map[string]any)
	} else {
		source, err = conditionSource(e.source)
	}
	if err == nil && source == "" {
		err = errors.New("is not an expression")
	}
	return source, with, err
}

// conditionSource is the text of a condition; braces around the whole are tolerated.
func conditionSource(v Value) (string, error) {
	switch {
	case v.kind == templated && len(v.tmpl.parts) == 1:
		return v.tmpl.parts[0].body, nil
	case v.kind == templated:
		return "", errors.New("is an expression; write inputs.name in it without braces")
	case v.kind == scalar && v.plain != nil:
		return strings.TrimSpace(text(v.plain)), nil
	}
	return "", errors.New("is not an expression")
}

// bind renders a condition: its text, and with it what it reads of the run.
func bind(ctx context.Context, v Value, s Scope) (any, error) {
	source, err := conditionSource(v)
	if err != nil || source == "" {
		return nil, errors.New("the condition " + err.Error())
	}
	x, problem := compile(source, &names{open: true, reply: true})
	if problem != nil {
		return nil, problem
	}
	env, err := x.env(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", source, err)
	}
	with := make(map[string]any)
	for root, members := range rootsOf(x) {
		if bound, ok := plainData(env[root], members); ok {
			with[root] = bound
		}
	}
	if len(with) == 0 {
		return source, nil
	}
	return map[string]any{"if": source, "with": with}, nil
}

// plainData is the part of a root that an expression reads; false for what is no data, such as date.
func plainData(root any, members []string) (any, bool) {
	if nested, ok := root.(map[string]map[string]any); ok {
		m := make(map[string]any, len(nested))
		for k, v := range nested {
			m[k] = v
		}
		root = m
	}
	switch t := root.(type) {
	case map[string]any:
		if len(members) == 0 {
			return t, true
		}
		part := maps.Clone(t)
		maps.DeleteFunc(part, func(k string, _ any) bool { return !slices.Contains(members, k) })
		return part, true
	case string, float64:
		return t, true
	}
	return nil, false
}

// rootsOf lists the names that an expression begins with, and which of their members it reads; none
// when it may read all of them.
func rootsOf(x *Expression) map[string][]string {
	v := &rootVisitor{roots: make(map[string][]string), whole: make(map[string]int)}
	node := x.prog.Node()
	ast.Walk(&node, v)
	for root, n := range v.whole {
		if n > 0 {
			v.roots[root] = nil
		}
	}
	return v.roots
}

type rootVisitor struct {
	roots map[string][]string
	whole map[string]int // how often a name stands for all of its members
}

// Visit implements ast.Visitor; it sees what is inside before what is around it.
func (v *rootVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if !slices.Contains(replyItems(), n.Value) {
			v.whole[n.Value]++
			v.roots[n.Value] = append(v.roots[n.Value], []string{}...)
		}
	case *ast.MemberNode:
		base, isName := n.Node.(*ast.IdentifierNode)
		prop, isText := n.Property.(*ast.StringNode)
		if isName && isText && v.whole[base.Value] > 0 {
			v.whole[base.Value]--
			v.roots[base.Value] = append(v.roots[base.Value], prop.Value)
		}
	}
}

// Source is the condition as it was written.
func (c *Condition) Source() string { return c.expr.source }

// Holds evaluates the condition for a reply: data, sender, statuscode, statusmsg. Anything but true
// and false is an error.
func (c *Condition) Holds(_ context.Context, reply map[string]any) (bool, error) {
	now := time.Now()
	env := map[string]any{"date": dates(now), "utc_date": dates(now.UTC())}
	maps.Copy(env, c.with)
	maps.Copy(env, reply)
	if in, ok := env["inputs"]; ok {
		env["input"] = in
	} else if in, ok := env["input"]; ok {
		env["inputs"] = in
	}
	out, err := c.expr.run(env)
	if err != nil {
		return false, fmt.Errorf("expression %q: %w", c.expr.source, err)
	}
	yes, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("expression %q gives %v (%T); a condition is true or false", c.expr.source, out, out)
	}
	return yes, nil
}
