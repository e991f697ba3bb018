package playbooks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

func (c *checker) inputs(v Value) {
	c.names.types = make(map[string]types.Type, len(v.entries))
	for _, e := range v.entries {
		if e.Value.kind != mapping {
			c.problem(e.Pos, "give it a description and a type", "input %q has no properties", e.Key)
			continue
		}
		in := c.input(e)
		c.names.types[in.Name] = in.expressionType()
		c.book.Inputs = append(c.book.Inputs, in)
	}
}

func (c *checker) input(e Entry) Input {
	p := plain(e.Value)
	in := Input{Name: e.Key, Pos: e.Pos, Description: p.Text("description", ""), Data: p.Text("data", "")}
	if !partName.MatchString(e.Key) {
		p.add(e.Pos, "use letters, digits, - and _", "%q is not a name for an input", e.Key)
	}
	in.Dynamic, in.Save = p.Bool("dynamic", false), p.Bool("save", false)
	in.Required = p.Bool("required", true)
	if p.Has("require") {
		in.Required = p.Bool("require", true)
		c.warn(p.Source("require").pos, "write required:", "require: is the documentation's spelling of required:")
	}
	typ := p.RequireText("type")
	var ok bool
	if in.Type, ok = inputTypes()[typ]; !ok && typ != "" {
		p.Remedy("type", suggest(typ, []string{"String", "Integer", "Float", "Numeric", "Array", "Boolean", secretType}), "unknown input type %q", typ)
	}
	if raw := p.Any("validation"); raw != nil {
		val, problem := parseValidation(raw)
		if problem != nil {
			p.Remedy("validation", problem.Remedy, "%s", problem.Message)
		}
		in.Validation = val
		if word, _ := raw.(string); slices.Contains(namedValidators(), ":"+word) {
			c.warn(p.Source("validation").pos, fmt.Sprintf("did you mean %q?", ":"+word), "validation %q accepts any text that holds this word", word)
		}
	}
	if p.Has("default") {
		in.Default, in.HasDefault = p.Any("default"), p.Any("default") != nil
		if word, ok := in.Default.(string); ok && in.Type == "Boolean" {
			in.Default = yesNo(word)
		}
		if err := in.Check(in.Default); in.HasDefault && err != nil && in.Type != "" {
			p.Remedy("default", in.expects(), "the default of input %q: %s", in.Name, err)
		}
	}
	c.inputStore(p, in)
	in.Choices = c.choices(p.Source("choices"))
	if in.Secret() {
		secretInput(p, in)
	}
	if err := p.Err(); err != nil {
		c.take(e.Pos, err)
	}
	return in
}

// choices reads where a form finds the values of an input.
func (c *checker) choices(v Value) *Choices {
	if v.IsZero() {
		return nil
	}
	p := plain(v)
	if v.kind != mapping {
		c.problem(v.pos, "write choices: {store: store/key}; a list of what is allowed stands under validation", "choices is not a mapping")
		return nil
	}
	out := &Choices{Store: p.Text("store", ""), Nodes: p.Text("nodes", ""), Command: p.Strings("command")}
	given := 0
	for _, key := range []string{"store", "nodes", "command"} {
		if p.Has(key) {
			given++
		}
	}
	switch {
	case given != 1:
		p.add(v.pos, "write choices: {store: store/key}, {nodes: set} or {command: [program, argument]}", "choices come from one place")
	case out.Store != "" && !strings.Contains(out.Store, "/"):
		p.Remedy("store", "write store/key", "%q is not a store path", out.Store)
	case out.Nodes != "" && !slices.Contains(c.names.nodes, out.Nodes):
		p.Remedy("nodes", suggest(out.Nodes, c.names.nodes), "unknown node set %q", out.Nodes)
	}
	c.take(v.pos, p.Err())
	return out
}

// secretInput checks that nothing keeps the value of a secret, or knows it beforehand.
func secretInput(p *Properties, in Input) {
	for _, key := range []string{"default", "data", "save", "dynamic", "choices"} {
		if p.Has(key) {
			p.Remedy(key, "remove it; a person gives the value with each run", "the secret input %q cannot have %s", in.Name, key)
		}
	}
	if in.Validation.Choices() != nil {
		p.Remedy("validation", `write ":shellsafe" or "/pattern/"`, "a list of what is allowed would tell the secret %q", in.Name)
	}
}

func (c *checker) inputStore(p *Properties, in Input) {
	switch {
	case in.Data == "" && in.Save:
		p.Remedy("save", "add data: store/key", "input %q cannot be saved without a store", in.Name)
	case in.Data == "" && in.Dynamic && in.Required && !in.HasDefault:
		p.Remedy("dynamic", "add data: store/key", "input %q is dynamic and has no store to read from", in.Name)
	case in.Data != "" && !strings.Contains(in.Data, "/"):
		p.Remedy("data", "write store/key", "%q is not a store path", in.Data)
	}
}

// plain reads a mapping in which nothing is a template, such as an input.
func plain(v Value) *Properties {
	p := &Properties{pos: v.pos}
	for _, e := range v.entries {
		p.props = append(p.props, property{key: e.Key, pos: e.Pos, value: e.Value.asWritten(), source: e.Value})
	}
	return p
}
