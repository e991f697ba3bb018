package playbooks

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Input is a value that a run is started with.
type Input struct {
	Name        string
	Description string
	Type        string // String, Integer, Float, Numeric, Array, Boolean or Secret
	Required    bool
	Default     any
	HasDefault  bool
	Validation  Validation
	Data        string // store/key, or empty
	Dynamic     bool
	Save        bool
	Choices     *Choices // nil: none
	Pos         Pos
}

// Choices says where a form finds the values that it offers for an input. Exactly one is set. It
// does not limit what may be given; that is for Validation.
type Choices struct {
	Store   string   // store/key, which holds a list
	Nodes   string   // a node set
	Command []string // prints one choice in each line
}

// inputTypes maps every accepted spelling to the type.
func inputTypes() map[string]string {
	return map[string]string{
		"String": "String", ":string": "String",
		"Integer": "Integer", "Fixnum": "Integer", ":integer": "Integer", ":fixnum": "Integer",
		"Float": "Float", ":float": "Float", "Numeric": "Numeric", ":numeric": "Numeric",
		"Array": "Array", ":array": "Array",
		"Boolean": "Boolean", ":bool": "Boolean", ":boolean": "Boolean",
		secretType: secretType,
	}
}

// Check validates a value against the type and the validator of the input. What is wrong with a
// secret is said without repeating it.
func (in Input) Check(value any) error {
	if in.Secret() {
		return in.checkSecret(value)
	}
	if err := in.checkType(value); err != nil {
		return err
	}
	return in.Validation.Check(value)
}

func (in Input) checkType(value any) error {
	ok := true
	switch in.Type {
	case "String":
		_, ok = value.(string)
	case "Integer":
		var n int
		if n, ok = in.fromJSON(value).(int); ok && (n >= maxWhole || n <= -maxWhole) {
			return fmt.Errorf("%d is too large; at most 9007199254740991 is kept exactly", n)
		}
	case "Float", "Numeric":
		switch value.(type) {
		case int, float64:
		default:
			ok = false
		}
	case "Boolean":
		_, ok = value.(bool)
	case "Array":
		_, ok = value.([]any)
	}
	if !ok {
		return fmt.Errorf("%s is not of type %s", describe(value), in.Type)
	}
	return nil
}

// convert makes what a person typed into the type of the input.
func (in Input) convert(value any) (any, error) {
	s, typed := value.(string)
	if !typed {
		if items, isList := value.([]any); isList && (in.Type == "String" || in.Secret()) {
			return nil, fmt.Errorf("it was given %d times", len(items))
		}
		return value, nil
	}
	switch in.Type {
	case "Integer":
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("%s is not a whole number", describe(s))
		}
		return n, nil
	case "Float", "Numeric":
		if n, err := strconv.Atoi(s); err == nil && in.Type == "Numeric" {
			return n, nil
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s is not a number", describe(s))
		}
		return f, nil
	case "Boolean":
		return parseBool(s)
	case "Array":
		return []any{s}, nil
	default:
		return s, nil
	}
}

func parseBool(s string) (any, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, nil
	case "false", "no", "off":
		return false, nil
	}
	return nil, fmt.Errorf("%s is neither true nor false", describe(s))
}

// Bind checks what was given for a run and returns the static inputs: those given, and the
// defaults of those that no store is asked for. raw values are text that a person typed and are
// converted to the declared types. The error is a *Problems with everything that is wrong.
func (p *Playbook) Bind(given map[string]any, raw bool) (map[string]any, error) {
	out := make(map[string]any)
	bad := &Problems{}
	complain := func(input, remedy, format string, args ...any) {
		bad.list = append(bad.list, &Problem{Input: input, Message: fmt.Sprintf(format, args...), Remedy: remedy})
	}
	var declared []string
	for _, in := range p.Inputs {
		if !in.Dynamic {
			declared = append(declared, in.Name)
		}
	}
	for _, name := range sortedKeys(given) {
		if in, ok := p.Input(name); !ok {
			complain(name, suggest(name, declared), "unknown input %q", name)
		} else if in.Dynamic {
			complain(name, "change the value in the store", "input %q cannot be given; it is always read from %s", name, in.Data)
		}
	}
	for _, in := range p.Inputs {
		v := given[in.Name]
		present := v != nil // nothing is not a value
		switch {
		case in.Dynamic:
		case present:
			checked, err := in.accept(v, raw)
			if err != nil {
				complain(in.Name, in.expects(), "input %q: %s", in.Name, err)
			}
			out[in.Name] = checked
		case in.Data != "":
		case in.HasDefault:
			out[in.Name] = in.Default
		case in.Required:
			what := in.Description
			if what == "" {
				what = in.Type
			}
			remedy := "add " + in.Name + "=…"
			if in.Secret() {
				remedy = "it is a secret, which only somebody who is asked for it or a secret of the playbook around gives"
			}
			complain(in.Name, remedy, "input %q is missing (%s)", in.Name, what)
		}
	}
	if len(bad.list) > 0 {
		return nil, bad
	}
	return out, nil
}

func (in Input) accept(v any, raw bool) (any, error) {
	if raw {
		var err error
		if v, err = in.convert(v); err != nil {
			return nil, err
		}
	}
	v = in.fromJSON(v)
	return v, in.Check(v)
}

// Stored makes what a data store holds a value of the input. Text is read as if a person had typed it,
// for most stores hold nothing else.
func (in Input) Stored(v any) (any, error) {
	_, isText := v.(string)
	return in.accept(v, isText)
}

// maxWhole bounds whole numbers: JSON keeps those below it exactly (RFC 8259, section 6).
const maxWhole = 1 << 53

// fromJSON makes whole numbers of a value whole again: JSON has one kind of number.
func (in Input) fromJSON(v any) any {
	if f, ok := v.(float64); ok && in.Type == "Integer" && f == math.Trunc(f) && math.Abs(f) < maxWhole {
		return int(f)
	}
	return v
}

// expects says what a value of the input looks like.
func (in Input) expects() string {
	if d := in.Validation.Describe(); d != "" {
		return "give " + d
	}
	if in.Secret() { // what is wrong with one says what would be right
		return ""
	}
	if in.Type == "String" {
		return "give text; what looks like a number or a date is put in quotes"
	}
	return "give a value of type " + in.Type
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
