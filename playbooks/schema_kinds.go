package playbooks

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// usage says what else than its kind a value may be.
type usage struct {
	template bool // a text with a template
	words    bool // the many spellings of true and false that some types of 2017 take
}

// What text may stand for, as the readers of [Properties] take it. Each is anchored by its user.
const (
	aTemplate = `\{\{`
	aNumber   = `^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$`
	aWhole    = `^\s*[+-]?\d+\s*$`
	aShare    = `^\s*(\+?\d+\s*%?\s*)?$`
	aDuration = `^\s*\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?d?\s*$|^\s*\+?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+\s*$`
	aBool     = `^(yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$`
	anyBool   = `^([yY]|[yY][eE][sS]|[nN]|[nN][oO]|[oO][nN]|[oO][fF][fF]|[tT]|[tT][rR][uU][eE]|[fF]|[fF][aA][lL][sS][eE]|0|1)$`
)

// schema is what a value under the key may be.
func (k Key) schema(u usage) object {
	out := k.shape(u)
	if len(k.Choices) > 0 {
		out = k.chosen(u)
	}
	if k.Required {
		required(out)
	}
	if k.Doc != "" {
		out["description"] = k.Doc
	}
	if k.Default != "" {
		out["default"] = written(k.Default)
	}
	return out
}

// written is a value as it is written in a playbook; what YAML would pass over, such as a colour, is text.
func written(source string) any {
	var value any
	if err := yaml.Unmarshal([]byte(source), &value); err != nil || value == nil {
		return source
	}
	return value
}

// required refuses what counts as missing.
func required(out object) {
	if types, ok := out["type"].([]string); ok && slices.Contains(types, "string") {
		out["minLength"] = 1
	}
}

// shape is the form of a value by its kind. A pattern is asked of text alone.
func (k Key) shape(u usage) object {
	scalars := []string{"string", "number", "boolean"}
	switch k.Kind {
	case KindText:
		return k.typed("", u, scalars...)
	case KindBool:
		if u.words {
			out := k.typed(anyBool, u, "boolean", "integer", "string")
			out["minimum"], out["maximum"] = 0, 1
			return out
		}
		return k.typed(aBool, u, "boolean", "string")
	case KindInt:
		return k.typed(aWhole, u, "integer", "string")
	case KindNumber:
		return k.typed(aNumber, u, "number", "string")
	case KindShare:
		return k.floor(k.typed(aShare, u, "integer", "string"))
	case KindDuration:
		return k.floor(k.typed(aDuration, u, "number", "string"))
	case KindTexts:
		out := k.collection("array", u)
		out["items"] = object{"type": scalars}
		return out
	case KindList:
		return k.collection("array", u)
	case KindMap:
		return k.collection("object", u)
	case KindTextMap:
		out := k.collection("object", u)
		out["additionalProperties"] = object{"type": append(scalars, "null")}
		return out
	case KindExpression: // nothing is no expression
		return object{"type": []string{"string", "boolean"}}
	case KindCommand:
		out := k.typed("", u, append(scalars, "array")...)
		out["items"] = object{"type": scalars}
		return out
	case KindTasks:
		return ref("tasks")
	case KindAny:
	}
	return object{}
}

// typed is a value of some types; text must match the pattern, or be a template where that is possible.
func (k Key) typed(pattern string, u usage, types ...string) object {
	out := object{"type": k.orNull(types)}
	if pattern != "" {
		if u.template {
			pattern += "|" + aTemplate
		}
		out["pattern"] = pattern
	}
	return out
}

// collection is a list or a mapping, or a template that gives one.
func (k Key) collection(typ string, u usage) object {
	types := []string{typ}
	if !u.template {
		return object{"type": k.orNull(types)}
	}
	return object{"type": k.orNull(append(types, "string")), "pattern": aTemplate}
}

// floor refuses what is below zero.
func (Key) floor(out object) object {
	out["minimum"] = 0
	return out
}

// orNull adds that nothing is as good as no key at all.
func (k Key) orNull(types []string) []string {
	if k.Required {
		return types
	}
	return append(types, "null")
}

// chosen is one of the choices. Those in capitals, such as HTTP methods, are accepted in small letters too.
func (k Key) chosen(u usage) object {
	var values []any
	patterns := []string{}
	for _, c := range k.Choices {
		values = append(values, c)
		if c != strings.ToLower(c) && c == strings.ToUpper(c) {
			patterns = append(patterns, "^"+anyCase(c)+"$")
		}
	}
	if k.Kind == KindTexts {
		out := k.collection("array", u)
		out["items"] = object{"enum": values}
		if u.template {
			out["items"] = object{"anyOf": []object{{"enum": values}, {"type": "string", "pattern": aTemplate}}}
		}
		return out
	}
	if u.template {
		patterns = append(patterns, aTemplate)
	}
	if !k.Required {
		values = append(values, nil)
	}
	if len(patterns) == 0 {
		return object{"enum": values}
	}
	return object{"anyOf": []object{{"enum": values}, {"type": "string", "pattern": strings.Join(patterns, "|")}}}
}

// anyCase matches a word in capitals and in small letters.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		upper, lower := strings.ToUpper(string(r)), strings.ToLower(string(r))
		if upper == lower {
			b.WriteString(regexp.QuoteMeta(upper))
		} else {
			b.WriteString("[" + upper + lower + "]")
		}
	}
	return b.String()
}
