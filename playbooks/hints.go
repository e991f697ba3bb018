package playbooks

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"gopkg.in/yaml.v3"
)

// cut reports whether a comment follows a value without quotes in its line. Where the value is
// incomplete, or missing, the comment was meant to be a part of it.
func (s *source) cut(n *yaml.Node) bool {
	if n.Style != 0 || n.Line < 1 || n.Line > len(s.lines) {
		return false
	}
	line := []rune(s.lines[n.Line-1])
	rest, found := strings.CutPrefix(string(line[min(max(n.Column-1, 0), len(line)):]), n.Value)
	return found && strings.HasPrefix(strings.TrimLeft(rest, " \t"), "#")
}

// whyCut explains an expression that ends too early by the comment that follows it.
func (v Value) whyCut(p *Problem) *Problem {
	if v.cut && strings.Contains(p.Message, "unexpected token EOF") {
		p.Remedy = "put the whole expression in quotes: to YAML, # begins a comment"
	}
	return p
}

// expressionProblem makes a sentence of a compiler's error.
func expressionProblem(source string, err error, n *names) *Problem {
	message, remedy := err.Error(), "look at its brackets, quotes and operators"
	if fe, ok := errors.AsType[*file.Error](err); ok {
		message = fe.Message
	}
	if strings.Contains(message, "type") {
		remedy = "make the types equal, as in string(inputs.count) or int(inputs.text)"
	}
	if word, ok := strings.CutPrefix(message, "unknown name "); ok {
		remedy = suggest(word, n.top())
		for _, in := range n.inputs {
			if strings.Contains(in, "-") && strings.Contains(source, "."+in) {
				remedy = fmt.Sprintf("in an expression write inputs[%q]", in)
			}
		}
	}
	if hint := expressionHint(source, message, n); hint != "" {
		remedy = hint
	}
	return &Problem{Message: fmt.Sprintf("expression %q: %s", source, message), Remedy: remedy}
}

// expressionHint is the remedy for what people write who know another language; "" when there is none.
func expressionHint(source, message string, n *names) string {
	if word, ok := strings.CutPrefix(message, "unknown name "); ok {
		return n.where(word)
	}
	switch {
	case strings.Contains(source, "{{"):
		return "write names such as inputs.name without braces: all of it is an expression"
	case strings.Contains(message, `unexpected token Operator("=")`):
		return "compare with =="
	case strings.Contains(message, `unexpected token Identifier("is")`):
		return "leave it out: names are checked beforehand, and an input without a value is nil, as in inputs.name != nil"
	}
	return ""
}

// where says what a name belongs to that stands alone; "" when nothing has it.
func (n *names) where(word string) string {
	for _, of := range []struct {
		root  string
		names []string
	}{{"inputs", n.inputs}, {"nodes", n.nodes}, {"tasks", n.tasks}} {
		if slices.Contains(of.names, word) {
			return didYouMean(of.root + "." + word)
		}
	}
	if n.reply {
		return fmt.Sprintf("an item of the reply is data.%s", word)
	}
	if remedy := instead(word, n.top()); remedy != suggest(word, n.top()) {
		return remedy
	}
	return ""
}

// isList reports whether a value is one template that always gives a list.
func (v Value) isList(n *names) bool {
	if v.kind != templated || len(v.tmpl.parts) != 1 {
		return false
	}
	switch p := v.tmpl.parts[0]; {
	case p.form != nil && p.form.kind == "nodes":
		return true
	case p.form != nil && p.form.kind == "input":
		return n != nil && n.types[p.form.name] == types.TypeOf([]any{})
	case p.expr != nil:
		t := p.expr.prog.Node().Type()
		return t != nil && t.Kind() == reflect.Slice
	}
	return false
}

// joined is the remedy for a list where text is wanted.
func joined(v Value) string {
	if v.kind != templated || len(v.tmpl.parts) != 1 {
		return "write one value"
	}
	return fmt.Sprintf(`write '{{ join(%s, ", ") }}', or put words around the template`, v.tmpl.parts[0].body)
}

// bareItem is text that needs no quotes inside [ ].
var bareItem = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./=-]*(::?[A-Za-z0-9_./=-]+)*$`)

// listRemedy writes what stands in place of a list as one.
func (p *Properties) listRemedy(key string, v any) string {
	const usual = "write [a, b], or a template that gives a list"
	switch t := v.(type) {
	case string:
		set := strings.TrimPrefix(t, "nodes.")
		if p.names != nil && slices.Contains(p.names.nodes, set) {
			return fmt.Sprintf(`write "{{ nodes.%s }}"`, set)
		}
		items := strings.FieldsFunc(t, func(r rune) bool { return r == ',' || r == ' ' })
		for _, item := range items {
			if !bareItem.MatchString(item) || len(t) > window {
				return usual
			}
		}
		return "write [" + strings.Join(items, ", ") + "]"
	case map[string]any:
		if key == "facts" { // the one list that other tools write as a mapping
			return `write each as "name=value", as in ["country=uk"]`
		}
	}
	return usual
}
