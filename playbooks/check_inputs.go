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
		p.Remedy("type", suggest(typ, []string{"String", "Integer", "Float", "Numeric", "Array", "Boolean"}), "unknown input type %q", typ)
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
	if err := p.Err(); err != nil {
		c.take(e.Pos, err)
	}
	return in
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
